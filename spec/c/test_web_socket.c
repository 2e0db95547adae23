/* SPDX-License-Identifier: MIT
 * A server with a gate: who may ask it, WebSockets, one whose peer does not read, and the socket of a path. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "crypto/hmac.h"
#include "tap.h"
#include "web/gate.h"
#include "web/server.h"

#define LIMIT_MS 60000
#define FEED_A "0x0003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FEED_B "0x0003bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define FEED_C "0x0003cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define UPGRADE                                                                                                        \
  "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                              \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct cds_web_gate *new_gate(const char *key, const char *secret) {
  struct cds_web_gate *gate;
  struct cds_error err;
  if (cds_web_gate_new(&gate, key, secret, &err) != CDS_OK || cds_web_gate_add(gate, FEED_A, &err) != CDS_OK ||
      cds_web_gate_add(gate, FEED_B, &err) != CDS_OK)
    return NULL;
  return gate;
}

/* ---- the gate alone ---- */

static struct cds_web_credentials sign(const char *target, int64_t shift_ms) {
  struct cds_web_credentials out = {.key = "key"};
  int64_t now = cds_clock_wall_ms() + shift_ms;
  char signature[65];
  snprintf(out.timestamp, sizeof out.timestamp, "%lld", (long long)now);
  ok(cds_sign_request(signature, "GET", target, "", 0, "key", "secret", 6, now) == CDS_OK, "signed");
  memcpy(out.signature, signature, sizeof signature);
  return out;
}

static void test_signatures(void) {
  struct cds_web_gate *gate = new_gate("key", "secret"), *open = new_gate(NULL, NULL);
  struct cds_web_credentials it = sign("/a?b=c,d", 0), none = {.key = ""};
  const char *reason = "";
  is_number(cds_web_gate_check(gate, "GET", "/a?b=c,d", &it, &reason), 0, "a signature is good");
  is_number(cds_web_gate_check(gate, "HEAD", "/a?b=c,d", &it, &reason), 401, "but not for another method");
  is_number(cds_web_gate_check(gate, "GET", "/a?b=c", &it, &reason), 401, "or target");
  is_string(reason, "signature mismatch", "and that is said");
  it = sign("/a?b=c%2Cd%2C", 0);
  is_number(cds_web_gate_check(gate, "GET", "/a?b=c,d,", &it, &reason), 0, "commas may have been escaped");
  it = sign("/a?b=c%2cd", 0);
  is_number(cds_web_gate_check(gate, "GET", "/a?b=c,d", &it, &reason), 0, "in small letters too");
  cds_alloc_fail_after(0);
  is_number(cds_web_gate_check(gate, "GET", "/a?b=c,d", &it, &reason), 401, "without memory nobody comes in");
  cds_alloc_fail_after(-1);
  it = sign("/a", -6000);
  is_number(cds_web_gate_check(gate, "GET", "/a", &it, &reason), 401, "an old one is refused");
  is_string(reason, "timestamp outside of the 5 second window", "for its age");
  it = sign("/a", 0);
  for (char *at = it.signature; *at; at++) *at = (char)(*at >= 'a' ? *at - 32 : *at);
  is_number(cds_web_gate_check(gate, "GET", "/a", &it, &reason), 0, "capital digits are digits");
  strcpy(it.key, "kez");
  is_number(cds_web_gate_check(gate, "GET", "/a", &it, &reason), 401, "another key is refused");
  strcpy(it.timestamp, "1x");
  is_number(cds_web_gate_check(gate, "GET", "/a", &it, &reason), 400, "a time is digits");
  strcpy(it.timestamp, "1");
  it.signature[63] = 0;
  is_number(cds_web_gate_check(gate, "GET", "/a", &it, &reason), 400, "a signature is 64 digits");
  is_number(cds_web_gate_check(gate, "GET", "/a", &none, &reason), 400, "who does not sign is told so");
  is_number(cds_web_gate_check(open, "GET", "/a", &none, &reason), 0, "where nobody has to, everybody may");
  cds_web_gate_free(gate);
  cds_web_gate_free(open);
}

static void is_refused(const struct cds_web_gate *gate, const char *query, int expected, const char *name) {
  const char *reason = "";
  bool *wanted;
  is_number(cds_web_gate_feeds(gate, query, &wanted, &reason), expected, name);
  ok(wanted == NULL && *reason, "with a reason: %s", reason);
}

