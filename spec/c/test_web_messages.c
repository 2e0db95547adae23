/* SPDX-License-Identifier: MIT
 * A WebSocket whose peer reads slowly, but does: all messages come, in order, and more in all than may wait at once. */
#define _GNU_SOURCE /* memmem */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"
#include "web/gate.h"
#include "web/server.h"

#define FEED "0x0003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define MESSAGE 60000
#define FRAME (4 + MESSAGE)
#define COUNT 300 /* 18 MB */
#define TURNS 100000

static struct cds_web_server *server;
static int peer;
static char *got;
static size_t length;

static void step(void) {
  bool ready;
  if (cds_web_step(server, NULL, 0, 0, &ready, NULL) != CDS_OK) ok(false, "a step");
}

static void begin(void) {
  static const char text[] = "GET /api/v1/ws?feedIDs=" FEED " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  struct cds_web_gate *gate;
  struct cds_error err;
  if (cds_web_gate_new(&gate, NULL, NULL, &err) != CDS_OK || cds_web_gate_add(gate, FEED, &err) != CDS_OK ||
      cds_web_server_new(&server, "127.0.0.1", 0, gate, &err) != CDS_OK)
    exit(1);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)cds_web_port(server))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(peer, (struct sockaddr *)&to, sizeof to) != 0 ||
      send(peer, text, sizeof text - 1, MSG_NOSIGNAL) != (ssize_t)sizeof text - 1)
    exit(1);
  for (int i = 0; i < TURNS && cds_web_sockets(server) == 0; i++) step();
  is_number((long long)cds_web_sockets(server), 1, "a WebSocket");
}

/* What is there, at most so many bytes. */
static void take(size_t most) {
  ssize_t n = recv(peer, got + length, most, MSG_DONTWAIT);
  if (n > 0) length += (size_t)n;
}

/* Until there are so many bytes behind the handshake's answer. */
static bool has(size_t bytes) {
  const char *head = NULL;
  for (int i = 0; i < TURNS; i++) {
    step();
    take(100000);
    got[length] = 0;
    head = memmem(got, length, "\r\n\r\n", 4);
    if (head != NULL && length - (size_t)(head + 4 - got) >= bytes) return true;
    if (i % 100 == 99) poll(NULL, 0, 1);
  }
  return false;
}

static void test_empty(void) {
  ok(cds_web_tell(server, 0, "", 0) == 1 && cds_web_tell(server, 0, "x", 1) == 1,
     "a message of nothing, and one behind it");
  ok(has(5), "come both");
  ok(memcmp(got + length - 5, "\x82\x00\x82\x01x", 5) == 0, "as they are");
}

static void test_slow(void) {
  char message[MESSAGE];
  size_t before, told = 0, wrong = 0;
  has(0);
  before = length;
  for (int i = 0; i < COUNT; i++) {
    memset(message, i, sizeof message);
    told += cds_web_tell(server, 0, message, sizeof message);
    for (int turn = 0; turn < (i < 30 ? 1 : 4); turn++) { /* some always wait */
      step();
      if (i < COUNT - 30) take(i < 30 ? 1000 : MESSAGE / 2); /* of the last ones nothing, until nobody sends any more */
    }
  }
  is_number((long long)told, COUNT, "one that reads is told all, however much that is");
  ok(has(before - (size_t)((char *)memmem(got, length, "\r\n\r\n", 4) + 4 - got) + (size_t)COUNT * FRAME),
     "all of it comes");
  for (size_t i = 0; i < COUNT; i++) {
    const char *frame = got + before + i * FRAME;
    wrong += memcmp(frame, "\x82\x7e\xea\x60", 4) != 0 || frame[4] != (char)i || frame[FRAME - 1] != (char)i;
  }
  is_number((long long)wrong, 0, "whole and in order");
}

int main(void) {
  got = malloc((size_t)(COUNT + 2) * FRAME + 200000);
  if (got == NULL) return 1;
  begin();
  test_empty();
  test_slow();
  close(peer);
  cds_web_server_free(server);
  free(got);
  return done();
}
