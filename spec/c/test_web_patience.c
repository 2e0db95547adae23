/* SPDX-License-Identifier: MIT
 * How long the command line's server waits for a peer, by a monotonic clock that the test sets ahead: whatever asks for
 * the time, libwebsockets too, asks here. */
#define _GNU_SOURCE /* POLLRDHUP */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "web/gate.h"
#include "web/server.h"

#define FEED "0x0003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define UPGRADE                                                                                                        \
  "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                              \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define TURNS 20000 /* a bound for a hang */

static atomic_llong ahead; /* seconds */

/* The program's definition comes before the C library's. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *out) {
  int result = (int)syscall(SYS_clock_gettime, id, out);
  out->tv_sec += (time_t)atomic_load(&ahead);
  return result;
}

static struct cds_web_server *server;

static void begin(struct cds_web_gate *gate) {
  struct cds_error err;
  if (!ok(cds_web_server_new(&server, "127.0.0.1", 0, gate, &err) == CDS_OK, "a server listens")) exit(done());
}

static void steps(int count) {
  bool ready;
  for (int i = 0; i < count; i++)
    if (cds_web_step(server, NULL, 0, 0, &ready, NULL) != CDS_OK) ok(false, "a step");
}

/* Seconds go by, and everything that is due is done. */
static void pass(int seconds) {
  atomic_fetch_add(&ahead, seconds);
  steps(20);
}

static int connect_to_server(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)cds_web_port(server))};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  ok(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "a connection");
  return fd;
}

/* Has the server ended the connection? What it sent before is read. */
static bool is_ended(int fd) {
  char bytes[65536];
  for (;;) {
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got <= 0) return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }
}

/* The same, without reading: whether the server still knows it. */
static bool is_known(const struct cds_web_request *request) {
  return cds_web_send(server, request->id, "", 0, true);
}

static int ask(struct cds_web_request *request) {
  static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  int fd = connect_to_server();
  bool there = false;
  ok(send(fd, text, sizeof text - 1, MSG_NOSIGNAL) == (ssize_t)sizeof text - 1, "a request");
  for (int i = 0; i < TURNS && !there; i++) {
    steps(1);
    there = cds_web_take(server, request);
    if (!there) poll(NULL, 0, 1);
  }
  ok(there, "comes in");
  return fd;
}

static void test_silence(void) {
  begin(NULL);
  int fd = connect_to_server();
  steps(50);
  pass(CDS_WEB_PATIENCE - 1);
  ok(!is_ended(fd), "who says nothing is waited for");
  pass(2);
  for (int i = 0; i < TURNS && !is_ended(fd); i++) {
    steps(1);
    poll(NULL, 0, 1);
  }
  ok(is_ended(fd), "but not for ever");
  close(fd);
  cds_web_server_free(server);
}

/* Of one that reads nothing a piece of the answer is sent, and the next one waits. */
static void test_slow_answer(void) {
  static char large[900000];
  struct cds_web_request request;
  begin(NULL);
  int fd = ask(&request);
  ok(cds_web_send(server, request.id, large, sizeof large, true), "a large answer");
  steps(50);
  pass(CDS_WEB_PATIENCE - 1);
  ok(is_known(&request), "who does not take it is waited for");
  pass(CDS_WEB_PATIENCE - 1);
  ok(is_known(&request), "from what was sent last"); /* by is_known, too */
  pass(CDS_WEB_PATIENCE + 1);
  ok(!is_known(&request), "but not longer");
  close(fd);
  cds_web_server_free(server);
}

static void test_taken_answer(void) {
  char byte[16];
  struct cds_web_request request;
  begin(NULL);
  int fd = ask(&request);
  ok(cds_web_send(server, request.id, "begin", 5, true), "the beginning of an answer");
  steps(50);
  ok(recv(fd, byte, sizeof byte, 0) == 5, "which is taken");
  pass(10 * CDS_WEB_PATIENCE);
  ok(!is_ended(fd), "once all is taken nothing is waited for");
  ok(cds_web_send(server, request.id, "end", 3, false), "more may come at any time");
  steps(50);
  ok(recv(fd, byte, sizeof byte, 0) == 3, "and comes");
  close(fd);
  cds_web_server_free(server);
}

static struct cds_web_gate *new_gate(void) {
  struct cds_web_gate *gate;
  struct cds_error err;
  if (cds_web_gate_new(&gate, NULL, NULL, &err) != CDS_OK || cds_web_gate_add(gate, FEED, &err) != CDS_OK) exit(1);
  return gate;
}

static void test_slow_socket(void) {
  static char message[65536];
  static const char text[] = "GET /api/v1/ws?feedIDs=" FEED " HTTP/1.1\r\n" UPGRADE "\r\n";
  begin(new_gate());
  int fd = connect_to_server();
  ok(send(fd, text, sizeof text - 1, MSG_NOSIGNAL) == (ssize_t)sizeof text - 1, "a WebSocket is asked for");
  for (int i = 0; i < TURNS && cds_web_sockets(server) == 0; i++) {
    steps(1);
    poll(NULL, 0, 1);
  }
  is_number((long long)cds_web_sockets(server), 1, "and is there");
  pass(10 * CDS_WEB_PATIENCE);
  is_number((long long)cds_web_sockets(server), 1, "it may be silent");
  for (int i = 0; i < TURNS && cds_web_tell(server, 0, message, sizeof message) == 1; i++) steps(1);
  is_number((long long)cds_web_sockets(server), 0, "one that reads nothing is given up");
  pass(CDS_WEB_PATIENCE - 1);
  struct pollfd at = {.fd = fd, .events = POLLRDHUP};
  ok(poll(&at, 1, 0) == 0, "it has a while to read why");
  pass(2);
  for (int i = 0; i < TURNS && !is_ended(fd); i++) steps(1);
  ok(is_ended(fd), "then it is ended");
  close(fd);
  cds_web_server_free(server);
}

int main(void) {
  test_silence();
  test_slow_answer();
  test_taken_answer();
  test_slow_socket();
  return done();
}