static void test_feeds(void) {
  struct cds_web_gate *gate = new_gate(NULL, NULL);
  const char *reason;
  bool *wanted;
  struct cds_error err;
  is_number(cds_web_gate_feeds(gate, "x=y&feedIDs=" FEED_B, &wanted, &reason), 0, "a feed is found");
  ok(!wanted[0] && wanted[1], "and that one alone");
  cds_free(wanted);
  is_number(cds_web_gate_feeds(gate, "feedIDs=" FEED_B "," FEED_A "&z=", &wanted, &reason), 0, "so are two");
  ok(wanted[0] && wanted[1], "both");
  cds_free(wanted);
  is_refused(gate, "feedIDs=" FEED_A "," FEED_C, 401, "a feed that is not here is refused");
  is_refused(gate, "feedIDs=" FEED_A ",", 400, "so is an empty one");
  is_refused(gate, "feedIDs=0x12", 400, "one that is none");
  is_refused(gate, "feedIDs=", 400, "an empty list");
  is_refused(gate, "feedID=" FEED_A "&xfeedIDs=1", 400, "and another argument");
  is_number(cds_web_gate_add(gate, "0x12", &err), CDS_E_FEED_ID, "what is no feed id is not added");
  cds_alloc_fail_after(0);
  is_refused(gate, "feedIDs=" FEED_A, 503, "without memory it is for later");
  is_number(cds_web_gate_add(gate, FEED_C, &err), CDS_E_MEMORY, "and nothing is added");
  cds_alloc_fail_after(-1);
  is_number((long long)cds_web_gate_count(gate), 2, "there still are two");
  cds_web_gate_free(gate);
}

static void test_memory(void) {
  for (int after = 0; after < 3; after++) {
    struct cds_web_gate *gate;
    struct cds_error err;
    cds_alloc_fail_after(after);
    is_number(cds_web_gate_new(&gate, "key", "secret", &err), CDS_E_MEMORY, "without memory there is no gate");
    cds_alloc_fail_after(-1);
    ok(gate == NULL, "none at all");
  }
}

/* ---- a server ---- */

static struct cds_web_server *start(struct cds_web_gate *gate) {
  struct cds_web_server *server;
  struct cds_error err;
  is_number(cds_web_server_new(&server, "127.0.0.1", 0, gate, &err), CDS_OK, "a server listens");
  return server;
}

static int connect_to(const struct cds_web_server *server) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)cds_web_port(server))};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  ok(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "a connection is accepted");
  return fd;
}

static void say(int fd, const char *text) {
  ok(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text), "a request is sent");
}

static bool step(struct cds_web_server *server, int fd) {
  bool ready;
  return cds_web_step(server, &fd, 1, 100, &ready, NULL) == CDS_OK && ready;
}

/* Reads until the text is there or the connection ends. -> is the text there? */
static bool read_until(struct cds_web_server *server, int fd, char *out, size_t size, const char *text) {
  int64_t end = cds_clock_mono_ms() + LIMIT_MS;
  size_t length = 0;
  out[0] = 0;
  while (cds_clock_mono_ms() < end && length < size - 1 && !strstr(out, text)) {
    if (!step(server, fd)) continue;
    ssize_t n = recv(fd, out + length, size - 1 - length, MSG_DONTWAIT);
    if (n <= 0) break;
    length += (size_t)n;
    out[length] = 0;
  }
  return strstr(out, text) != NULL;
}

static bool has_sockets(struct cds_web_server *server, size_t count) {
  int64_t end = cds_clock_mono_ms() + LIMIT_MS;
  bool ready;
  while (cds_clock_mono_ms() < end && cds_web_sockets(server) != count)
    ok(cds_web_step(server, NULL, 0, 100, &ready, NULL) == CDS_OK, "a step");
  return cds_web_sockets(server) == count;
}

static void test_refusals(void) {
  static const struct {
    const char *request, *answer;
  } rows[] = {
    {"GET /api/v1/ws?feedIDs=" FEED_C " HTTP/1.1\r\n" UPGRADE "\r\n", "HTTP/1.1 401 "},
    {"GET /api/v1/ws HTTP/1.1\r\n" UPGRADE "\r\n", "HTTP/1.1 400 "},
    {"GET /elsewhere?feedIDs=" FEED_A " HTTP/1.1\r\n" UPGRADE "\r\n", "HTTP/1.1 404 "},
  };
  struct cds_web_server *server = start(new_gate(NULL, NULL));
  char got[1024];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int fd = connect_to(server);
    say(fd, rows[i].request);
    ok(read_until(server, fd, got, sizeof got, "\"}"), "it is answered");
    ok(strncmp(got, rows[i].answer, strlen(rows[i].answer)) == 0, "as refused: %.20s", got);
    close(fd);
  }
  is_number((long long)cds_web_sockets(server), 0, "no WebSocket is there");
  cds_web_server_free(server);
  server = start(NULL);
  int fd = connect_to(server);
  say(fd, rows[0].request);
  ok(!read_until(server, fd, got, sizeof got, "HTTP"), "without a gate none is answered");
  close(fd);
  cds_web_server_free(server);
}

