/* SPDX-License-Identifier: MIT
 * A program that exports OpenSSL functions of its own, as one with OpenSSL linked in statically does. */
#include "tap.h"

#include "net/tls.h"

const char *lws_get_library_version(void); /* its header would declare OpenSSL's functions */

__attribute__((visibility("default"))) void SSL_CTX_new(void);
void SSL_CTX_new(void) {
}

int main(void) {
  struct cds_error err = {0};
  ok(lws_get_library_version() != NULL, "libwebsockets is there, which makes the linker export what it would call");
  ok(cds_tls_check_library(&err) == CDS_E_CONFIG, "is refused");
  ok(strstr(err.message, "test_tls_library\" exports an OpenSSL of its own") != NULL, "by name: %s", err.message);
  return done();
}
