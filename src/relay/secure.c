/* SPDX-License-Identifier: MIT
 * OpenSSL over a socket, which it reaches by send and recv, as its own way of writing may raise SIGPIPE. */
#include "relay/secure.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "net/ws_tls.h"

struct cds_security {
  unsigned refs;
  SSL_CTX *context;
  BIO_METHOD *method;
  unsigned long failure; /* of the handshake that failed last, which the context notes */
};

struct cds_secure {
  struct cds_security *security;
  SSL *ssl;
  int fd;
  int system_error; /* of the socket, the last one */
};

/* ---- the socket, as OpenSSL sees it: which may change errno before it tells of a failure ---- */

static int moved(BIO *bio, struct cds_secure *secure, ssize_t count) {
  BIO_clear_retry_flags(bio);
  secure->system_error = count < 0 ? errno : 0;
  return (int)count;
}

static bool is_for_later(const struct cds_secure *secure) {
  return secure->system_error == EAGAIN || secure->system_error == EWOULDBLOCK || secure->system_error == EINTR;
}

static int put(BIO *bio, const char *data, int length) {
  struct cds_secure *secure = BIO_get_data(bio);
  int count = moved(bio, secure, send(secure->fd, data, (size_t)length, MSG_NOSIGNAL));
  if (is_for_later(secure)) BIO_set_retry_write(bio);
  return count;
}

static int get(BIO *bio, char *data, int size) {
  struct cds_secure *secure = BIO_get_data(bio);
  int count = moved(bio, secure, recv(secure->fd, data, (size_t)size, 0));
  if (is_for_later(secure)) BIO_set_retry_read(bio);
  return count;
}

static long control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* ---- what connections have in common ---- */

enum cds_status cds_security_open(struct cds_security **out, const struct cds_tls *tls, struct cds_error *err) {
  *out = NULL;
  enum cds_status status = cds_tls_check(tls, err);
  if (status != CDS_OK) return status;
  struct cds_security *security = cds_calloc(1, sizeof *security);
  if (!security) return cds_error_set(err, CDS_E_MEMORY, "no memory for TLS");
  security->refs = 1;
  status = cds_ws_tls_new(&security->context, &security->failure, tls, err);
  if (status == CDS_OK) {
    SSL_CTX_set_mode(security->context, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_options(security->context, SSL_OP_NO_RENEGOTIATION);
    security->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket"); /* a process has but 127 types of its own */
    if (!security->method) status = cds_error_set(err, CDS_E_MEMORY, "no memory for TLS");
  }
  if (status != CDS_OK) {
    cds_security_unref(security);
    ERR_clear_error();
    return status;
  }
  BIO_meth_set_write(security->method, put);
  BIO_meth_set_read(security->method, get);
  BIO_meth_set_ctrl(security->method, control);
  *out = security;
  return CDS_OK;
}

void cds_security_unref(struct cds_security *security) {
  if (!security || --security->refs > 0) return;
  SSL_CTX_free(security->context);
  BIO_meth_free(security->method);
  cds_free(security);
}

/* ---- one connection ---- */

static bool is_name(const char *host) {
  return strchr(host, ':') == NULL && host[strspn(host, "0123456789.")] != '\0';
}

static bool prepare(struct cds_secure *secure, const char *host) {
  SSL_CTX *context = secure->security->context;
  if (!cds_ws_tls_expect(context, host)) return false;
  secure->ssl = SSL_new(context);
  if (!secure->ssl) return false;
  BIO *bio = BIO_new(secure->security->method);
  if (!bio) return false;
  BIO_set_data(bio, secure);
  BIO_set_init(bio, 1);
  SSL_set_bio(secure->ssl, bio, bio);
  SSL_set_connect_state(secure->ssl);
  return !is_name(host) || SSL_set_tlsext_host_name(secure->ssl, host) == 1;
}

enum cds_status cds_secure_open(struct cds_secure **out, struct cds_security *security, int fd, const char *host,
                                struct cds_error *err) {
  *out = NULL;
  struct cds_secure *secure = cds_calloc(1, sizeof *secure);
  if (secure) {
    security->refs++;
    secure->security = security;
    secure->fd = fd;
    if (prepare(secure, host)) {
      *out = secure;
      return CDS_OK;
    }
  }
  cds_secure_free(secure);
  ERR_clear_error();
  return cds_error_set(err, CDS_E_MEMORY, "no memory for TLS");
}

void cds_secure_free(struct cds_secure *secure) {
  if (!secure) return;
  SSL_free(secure->ssl);
  cds_security_unref(secure->security);
  cds_free(secure);
}

static void tell(const struct cds_secure *secure, int why, struct cds_error *err) {
  const char *reason = cds_ws_tls_reason(SSL_get_verify_result(secure->ssl), ERR_peek_error());
  if (why == SSL_ERROR_SYSCALL && secure->system_error) reason = strerror(secure->system_error);
  if (*reason) cds_error_set(err, CDS_E_NETWORK, "the connection by TLS ended: %s", reason);
  else cds_error_set(err, CDS_E_NETWORK, "the server ended the connection");
}

/* result: what OpenSSL answered, whose queue of errors was empty before. */
static enum cds_secure_wait judge(const struct cds_secure *secure, int result, struct cds_error *err) {
  if (result > 0) return CDS_SECURE_DONE;
  int why = SSL_get_error(secure->ssl, result);
  enum cds_secure_wait wait = CDS_SECURE_FAILED;
  if (why == SSL_ERROR_WANT_READ) wait = CDS_SECURE_TO_READ;
  else if (why == SSL_ERROR_WANT_WRITE) wait = CDS_SECURE_TO_WRITE;
  else if (why == SSL_ERROR_ZERO_RETURN) wait = CDS_SECURE_ENDED;
  else tell(secure, why, err);
  ERR_clear_error();
  return wait;
}

enum cds_secure_wait cds_secure_handshake(struct cds_secure *secure, struct cds_error *err) {
  ERR_clear_error();
  return judge(secure, SSL_do_handshake(secure->ssl), err);
}

enum cds_secure_wait cds_secure_send(size_t *moved_bytes, struct cds_secure *secure, const void *data, size_t length,
                                     struct cds_error *err) {
  *moved_bytes = 0;
  ERR_clear_error();
  return judge(secure, SSL_write_ex(secure->ssl, data, length, moved_bytes), err);
}

enum cds_secure_wait cds_secure_receive(size_t *moved_bytes, struct cds_secure *secure, void *data, size_t size,
                                        struct cds_error *err) {
  *moved_bytes = 0;
  ERR_clear_error();
  return judge(secure, SSL_read_ex(secure->ssl, data, size, moved_bytes), err);
}
