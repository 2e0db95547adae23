/* SPDX-License-Identifier: MIT
 * A libcurl that is there and cannot start. */
#include "net/curl.h"

#include "base/library.h"
#include "tap.h"

static int starts, finds;

static CURLcode global_init(long flags) {
  ok(flags == CURL_GLOBAL_DEFAULT, "libcurl is started as usual");
  starts++;
  return CURLE_FAILED_INIT;
}

static const char *easy_strerror(CURLcode code) {
  return code == CURLE_FAILED_INIT ? "no start" : "something else";
}

enum cds_status cds_library_find(void *functions, const char *const *names, size_t count, const char *soname,
                                 struct cds_error *err) {
  struct cds_curl *curl = functions;
  (void)err;
  finds++;
  is_number(count * sizeof(void (*)(void)), sizeof *curl, "a name for each function");
  is_string(names[0], "curl_easy_cleanup", "from the first");
  is_string(names[count - 1], "curl_version_info", "to the last");
  is_string(soname, "libcurl.so.4", "of this library");
  *curl = (struct cds_curl){.global_init = global_init, .easy_strerror = easy_strerror};
  return CDS_OK;
}

int main(void) {
  struct cds_error err;
  const struct cds_curl *curl;
  for (int i = 0; i < 2; i++) {
    cds_error_clear(&err);
    curl = (const struct cds_curl *)&err;
    is_number(cds_curl_load(&curl, &err), CDS_E_MEMORY, "there is no libcurl then");
    ok(curl == NULL && err.status == CDS_E_MEMORY, "which is told");
    is_string(err.message, "libcurl could not start: no start", "in words of its own");
  }
  is_number(cds_curl_load(&curl, NULL), CDS_E_MEMORY, "whoever asks");
  ok(starts == 1 && finds == 1, "as was found out once");
  return done();
}
