/* SPDX-License-Identifier: MIT
 * The names for which a WebSocket's certificate is taken, and the words for a handshake that failed. */
#include "tap.h"

#include <openssl/err.h>

#include "certificate.h"
#include "net/ws_tls.h"

/* OpenSSL's verdict, with the settings that a connection to this host has. */
static int verdict(const char *name, const char *host) {
  static const struct cds_tls plain;
  unsigned long failure = 0;
  SSL_CTX *context = NULL;
  struct cds_error err = {0};
  EVP_PKEY *key = NULL;
  X509 *certificate = certificate_for(name, &key);
  X509_STORE *trusted = X509_STORE_new();
  X509_STORE_CTX *verification = X509_STORE_CTX_new();
  if (cds_ws_tls_new(&context, &failure, &plain, &err) != CDS_OK || !cds_ws_tls_expect(context, host) ||
      X509_STORE_add_cert(trusted, certificate) != 1 ||
      X509_STORE_CTX_init(verification, trusted, certificate, NULL) != 1 ||
      X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(verification), SSL_CTX_get0_param(context)) != 1)
    exit(1);
  (void)X509_verify_cert(verification);
  int error = X509_STORE_CTX_get_error(verification);
  X509_STORE_CTX_free(verification);
  X509_STORE_free(trusted);
  X509_free(certificate);
  EVP_PKEY_free(key);
  SSL_CTX_free(context);
  return error;
}

/* The alert's number is the same in every OpenSSL, its words are not. */
static void test_no_protocol(void) {
  is_string(cds_ws_tls_reason(X509_V_OK, ERR_PACK(ERR_LIB_SSL, 0, 1120)),
            "the server accepts no application protocol that was offered (ALPN)", "a refused ALPN, in words of ours");
  is_string(cds_ws_tls_reason(X509_V_ERR_CERT_HAS_EXPIRED, ERR_PACK(ERR_LIB_SSL, 0, 1120)), "certificate has expired",
            "a certificate's fault comes first");
  is_string(cds_ws_tls_reason(X509_V_OK, 0), "", "nothing, of nothing");
}

/* Which of OpenSSL's errors is kept as the reason why a handshake failed. */
static void test_noted(void) {
  static const struct cds_tls plain;
  const unsigned long code = ERR_PACK(ERR_LIB_SSL, 0, 1120);
  unsigned long failure = 0;
  SSL_CTX *context = NULL;
  struct cds_error err = {0};
  ok(cds_ws_tls_new(&context, &failure, &plain, &err) == CDS_OK, "settings");
  SSL *connection = SSL_new(context);
  void (*note)(const SSL *, int, int) = SSL_CTX_get_info_callback(context);
  note(connection, SSL_CB_CONNECT_EXIT, -1);
  is_number(failure, 0, "a handshake that waits has no error");
  ERR_put_error(ERR_LIB_SSL, 0, 1120, __FILE__, __LINE__);
  note(connection, SSL_CB_CONNECT_LOOP, -1);
  note(connection, SSL_CB_CONNECT_EXIT, 1);
  is_number(failure, 0, "nor one that goes on, or ended well");
  note(connection, SSL_CB_CONNECT_EXIT, 0);
  is_number(failure, code, "one that failed has");
  failure = 0;
  note(connection, SSL_CB_CONNECT_EXIT, -1);
  is_number(failure, code, "in either way");
  ERR_clear_error();
  note(connection, SSL_CB_CONNECT_EXIT, -1);
  is_number(failure, code, "which is kept");
  SSL_free(connection);
  SSL_CTX_free(context);
}

int main(void) {
  test_noted();
  test_no_protocol();
  is_number(verdict("feeds.test.example", "feeds.test.example"), X509_V_OK, "its own name");
  is_number(verdict("other.test.example", "feeds.test.example"), X509_V_ERR_HOSTNAME_MISMATCH, "not another's");
  is_number(verdict("*.test.example", "feeds.test.example"), X509_V_OK, "any one label, for a whole one");
  is_number(verdict("f*.test.example", "feeds.test.example"), X509_V_ERR_HOSTNAME_MISMATCH, "not for part of a label");
  is_number(verdict("*s.test.example", "feeds.test.example"), X509_V_ERR_HOSTNAME_MISMATCH, "neither its beginning");
  return done();
}
