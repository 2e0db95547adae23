/* SPDX-License-Identifier: MIT
 * Shared libraries that are loaded when they are wanted; and libcurl, which a program that asks for no HTTP is without. */
#include "base/library.h"

#include <dlfcn.h>

#include "net/curl.h"
#include "net/http_header.h"
#include "tap.h"

struct mathematics {
  double (*cosine)(double);
  double (*power)(double, double);
};

static struct cds_error err;

static void test_found(void) {
  static const char *const names[] = {"cos", "pow"};
  struct mathematics found;
  ok(cds_library_find(&found, names, 2, "libm.so.6", &err) == CDS_OK, "what is there is found");
  ok(found.cosine(0) == 1 && found.power(2, 10) == 1024, "each under its name");
}

static void test_missing(void) {
  static const char *const names[] = {"cos", "cosines_of_another_world"};
  struct mathematics found;
  is_number(cds_library_find(&found, names, 2, "libabsent.so.0", &err), CDS_E_CONFIG, "a library may be missing");
  ok(strstr(err.message, "libabsent.so.0 cannot be loaded: ") == err.message, "and is named: %s", err.message);
  is_number(cds_library_find(&found, names, 2, "libm.so.6", &err), CDS_E_CONFIG, "a function may be missing");
  ok(strstr(err.message, "libm.so.6 is too old: it has no cosines_of_another_world") != NULL, "and is named: %s",
     err.message);
}

static void test_once(void) {
  static const char *const names[] = {"cos", "pow"};
  static struct mathematics found;
  struct cds_library there = {.soname = "libm.so.6", .functions = &found, .names = names, .count = 2};
  struct cds_library absent = {.soname = "libabsent.so.0", .functions = &found, .names = names, .count = 2};
  ok(cds_library_load(&there, &err) == CDS_OK && found.cosine(0) == 1, "a library is loaded once for all");
  found.cosine = NULL;
  ok(cds_library_load(&there, &err) == CDS_OK && found.cosine == NULL, "and not looked up again");
  for (int i = 0; i < 2; i++) {
    cds_error_clear(&err);
    ok(cds_library_load(&absent, &err) == CDS_E_CONFIG && strstr(err.message, "libabsent.so.0"), "nor what is missing");
  }
}

static bool is_loaded(const char *soname) {
  void *library = dlopen(soname, RTLD_LAZY | RTLD_NOLOAD);
  if (library != NULL) dlclose(library);
  return library != NULL;
}

static void test_curl(void) {
  double seconds;
  ok(!is_loaded("libcurl.so.4"), "libcurl is not there before it is wanted");
  ok(cds_http_date(&seconds, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n") && seconds == 784111777, "a date wants it");
  ok(is_loaded("libcurl.so.4"), "and has it");
  const struct cds_curl *curl, *again;
  ok(cds_curl_load(&curl, &err) == CDS_OK && cds_curl_load(&again, &err) == CDS_OK && curl == again, "once for all");
  is_string(curl->easy_strerror(CURLE_OK), "No error", "its functions work");
}

int main(void) {
  test_found();
  test_missing();
  test_once();
  test_curl();
  return done();
}