static void test_requests(void) {
  struct cds_web_server *server = start(new_gate("key", "secret"));
  struct cds_web_request request = {.query = "", .target = "", .reason = ""};
  int fd = connect_to(server);
  int64_t end = cds_clock_mono_ms() + LIMIT_MS;
  bool ready, there = false;
  say(fd, "GET /api/v1/reports?feedID=0x01&timestamp=1%2C2 HTTP/1.1\r\nHost: x\r\n\r\n");
  while (!there && cds_clock_mono_ms() < end) {
    ok(cds_web_step(server, NULL, 0, 100, &ready, NULL) == CDS_OK, "a step");
    there = cds_web_take(server, &request);
  }
  is_string(request.path, "/api/v1/reports", "a path");
  is_string(request.query, "feedID=0x01&timestamp=1,2", "and a query, decoded");
  is_string(request.target, "/api/v1/reports?feedID=0x01&timestamp=1,2", "both together");
  is_number(request.refusal, 400, "which is not signed");
  is_string(request.reason, "missing authorization headers", "and that is said");
  close(fd);
  cds_web_server_free(server);
}

static int open_socket(struct cds_web_server *server, const char *path, size_t count) {
  char got[1024], request[1024];
  int fd = connect_to(server);
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" UPGRADE "\r\n", path);
  say(fd, request);
  ok(read_until(server, fd, got, sizeof got, "\r\n\r\n"), "it is answered");
  ok(strncmp(got, "HTTP/1.1 101 ", 13) == 0, "by a WebSocket");
  ok(has_sockets(server, count), "which is known");
  return fd;
}

static void test_messages(void) {
  struct cds_web_server *server = start(new_gate(NULL, NULL));
  char got[64];
  int first = open_socket(server, "/api/v1/ws?feedIDs=" FEED_A, 1);
  int second = open_socket(server, "/api/v2/ws?feedIDs=" FEED_A "%2C" FEED_B, 2);
  is_number((long long)cds_web_tell(server, 0, "one", 3), 2, "a feed's message goes to all that want it");
  is_number((long long)cds_web_tell(server, 1, "two!", 4), 1, "and to nobody else");
  ok(read_until(server, second, got, sizeof got, "two!"), "it comes");
  is_string(got, "\x82\x03one\x82\x04two!", "in order, binary and whole");
  ok(read_until(server, first, got, sizeof got, "one"), "the other one's too");
  is_string(got, "\x82\x03one", "and nothing else");
  close(first);
  ok(has_sockets(server, 1), "the end of one is seen");
  is_number((long long)cds_web_tell(server, 0, "x", 1), 1, "one is left");
  cds_alloc_fail_after(0);
  for (int i = 0; i < 2; i++) (void)cds_web_tell(server, 1, "a message that needs room for itself and for more", 49);
  cds_alloc_fail_after(-1);
  close(second);
  ok(has_sockets(server, 0), "the other one ends");
  cds_web_server_free(server);
}

/* Whatever a request meets, the next one is as good as ever. */
static void test_short_memory(void) {
  struct cds_web_server *server;
  struct cds_web_gate *gate = new_gate("key", "secret");
  struct cds_error err;
  char got[1024];
  cds_alloc_fail_after(0);
  is_number(cds_web_server_new(&server, "127.0.0.1", 0, gate, &err), CDS_E_MEMORY, "without memory there is no server");
  cds_alloc_fail_after(-1);
  cds_web_server_free(server);
  server = start(new_gate(NULL, NULL));
  for (int after = 0; after < 8; after++) {
    int fd = connect_to(server);
    say(fd, "GET /api/v1/ws?feedIDs=" FEED_A " HTTP/1.1\r\n" UPGRADE "\r\n");
    cds_alloc_fail_after(after);
    bool opened = read_until(server, fd, got, sizeof got, " 101 ");
    (void)cds_web_tell(server, 0, "message", 7);
    cds_alloc_fail_after(-1);
    ok(!opened || after > 0, "with %d allocations it is %s", after, opened ? "opened" : "refused");
    close(fd);
    ok(has_sockets(server, 0), "and ends");
  }
  close(open_socket(server, "/api/v1/ws?feedIDs=" FEED_A, 1));
  cds_web_server_free(server);
}

