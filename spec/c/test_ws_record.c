/* SPDX-License-Identifier: MIT
 * Many frames in one TLS record: all of them are read at once, though the socket tells of bytes only once. And the end
 * of a TLS connection. */
#include "tap.h"

#include <openssl/ssl.h>

#include "certificate.h"
#include "ws_client.h"

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

/* The frames of whole messages, or of one message; each payload begins with its number. */
static size_t write_frames(unsigned char *out, bool whole) {
  size_t used = 0;
  char payload[2 * PAYLOAD];
  for (int i = 0; i < FRAMES; i++) {
    bool first = whole || i == 0, last = whole || i == FRAMES - 1;
    out[used++] = (unsigned char)((last ? 0x80 : 0) | (first ? WS_TEXT : WS_CONTINUATION));
    out[used++] = PAYLOAD;
    snprintf(payload, sizeof payload, "%03d %0*d", i, PAYLOAD, 0);
    memcpy(out + used, payload, PAYLOAD);
    used += PAYLOAD;
  }
  return used;
}

enum place { AFTER_ANSWER, WITH_ANSWER, HALF_WITH_ANSWER }; /* where the frames are */

struct service {
  SSL_CTX *tls;
  bool whole, hangs_up;
  enum place place;
  int records; /* that were written, of those that have frames */
};

static bool write_record(SSL *ssl, const unsigned char *bytes, size_t length) {
  return length <= SSL3_RT_MAX_PLAIN_LENGTH && SSL_write(ssl, bytes, (int)length) == (int)length;
}

/* In one record or two; nothing else is sent, which could bring up what was left lying. */
static void send_all(struct service *service, struct ws_server *server, SSL *ssl) {
  static unsigned char bytes[1024 + FRAMES * (PAYLOAD + 2) + 1];
  size_t answer = ws_answer((char *)bytes, 1024, server, ""),
         all = answer + write_frames(bytes + answer, service->whole);
  size_t first = service->place == AFTER_ANSWER ? answer : service->place == WITH_ANSWER ? all : (answer + all) / 2;
  if (!write_record(ssl, bytes, first)) return;
  service->records += first > answer;
  if (first < all && write_record(ssl, bytes + first, all - first)) service->records++;
}

static void serve(struct ws_server *server, int number, int fd) {
  struct service *service = server->context;
  SSL *ssl = SSL_new(service->tls);
  (void)number;
  if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) exit(1);
  if (SSL_accept(ssl) == 1 && read_request(server, ssl)) {
    send_all(service, server, ssl);
    if (service->hangs_up) shutdown(fd, SHUT_WR); /* without TLS's own farewell, nor a reset */
    ws_wait_end(fd);
  }
  SSL_free(ssl);
}

/* ---- the client ---- */

static bool in_order(const struct ws_client *client) {
  for (int i = 0; i < FRAMES; i++)
    if (atoi(client->seen + i * PAYLOAD) != i) return false;
  return client->length == FRAMES * PAYLOAD;
}

static void test_record(SSL_CTX *tls, bool whole, enum place place, const char *name) {
  struct service service = {.tls = tls, .whole = whole, .place = place};
  struct ws_server *server = ws_start(serve, &service);
  struct ws_client client = {.expected = FRAMES * PAYLOAD};
  ws_client_run(&client, server, true);
  ws_stop(server);
  is_number(service.records, place == HALF_WITH_ANSWER ? 2 : 1, "the server wrote them in that many records");
  ok(in_order(&client), "%s: all are there, in order%s", name, client.end.message);
  is_number(client.messages, whole ? FRAMES : 1, "as so many messages");
  ok(!client.is_late, "before anything else came");
}

static void test_hang_up(SSL_CTX *tls) {
  struct service service = {.tls = tls, .whole = true, .hangs_up = true};
  struct ws_server *server = ws_start(serve, &service);
  struct ws_client client = {.expected = SIZE_MAX};
  ws_client_run(&client, server, true);
  ws_stop(server);
  ok(in_order(&client), "what came before the peer's end is told");
  ok(client.is_closed && !client.is_late, "a peer that hangs up ends the connection");
  is_string(client.end.message, "the connection was lost", "with these words");
}

int main(void) {
  SSL_CTX *tls = server_tls();
  test_record(tls, true, AFTER_ANSWER, "whole messages");
  test_record(tls, false, AFTER_ANSWER, "parts of one message");
  test_record(tls, true, WITH_ANSWER, "whole messages in the handshake's record");
  test_record(tls, false, WITH_ANSWER, "parts of one message in the handshake's record");
  test_record(tls, true, HALF_WITH_ANSWER, "messages that begin in the handshake's record");
  test_record(tls, false, HALF_WITH_ANSWER, "parts of one message that begin in the handshake's record");
  test_hang_up(tls);
  SSL_CTX_free(tls);
  return done();
}
