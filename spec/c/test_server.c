/* SPDX-License-Identifier: MIT
 * The command line's HTTP server: where it listens, how many it takes, what it waits for, and the requests it reads. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "entries.h"
#include "tap.h"
#include "web/server.h"

#define LIMIT_MS 60000 /* for a hang */

static struct cds_web_server *server;

static void begin(void) {
  struct cds_error err;
  if (!ok(cds_web_server_new(&server, "127.0.0.1", 0, NULL, &err) == CDS_OK, "a server listens")) exit(done());
}

static void end(void) {
  cds_web_server_free(server);
}

static bool step(int fd, int64_t wait_ms) {
  struct cds_error err;
  bool ready = false;
  return cds_web_step(server, &fd, fd >= 0, wait_ms, &ready, &err) == CDS_OK && ready;
}

static int connect_to(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

static void ask(int fd, const char *text) {
  if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text)) ok(false, "sent");
}

static bool takes(struct cds_web_request *request) {
  int64_t until_ms = cds_clock_mono_ms() + LIMIT_MS;
  while (cds_clock_mono_ms() < until_ms) {
    if (cds_web_take(server, request)) return true;
    step(-1, 20);
  }
  return false;
}

/* What comes until the connection ends, as a text; false when it does not end. */
static bool hears(int fd, char *out, size_t size) {
  int64_t until_ms = cds_clock_mono_ms() + LIMIT_MS;
  size_t length = 0;
  while (cds_clock_mono_ms() < until_ms) {
    ssize_t got = recv(fd, out + length, size - 1 - length, MSG_DONTWAIT);
    if (got > 0) length += (size_t)got;
    else if (got == 0) break;
    else step(-1, 5);
  }
  out[length] = 0;
  close(fd);
  return cds_clock_mono_ms() < until_ms;
}

/* ---- listening ---- */

static void refused(const char *host, int port, enum cds_status expected, const char *words) {
  struct cds_web_server *none;
  struct cds_error err = {0};
  int open = count_entries("/proc/self/fd");
  is_number(cds_web_server_new(&none, host, port, NULL, &err), expected, "no server there");
  ok(strstr(err.message, words) != NULL, "and why: %s", err.message);
  cds_web_server_free(none);
  is_number(count_entries("/proc/self/fd"), open, "no descriptor is left of it");
}

static void test_addresses(void) {
  char words[80];
  begin();
  end(); /* libwebsockets 4.5 keeps what its first context has: docs/internals.md */
  int open = count_entries("/proc/self/fd");
  begin();
  int port = cds_web_port(server);
  snprintf(words, sizeof words, "cannot listen on 127.0.0.1, port %d: Address already in use", port);
  refused("127.0.0.1", port, CDS_E_NETWORK, words);
  refused("localhost", 0, CDS_E_CONFIG, "'localhost' is no IP address");
  refused("192.0.2.1", 0, CDS_E_NETWORK, "cannot listen on 192.0.2.1, port 0: Cannot assign requested address");
  int fd = connect_to(port);
  ok(fd >= 0, "it listens on that port");
  close(fd);
  end();
  is_number(connect_to(port), -1, "and does no more when it has ended");
  is_number(count_entries("/proc/self/fd"), open, "without a descriptor that is left");
  int input = dup(0);
  close(0);
  begin();
  fd = connect_to(cds_web_port(server));
  ok(fd >= 0, "it may be descriptor 0 that was free");
  close(fd);
  end();
  ok(fcntl(0, F_GETFD) < 0, "which is free again");
  dup2(input, 0);
  close(input);
}

/* ---- connections ---- */

