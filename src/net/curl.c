/* SPDX-License-Identifier: MIT
 * libcurl's functions, found once. */
#include "net/curl.h"

#include <pthread.h>

#include "base/library.h"

#define SONAME "libcurl.so.4" /* since 2006 */

static struct cds_curl curl;
static struct cds_error problem;

static void load(void) {
#define NAME(name) "curl_" #name,
  static const char *const names[] = {CDS_CURL_FUNCTIONS(NAME)};
#undef NAME
  _Static_assert(sizeof names == sizeof curl, "a name for each function");
  if (cds_library_find(&curl, names, sizeof names / sizeof *names, SONAME, &problem) != CDS_OK) return;
  CURLcode code = curl.global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) cds_error_set(&problem, CDS_E_MEMORY, "libcurl could not start: %s", curl.easy_strerror(code));
}

enum cds_status cds_curl_load(const struct cds_curl **out, struct cds_error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  *out = problem.status == CDS_OK ? &curl : NULL;
  if (problem.status != CDS_OK && err != NULL) *err = problem;
  return problem.status;
}