/* Reads all that comes, and keeps the last bytes. */
static void read_to_end(struct cds_web_server *server, int fd, char *last, size_t size, size_t *total) {
  static char piece[65536];
  int64_t end = cds_clock_mono_ms() + LIMIT_MS;
  *total = 0;
  while (cds_clock_mono_ms() < end) {
    if (!step(server, fd)) continue;
    ssize_t n = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
    if (n <= 0) return;
    for (ssize_t i = 0; i < n; i++) {
      memmove(last, last + 1, size - 1);
      last[size - 1] = piece[i];
    }
    *total += (size_t)n;
    if (memcmp(last, "\x88\x0a\x03\xf5too slow", size) == 0) return;
  }
}

static void test_slow(void) {
  static char message[4096];
  struct cds_web_server *server = start(new_gate(NULL, NULL));
  int slow = open_socket(server, "/api/v1/ws?feedIDs=" FEED_A, 1);
  int good = open_socket(server, "/api/v1/ws?feedIDs=" FEED_B, 2);
  size_t sent = 0, total;
  char last[12] = {0};
  while (cds_web_tell(server, 0, message, sizeof message) == 1 && sent < 64u << 20) {
    sent += sizeof message;
    bool ready;
    ok(cds_web_step(server, NULL, 0, 0, &ready, NULL) == CDS_OK, "a step");
  }
  ok(sent >= CDS_WEB_MAX_MESSAGES / 2 && sent < 64u << 20, "a peer that does not read is given up");
  is_number((long long)cds_web_sockets(server), 1, "the other one stays");
  read_to_end(server, slow, last, sizeof last, &total);
  ok(memcmp(last, "\x88\x0a\x03\xf5too slow", sizeof last) == 0, "once it reads it is told why");
  ok(total < sent, "and what waited for it is gone");
  is_number((long long)cds_web_tell(server, 1, "x", 1), 1, "the other one goes on");
  close(slow);
  close(good);
  cds_web_server_free(server);
}

/* ---- the socket of a path ---- */

static int connect_path(const char *path) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  strcpy(to.sun_path, path);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

static enum cds_status try_path(const char *path) {
  struct cds_web_server *server;
  struct cds_error err;
  enum cds_status status = cds_web_server_new(&server, path, CDS_WEB_LOCAL, new_gate(NULL, NULL), &err);
  cds_web_server_free(server);
  return status;
}

static void leave_socket(const char *path) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  strcpy(at.sun_path, path);
  ok(bind(fd, (struct sockaddr *)&at, sizeof at) == 0, "a socket is left behind");
  close(fd);
}

static void test_path(void) {
  char folder[] = "/tmp/cds-web-XXXXXX", path[64], file[64], far[200], got[1024];
  struct cds_web_server *server;
  struct cds_error err;
  struct stat found;
  ok(mkdtemp(folder) != NULL, "a folder");
  snprintf(path, sizeof path, "%s/socket", folder);
  snprintf(file, sizeof file, "%s/file", folder);
  memset(far, 'x', sizeof far - 1);
  far[sizeof far - 1] = 0;
  leave_socket(path);
  is_number(cds_web_server_new(&server, path, CDS_WEB_LOCAL, new_gate(NULL, NULL), &err), CDS_OK, "it is replaced");
  ok(lstat(path, &found) == 0 && (found.st_mode & 0777) == 0600, "by one for its owner alone");
  int fd = connect_path(path);
  say(fd, "GET /api/v1/ws?feedIDs=" FEED_A " HTTP/1.1\r\n" UPGRADE "\r\n");
  ok(read_until(server, fd, got, sizeof got, "\r\n\r\n") && has_sockets(server, 1), "a WebSocket is opened there");
  is_number((long long)cds_web_tell(server, 0, "one", 3), 1, "a message is sent");
  ok(read_until(server, fd, got, sizeof got, "one"), "and comes");
  is_number(try_path(path), CDS_E_NETWORK, "where one listens no other can");
  close(fd);
  cds_web_server_free(server);
  ok(lstat(path, &found) != 0, "it is removed at the end");
  FILE *made = fopen(file, "w");
  ok(made && fclose(made) == 0, "a file");
  is_number(try_path(file), CDS_E_CONFIG, "which is not replaced");
  ok(lstat(file, &found) == 0, "and is there still");
  is_number(try_path(far), CDS_E_CONFIG, "a path may be too long");
  is_number(try_path(""), CDS_E_CONFIG, "or empty");
  snprintf(far, sizeof far, "%s/no/socket", folder);
  is_number(try_path(far), CDS_E_NETWORK, "or lead nowhere");
  ok(unlink(file) == 0 && rmdir(folder) == 0, "all is gone");
}

int main(void) {
  test_signatures();
  test_feeds();
  test_memory();
  test_refusals();
  test_requests();
  test_messages();
  test_short_memory();
  test_slow();
  test_path();
  return done();
}
