/* SPDX-License-Identifier: MIT
 * The command line's HTTP server: a connection ends where memory does, and the server goes on. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "tap.h"
#include "web/server.h"

#define LIMIT_MS 60000

static int connect_to(const struct cds_web_server *server) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)cds_web_port(server))};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ok(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "a connection is accepted");
  return fd;
}

static bool ask(struct cds_web_server *server, int *fd, struct cds_web_request *request) {
  static const char text[] = "GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 42\r\n\r\n";
  int64_t end = cds_clock_mono_ms() + LIMIT_MS;
  bool ready;
  *fd = connect_to(server);
  ok(send(*fd, text, sizeof text - 1, MSG_NOSIGNAL) == (ssize_t)sizeof text - 1, "a request is sent");
  while (cds_clock_mono_ms() < end)
    if (cds_web_step(server, NULL, 0, 100, &ready, NULL) != CDS_OK || cds_web_take(server, request)) return true;
  return false;
}

/* What comes until the connection ends. */
static size_t read_all(struct cds_web_server *server, int fd, char *out, size_t size) {
  int64_t end = cds_clock_mono_ms() + LIMIT_MS;
  size_t length = 0;
  while (cds_clock_mono_ms() < end && length < size) {
    bool ready;
    if (cds_web_step(server, &fd, 1, 100, &ready, NULL) != CDS_OK || !ready) continue;
    ssize_t n = recv(fd, out + length, size - length, MSG_DONTWAIT);
    if (n <= 0) break;
    length += (size_t)n;
  }
  close(fd);
  return length;
}

static void test_memory(void) {
  struct cds_web_server *server;
  struct cds_error err;
  cds_alloc_fail_after(0);
  is_number(cds_web_server_new(&server, "127.0.0.1", 0, NULL, &err), CDS_E_MEMORY, "without memory there is no server");
  cds_alloc_fail_after(-1);
  cds_web_server_free(server);
}

static void test_requests(void) {
  struct cds_web_server *server;
  struct cds_web_request request, first;
  struct cds_error err;
  char answer[16];
  int fd;
  is_number(cds_web_server_new(&server, "127.0.0.1", 0, NULL, &err), CDS_OK, "a server listens");
  ok(ask(server, &fd, &first), "a request comes in");
  is_string(first.path, "/a b", "its path");
  is_string(first.method, "GET", "its method");
  is_string(first.resume, "42", "its Last-Event-ID");
  ok(!cds_web_take(server, &request), "it is taken once");
  cds_alloc_fail_after(0);
  ok(!cds_web_send(server, first.id, "answer", 6, false), "without memory nothing is sent");
  cds_alloc_fail_after(-1);
  is_number((int)read_all(server, fd, answer, sizeof answer), 0, "and the connection ends");
  ok(!cds_web_send(server, first.id, "answer", 6, false), "of which nothing is known any more");
  ok(ask(server, &fd, &request), "the next request comes in");
  ok(request.id != first.id, "by another name");
  ok(cds_web_send(server, request.id, "ans", 3, true) && cds_web_send(server, request.id, "wer", 3, false), "answered");
  ok(!cds_web_send(server, request.id, "more", 4, false), "what comes behind the end is not sent");
  is_number((int)read_all(server, fd, answer, sizeof answer), 6, "the answer is whole");
  ok(memcmp(answer, "answer", 6) == 0, "and right");
  cds_web_server_free(server);
}

/* Steps that may not wait do not, however many. */
static void test_no_wait(void) {
  struct cds_web_server *server;
  struct cds_error err;
  int64_t begin = cds_clock_mono_ms();
  int good = 0;
  bool ready;
  is_number(cds_web_server_new(&server, "127.0.0.1", 0, NULL, &err), CDS_OK, "a server listens");
  for (int i = 0; i < 100 && cds_clock_mono_ms() - begin < 20000; i++)
    good += cds_web_step(server, NULL, 0, 0, &ready, &err) == CDS_OK && !ready;
  is_number(good, 100, "a hundred steps are made");
  ok(cds_clock_mono_ms() - begin < 20000, "and none of them waits for what the library has to do, half a minute later");
  cds_web_server_free(server);
}

/* Sent piece by piece, and not a byte more. */
static void test_large(void) {
  static char answer[3 * 16384 + 100], got[sizeof answer + 100000];
  struct cds_web_server *server;
  struct cds_web_request request;
  struct cds_error err;
  int fd;
  for (size_t i = 0; i < sizeof answer; i++) answer[i] = (char)(i * 31 % 251);
  is_number(cds_web_server_new(&server, "127.0.0.1", 0, NULL, &err), CDS_OK, "a server listens");
  ok(ask(server, &fd, &request), "a request comes in");
  ok(cds_web_send(server, request.id, answer, sizeof answer, false), "a large answer is taken");
  is_number((long long)read_all(server, fd, got, sizeof got), sizeof answer, "it comes whole");
  ok(memcmp(answer, got, sizeof answer) == 0, "and right");
  cds_web_server_free(server);
}

/* A peer that reads nothing is given up once too much waits for it. */
static void test_slow(void) {
  static char piece[65536], rest[64u << 20];
  struct cds_web_server *server;
  struct cds_web_request request;
  struct cds_error err;
  size_t sent = 0;
  int fd;
  bool ready;
  is_number(cds_web_server_new(&server, "127.0.0.1", 0, NULL, &err), CDS_OK, "a server listens");
  ok(ask(server, &fd, &request), "a request comes in");
  while (sent < (64u << 20) && cds_web_send(server, request.id, piece, sizeof piece, true)) {
    sent += sizeof piece;
    ok(cds_web_step(server, NULL, 0, 0, &ready, &err) == CDS_OK, "a step");
  }
  ok(sent > CDS_WEB_MAX_WAITING && sent < (64u << 20), "the connection takes a while, and no more then");
  ok(read_all(server, fd, rest, sizeof rest) < sent, "what waits for it is given up");
  cds_web_server_free(server);
}

int main(void) {
  test_memory();
  test_requests();
  test_no_wait();
  test_large();
  test_slow();
  return done();
}
