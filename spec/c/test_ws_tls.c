/* SPDX-License-Identifier: MIT
 * The names for which a WebSocket's certificate is taken, and the words for a handshake that failed. */
#include "tap.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

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

/* ---- a certificate of ours ---- */

struct own {
  char certificate[32], key[32]; /* files */
};

static FILE *temporary(char *path) {
  strcpy(path, "/tmp/cds-ws-tls-XXXXXX");
  int fd = mkstemp(path);
  FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
  if (file == NULL) exit(1);
  return file;
}

static struct own own_files(void) {
  struct own own = {0};
  EVP_PKEY *key = NULL;
  X509 *certificate = certificate_for("client.test.example", &key);
  FILE *first = temporary(own.certificate), *second = temporary(own.key);
  if (PEM_write_X509(first, certificate) != 1 || PEM_write_PrivateKey(second, key, NULL, NULL, 0, NULL, NULL) != 1)
    exit(1);
  fclose(first), fclose(second);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return own;
}

static enum cds_status loads(const char *certificate, const char *key, struct cds_error *err) {
  const struct cds_tls tls = {.cert_file = certificate, .key_file = key};
  unsigned long failure = 0;
  SSL_CTX *context = NULL;
  enum cds_status status = cds_ws_tls_new(&context, &failure, &tls, err);
  ok((context != NULL) == (status == CDS_OK), "there are settings if it loads");
  SSL_CTX_free(context);
  return status;
}

static void test_own_certificate(void) {
  struct own own = own_files(), other = own_files();
  struct cds_error err = {0};
  char expected[96];
  snprintf(expected, sizeof expected, "client certificate \"%s\" does not load: ", own.certificate);
  ok(loads(own.certificate, own.key, &err) == CDS_OK, "a certificate with its key loads%s", err.message);
  ok(loads(own.certificate, other.key, &err) == CDS_E_CONFIG, "not with another's");
  ok(strncmp(err.message, expected, strlen(expected)) == 0, "as is said: %s", err.message);
  /* OpenSSL takes it, as a context has room for a certificate of each kind. */
  FILE *file = fopen(other.key, "w");
  EVP_PKEY *ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  if (file == NULL || PEM_write_PrivateKey(file, ed25519, NULL, NULL, 0, NULL, NULL) != 1) exit(1);
  fclose(file);
  EVP_PKEY_free(ed25519);
  ok(loads(own.certificate, other.key, &err) == CDS_E_CONFIG, "nor with a key of another kind");
  unlink(own.certificate), unlink(own.key), unlink(other.certificate), unlink(other.key);
}

/* ---- OpenSSL's memory ---- */

static bool no_memory;

static void *allocate(size_t size, const char *file, int line) {
  (void)file, (void)line;
  return no_memory ? NULL : malloc(size);
}

static void *reallocate(void *memory, size_t size, const char *file, int line) {
  (void)file, (void)line;
  return no_memory ? NULL : realloc(memory, size);
}

static void release(void *memory, const char *file, int line) {
  (void)file, (void)line;
  free(memory);
}

static void test_no_memory(void) {
  struct cds_error err = {0};
  no_memory = true;
  enum cds_status status = loads(NULL, NULL, &err);
  no_memory = false;
  ok(status == CDS_E_MEMORY, "without memory there are no settings: %s", err.message);
}

int main(void) {
  if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1) return 1; /* before OpenSSL allocates at all */
  test_noted();
  test_no_protocol();
  test_own_certificate();
  test_no_memory();
  is_number(verdict("feeds.test.example", "feeds.test.example"), X509_V_OK, "its own name");
  is_number(verdict("other.test.example", "feeds.test.example"), X509_V_ERR_HOSTNAME_MISMATCH, "not another's");
  is_number(verdict("*.test.example", "feeds.test.example"), X509_V_OK, "any one label, for a whole one");
  is_number(verdict("f*.test.example", "feeds.test.example"), X509_V_ERR_HOSTNAME_MISMATCH, "not for part of a label");
  is_number(verdict("*s.test.example", "feeds.test.example"), X509_V_ERR_HOSTNAME_MISMATCH, "neither its beginning");
  return done();
}
