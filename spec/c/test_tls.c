/* SPDX-License-Identifier: MIT
 * TLS settings, and the OpenSSL that the process has: here the shared one. */
#include "tap.h"

#include <openssl/x509_vfy.h>

#include "net/tls.h"

static void expect(struct cds_tls tls, const char *words) {
  struct cds_error err = {0};
  enum cds_status status = cds_tls_check(&tls, &err);
  ok(status == (words == NULL ? CDS_OK : CDS_E_CONFIG), "%s", words == NULL ? "accepted" : words);
  if (words != NULL) ok(strstr(err.message, words) != NULL, "in: %s", err.message);
}

int main(void) {
  struct cds_error err = {0};
  expect((struct cds_tls){0}, NULL);
  expect((struct cds_tls){.ca_file = "/dev/null", .ca_path = "/"}, NULL);
  expect((struct cds_tls){.cert_file = "/dev/null", .key_file = "/dev/null"}, NULL);
  expect((struct cds_tls){.ca_file = "/no/such/file"}, "tls.ca_file: cannot read \"/no/such/file\": No such file");
  expect((struct cds_tls){.ca_path = "/no/such/dir"}, "tls.ca_path: cannot read");
  expect((struct cds_tls){.cert_file = "/no", .key_file = "/dev/null"}, "tls.cert_file: cannot read");
  expect((struct cds_tls){.cert_file = "/dev/null", .key_file = "/no"}, "tls.key_file: cannot read");
  expect((struct cds_tls){.cert_file = "/dev/null"}, "expected both or neither");
  is_string(cds_tls_verify_reason(X509_V_OK), "", "a good chain needs no words");
  is_string(cds_tls_verify_reason(X509_V_ERR_CERT_NOT_YET_VALID), "certificate is not yet valid", "OpenSSL's words");
  ok(cds_tls_check_library(&err) == CDS_OK, "the shared OpenSSL is fine %s", err.message);
  return done();
}
