/* SPDX-License-Identifier: MIT
 * Many frames in one TLS record: all of them are read at once, though the socket tells of bytes only once. */
#include "tap.h"

#include <openssl/ssl.h>

#include "certificate.h"
#include "net/ws.h"
#include "ws_server.h"

#define FRAMES 200
#define PAYLOAD 64 /* bytes of each; all frames fit one record, which has 16 KiB */

/* ---- a server that writes one record ---- */

static SSL_CTX *server_tls(void) {
  EVP_PKEY *key = NULL;
  X509 *certificate = certificate_for("localhost", &key);
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  if (tls == NULL || SSL_CTX_use_certificate(tls, certificate) != 1 || SSL_CTX_use_PrivateKey(tls, key) != 1) exit(1);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return tls;
}

static bool read_request(struct ws_server *server, SSL *ssl) {
  size_t used = 0;
  while (used < sizeof server->request - 1) {
    int n = SSL_read(ssl, server->request + used, 1);
    if (n <= 0) return false;
    server->request[++used] = 0;
    if (used >= 4 && memcmp(server->request + used - 4, "\r\n\r\n", 4) == 0) return true;
  }
  return false;
}

/* The answer that ws_upgrade would send, encrypted. */
static bool upgrade(struct ws_server *server, SSL *ssl) {
  char answer[1024];
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return false;
  bool made = ws_upgrade(server, ends[0], "");
  ssize_t length = made ? read(ends[1], answer, sizeof answer) : -1;
  close(ends[0]);
  close(ends[1]);
  return length > 0 && SSL_write(ssl, answer, (int)length) == length;
}

/* The frames of whole messages, or of one message; each payload begins with its number. */
static size_t write_frames(unsigned char *out, bool whole) {
  size_t used = 0;
  for (int i = 0; i < FRAMES; i++) {
    bool first = whole || i == 0, last = whole || i == FRAMES - 1;
    out[used++] = (unsigned char)((last ? 0x80 : 0) | (first ? WS_TEXT : WS_CONTINUATION));
    out[used++] = PAYLOAD;
    snprintf((char *)out + used, PAYLOAD + 1, "%03d %0*d", i, PAYLOAD - 4, 0);
    used += PAYLOAD;
  }
  return used;
}

struct service {
  SSL_CTX *tls;
  bool whole;
  int records; /* that were written */
};

static void serve(struct ws_server *server, int number, int fd) {
  struct service *service = server->context;
  static unsigned char frames[FRAMES * (PAYLOAD + 2) + 1];
  SSL *ssl = SSL_new(service->tls);
  (void)number;
  if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) exit(1);
  if (SSL_accept(ssl) == 1 && read_request(server, ssl) && upgrade(server, ssl)) {
    size_t length = write_frames(frames, service->whole);
    if (length <= SSL3_RT_MAX_PLAIN_LENGTH && SSL_write(ssl, frames, (int)length) == (int)length) service->records++;
    ws_wait_end(fd); /* and nothing else is sent, which could bring up what was left lying */
  }
  SSL_free(ssl);
}

/* ---- the client ---- */

struct client {
  struct cds_ws *ws;
  char seen[FRAMES * PAYLOAD + 1];
  size_t length;
  int messages;
  bool late;
  struct cds_error end;
};

static enum cds_status no_headers(void *context, struct cds_buf *lines, struct cds_error *err) {
  (void)context, (void)lines, (void)err;
  return CDS_OK;
}

static void nothing(void *context) {
  (void)context;
}

static void on_message(void *context, const char *data, size_t length) {
  struct client *client = context;
  if (client->length + length < sizeof client->seen) {
    memcpy(client->seen + client->length, data, length);
    client->length += length;
  }
  client->messages++;
  if (client->length == FRAMES * PAYLOAD) cds_ws_end(client->ws);
}

static void on_closed(void *context, const struct cds_error *err) {
  struct client *client = context;
  client->end = *err;
  cds_ws_end(client->ws);
}

static void on_timer(void *context) {
  struct client *client = context;
  client->late = true;
  cds_ws_end(client->ws);
}

static bool in_order(const struct client *client) {
  for (int i = 0; i < FRAMES; i++)
    if (atoi(client->seen + i * PAYLOAD) != i) return false;
  return client->length == FRAMES * PAYLOAD;
}

static void test_record(SSL_CTX *tls, bool whole, int messages, const char *name) {
  struct service service = {.tls = tls, .whole = whole};
  struct ws_server *server = ws_start(serve, &service);
  struct client client = {0};
  const struct cds_ws_settings settings = {.tls = {.insecure_skip_verify = true},
                                           .proxy = "",
                                           .connect_timeout = WS_IO_TIMEOUT_MS / 1000,
                                           .ping_interval = 3600,
                                           .pong_timeout = 3600,
                                           .max_target = 64};
  const struct cds_ws_handler handler = {.context = &client,
                                         .headers = no_headers,
                                         .opened = nothing,
                                         .message = on_message,
                                         .closed = on_closed,
                                         .timer = on_timer,
                                         .woken = nothing};
  struct cds_url url = {.tls = true, .host = (char *)"localhost", .port = server->port, .base = (char *)""};
  struct cds_error err = {0};
  if (cds_ws_new(&client.ws, &settings, &handler, &err) != CDS_OK) exit(1);
  cds_ws_timer(client.ws, WS_IO_TIMEOUT_MS / 1000);
  cds_ws_connect(client.ws, &url, "/");
  while (cds_ws_service(client.ws)) {}
  cds_ws_free(client.ws);
  ws_stop(server);
  is_number(service.records, 1, "the server wrote one record");
  ok(in_order(&client), "%s: all are there, in order%s", name, client.end.message);
  is_number(client.messages, messages, "as so many messages");
  ok(!client.late, "before anything else came");
}

int main(void) {
  SSL_CTX *tls = server_tls();
  test_record(tls, true, FRAMES, "whole messages");
  test_record(tls, false, 1, "parts of one message");
  SSL_CTX_free(tls);
  return done();
}
