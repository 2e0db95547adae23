/* SPDX-License-Identifier: MIT
 * The other end of a connection by TLS, in the test's own thread: it takes its steps in turn with ours and never waits.
 * The test calls peer_setup first, and peer_teardown last. */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "certificate.h"

#define PEER_NAMES "localhost,IP:127.0.0.1,IP:::1" /* that the certificate is for */

static SSL_CTX *peer_context;
static char peer_ca_file[32]; /* the certificate, which is its own authority */
static char peer_asked[64];   /* the name that was asked for last, "" for none */

static int peer_note_name(SSL *ssl, int *alert, void *argument) {
  (void)alert, (void)argument;
  const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  snprintf(peer_asked, sizeof peer_asked, "%s", name != NULL ? name : "");
  return SSL_TLSEXT_ERR_OK;
}

static void peer_setup(void) {
  EVP_PKEY *key = NULL;
  X509 *certificate = certificate_for(PEER_NAMES, &key);
  strcpy(peer_ca_file, "/tmp/cds-peer-XXXXXX");
  int fd = mkstemp(peer_ca_file);
  FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
  peer_context = SSL_CTX_new(TLS_server_method());
  if (file == NULL || PEM_write_X509(file, certificate) != 1 || fclose(file) != 0 || peer_context == NULL ||
      SSL_CTX_use_certificate(peer_context, certificate) != 1 || SSL_CTX_use_PrivateKey(peer_context, key) != 1)
    exit(1);
  SSL_CTX_set_tlsext_servername_callback(peer_context, peer_note_name);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

static void peer_teardown(void) {
  unlink(peer_ca_file);
  SSL_CTX_free(peer_context);
}

/* Over a socket that does not wait and stays the caller's. */
static SSL *peer_new(int fd) {
  SSL *ssl = SSL_new(peer_context);
  if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) exit(1);
  SSL_set_accept_state(ssl);
  return ssl;
}

/* What it can do now of the handshake, or of what is asked of it later. */
static void peer_step(SSL *ssl) {
  (void)SSL_do_handshake(ssl);
  ERR_clear_error();
}

/* Bytes that have come, 0 for none. */
static size_t peer_read(SSL *ssl, char *out, size_t size) {
  size_t length = 0;
  if (SSL_read_ex(ssl, out, size, &length) != 1) length = 0;
  ERR_clear_error();
  return length;
}

static void peer_write(SSL *ssl, const char *text) {
  size_t length = 0;
  if (SSL_write_ex(ssl, text, strlen(text), &length) != 1 || length != strlen(text)) exit(1);
}

#endif