static bool is_closed(int fd) {
  char byte;
  struct pollfd at = {.fd = fd, .events = POLLIN};
  return poll(&at, 1, 0) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

static void test_too_many(void) {
  enum { MANY = CDS_WEB_MAX_CONNECTIONS + 4 };
  int fds[MANY], closed = 0;
  int64_t until_ms = cds_clock_mono_ms() + LIMIT_MS;
  begin();
  for (int i = 0; i < MANY; i++) {
    fds[i] = connect_to(cds_web_port(server));
    step(-1, 0);
  }
  for (; closed < 4 && cds_clock_mono_ms() < until_ms; step(-1, 5)) {
    closed = 0;
    for (int i = 0; i < MANY; i++) closed += is_closed(fds[i]);
  }
  is_number(closed, 4, "those are closed that are too many, and no others");
  for (int i = 0; i < MANY; i++) close(fds[i]);
  struct cds_web_request request;
  for (int i = 0; i < 20; i++) step(-1, 5);
  int fd = connect_to(cds_web_port(server));
  ask(fd, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  ok(takes(&request), "when they have ended there is room again");
  is_string(request.path, "/x", "for this one");
  close(fd);
  end();
}

/* ---- waiting ---- */

static void test_watch(void) {
  int pipes[2];
  begin();
  if (!ok(pipe(pipes) == 0, "something to wait for")) return;
  int open = count_entries("/proc/self/fd");
  bool never = false, always = true;
  for (int i = 0; i < 50; i++) never = never || step(pipes[0], 0);
  ok(!never, "it is not readable");
  ok(write(pipes[1], "x", 1) == 1, "until something is written");
  for (int i = 0; i < 50; i++) always = always && step(pipes[0], LIMIT_MS);
  ok(always, "then it is, each time");
  is_number(count_entries("/proc/self/fd"), open, "no copy of it is left");
  char byte;
  ok(read(pipes[0], &byte, 1) == 1 && !step(pipes[0], 0), "once it is read it is not any more");
  int input = dup(0);
  dup2(pipes[0], 0);
  ok(!step(0, 0) && write(pipes[1], "x", 1) == 1 && step(0, LIMIT_MS), "descriptor 0 is one like others");
  close(0);
  ok(step(pipes[0], LIMIT_MS), "and may be free");
  dup2(input, 0);
  close(input);
  ok(read(pipes[0], &byte, 1) == 1, "read");
  close(pipes[1]);
  ok(step(pipes[0], LIMIT_MS), "its end is told like bytes");
  close(pipes[0]);
  struct cds_error err = {0};
  bool ready = true;
  const int bad = 1000000;
  is_number(cds_web_step(server, &bad, 1, 0, &ready, &err), CDS_E_MEMORY, "what is no descriptor cannot be watched");
  ok(!ready && strstr(err.message, "no descriptor is left") != NULL, "which is said: %s", err.message);
  end();
}

/* Early ones it need not: libwebsockets 4.3 has something to do for the first tenths of a second, now and then. */
static void test_wait(void) {
  begin();
  bool has_waited = false;
  for (int64_t until_ms = cds_clock_mono_ms() + LIMIT_MS; !has_waited && cds_clock_mono_ms() < until_ms;) {
    int64_t before_ms = cds_clock_mono_ms();
    step(-1, 100);
    has_waited = cds_clock_mono_ms() - before_ms > 50;
  }
  ok(has_waited, "a step waits for as long as it may");
  end();
}

/* ---- requests ---- */

static void asked(const char *text, const char *method, const char *path, const char *resume) {
  struct cds_web_request request;
  char answer[64];
  int fd = connect_to(cds_web_port(server));
  ask(fd, text);
  if (!ok(takes(&request), "a request comes in")) return;
  is_string(request.method, method, "its method");
  is_string(request.path, path, "its path");
  is_string(request.resume, resume, "its Last-Event-ID");
  ok(cds_web_send(server, request.id, "answer", 6, false), "it is answered");
  ok(hears(fd, answer, sizeof answer), "and the connection ends");
  is_string(answer, "answer", "with the whole of it");
}

static void test_requests(void) {
  char text[600], path[300];
  memset(path, 'x', sizeof path);
  path[0] = '/';
  begin();
  asked("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/", "");
  asked("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD", "/", "");
  asked("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/a", "");
  asked("HEAD /b?c HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 7\r\n\r\n", "HEAD", "/b", "7");
  path[255] = 0;
  snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 12345678901234567890123\r\n\r\n", path);
  asked(text, "GET", path, "12345678901234567890123");
  path[255] = 'x', path[256] = 0;
  snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 123456789012345678901234\r\n\r\n", path);
  asked(text, "GET", "", "");
  struct cds_error err = {0};
  int port = cds_web_port(server);
  end();
  is_number(cds_web_server_new(&server, "127.0.0.1", port, NULL, &err), CDS_OK, "another may listen there at once");
  end();
}

/* An answer of many pieces, to one that reads slowly; and two at once, which have each their own. */
static void test_answers(void) {
  static char large[900000], got[900001];
  struct cds_web_request one, two;
  char small[8];
  for (size_t i = 0; i < sizeof large; i++) large[i] = (char)('a' + i % 23);
  begin();
  int first = connect_to(cds_web_port(server)), second = connect_to(cds_web_port(server));
  ask(first, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
  ok(takes(&one), "a first request");
  ask(second, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  ok(takes(&two) && one.id != two.id, "and a second");
  is_string(one.path, "/1", "each");
  is_string(two.path, "/2", "by itself");
  ok(cds_web_send(server, one.id, large, 500000, true), "a part of an answer");
  ok(cds_web_send(server, two.id, "two", 3, false), "another's answer");
  ok(hears(second, small, sizeof small) && strcmp(small, "two") == 0, "which need not wait for the first");
  ok(!cds_web_send(server, two.id, "x", 1, false), "and is over");
  ok(cds_web_send(server, one.id, large + 500000, sizeof large - 500000, false), "the rest of the first");
  ok(hears(first, got, sizeof got), "comes");
  ok(strlen(got) == sizeof large && memcmp(got, large, sizeof large) == 0, "whole and in order");
  end();
}

int main(void) {
  test_addresses();
  test_too_many();
  test_watch();
  test_wait();
  test_requests();
  test_answers();
  return done();
}
