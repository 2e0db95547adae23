/* SPDX-License-Identifier: MIT
 * Requests for a WebSocket: how each is refused, to the letter; and what waits for one, for how long, and what is kept. */
#include "base/alloc.h"
#include "blocks.h"
#include "crypto/hmac.h"
#include "web_path.h"

#define TARGET "/api/v1/ws?feedIDs=" FEED
#define UPGRADE(protocol)                                                                                              \
  "Host: x\r\nUpgrade: " protocol "\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                           \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define HEAD "HTTP/1.1 %d Refused\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n"
#define TOO_SLOW "\x88\x0a\x03\xf5too slow"

/* What comes until the connection ends, as a text. */
static size_t hear(int fd, char *out, size_t size) {
  size_t length = 0;
  for (int i = 0; i < TURNS; i++) {
    ssize_t got = recv(fd, out + length, size - 1 - length, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) break;
    if (got > 0) length += (size_t)got;
    else steps(1);
  }
  out[length] = 0;
  close(fd);
  return length;
}

/* ---- refusals ---- */

static void refused(const char *request, int status, const char *reason) {
  char got[1024], expected[1024];
  snprintf(expected, sizeof expected, HEAD "{\"error\":\"%s\"}", status, strlen(reason) + 12, reason);
  hear(say(request), got, sizeof got);
  is_string(got, expected, "it is refused");
  is_number(cds_web_sockets(server), 0, "and there is no WebSocket");
}

static void test_refusals(void) {
  char got[1024];
  begin(new_gate(NULL, 0));
  refused("GET " TARGET "0 HTTP/1.1\r\n" UPGRADE("websocket") "\r\n", 400, "malformed feed id");
  refused("GET /api/v2/ws?feedIDs=" FEED ",0x0003"
          "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
          " HTTP/1.1\r\n" UPGRADE("websocket") "\r\n",
          401, "this relay does not have that feed");
  refused("GET /api/v1/ws HTTP/1.1\r\n" UPGRADE("websocket") "\r\n", 400, "missing feedIDs");
  refused("GET /api/v3/ws?feedIDs=" FEED " HTTP/1.1\r\n" UPGRADE("websocket") "\r\n", 404,
          "there is no WebSocket here");
  hear(say("GET " TARGET "0 HTTP/1.1\r\n" UPGRADE("other") "\r\n"), got, sizeof got);
  ok(strstr(got, "feed id") == NULL, "who wants to become something else is not told of feeds: %.30s", got);
  end();
}

static const char *sign(const char *secret, const char *target) {
  static char text[1024];
  char signature[65];
  long long at_ms = (long long)atomic_load(&now_s) * 1000;
  if (cds_sign_request(signature, "GET", TARGET, "", 0, "key", secret, strlen(secret), at_ms) != CDS_OK) exit(1);
  snprintf(text, sizeof text,
           "GET %s HTTP/1.1\r\n" UPGRADE("websocket") "Authorization: key\r\nX-Authorization-Timestamp: %lld\r\n"
                                                      "X-Authorization-Signature-SHA256: %s\r\n\r\n",
           target, at_ms, signature);
  return text;
}

/* Until there are so many WebSockets. */
static bool has_sockets(size_t count) {
  for (int i = 0; i < TURNS && cds_web_sockets(server) != count; i++) steps(1);
  return cds_web_sockets(server) == count;
}

static void test_signatures(void) {
  begin(new_gate("key", 0));
  refused("GET " TARGET " HTTP/1.1\r\n" UPGRADE("websocket") "\r\n", 400, "missing authorization headers");
  refused(sign("other", TARGET), 401, "signature mismatch");
  refused(sign("secret", "/api/v1/ws?feedIDs="), 401, "signature mismatch");
  int fd = say(sign("secret", TARGET));
  ok(has_sockets(1), "who signs comes in");
  close(fd);
  ok(has_sockets(0), "and goes");
  end();
}

/* Where memory runs out once it was admitted, it ends like any other that is refused. */
static void test_memory(void) {
  static const char text[] = "GET " TARGET " HTTP/1.1\r\n" UPGRADE("websocket") "\r\n";
  bool has_opened = false;
  begin(new_gate(NULL, 0));
  for (int after = 0; after < 20 && !has_opened; after++) {
    int open = open_now(), fd = connect_to_server();
    steps(20);
    is_number(open_now(), open + 2, "a connection");
    cds_alloc_fail_after(after);
    if (write(fd, text, sizeof text - 1) != (ssize_t)sizeof text - 1) ok(false, "a request is sent");
    steps(20);
    cds_alloc_fail_after(-1);
    has_opened = cds_web_sockets(server) == 1;
    is_number(open_now(), open + 1 + has_opened, has_opened ? "it is opened" : "it has ended");
    close(fd);
    ok(has_sockets(0), "there is none");
  }
  ok(has_opened, "with enough memory it is opened");
  end();
}

/* ---- messages ---- */

/* A WebSocket, whose answer has been read. */
static int open_socket(size_t count) {
  char got[1024];
  size_t length = 0;
  int fd = say("GET " TARGET " HTTP/1.1\r\n" UPGRADE("websocket") "\r\n");
  ok(has_sockets(count), "a WebSocket");
  got[0] = 0;
  for (int i = 0; i < TURNS && strstr(got, "\r\n\r\n") == NULL; i++) {
    steps(1);
    length += take(fd, got + length, sizeof got - 1 - length);
    got[length] = 0;
  }
  return fd;
}

static void test_kept(void) {
  begin(new_gate(NULL, 0));
  long before = blocks_alive();
  int fd = open_socket(1);
  is_number(blocks_alive() - before, 1, "which feeds it wants is all that is kept of a request");
  is_number(cds_web_tell(server, 0, "one", 3), 1, "a message");
  is_number(blocks_alive() - before, 2, "waits in a block");
  close(fd);
  ok(has_sockets(0), "it goes");
  is_number(blocks_alive() - before, 0, "and all of it");
  end();
}

/* What was sent makes room where there is none left, however little it was. */
static void test_room(void) {
  enum { MESSAGE = 60000, MANY = CDS_WEB_MAX_MESSAGES / (MESSAGE + 64) };
  static char message[MESSAGE], got[200000];
  size_t told = 0, taken = 0;
  begin(new_gate(NULL, 0));
  int fd = open_socket(1);
  for (int i = 0; i < MANY; i++) told += cds_web_tell(server, 0, message, sizeof message);
  is_number(told, MANY, "as many messages as may wait");
  for (int i = 0; i < TURNS && taken < sizeof got; i++) {
    steps(1);
    taken += take(fd, got, sizeof got - taken);
  }
  is_number(cds_web_tell(server, 0, message, sizeof message), 1, "when a few are read there is room for another");
  is_number(cds_web_tell(server, 0, message, sizeof message), 1, "or two");
  close(fd);
  end();
}

/* For one that waits for nothing. */
static void test_too_long(void) {
  static char message[CDS_WEB_MAX_MESSAGES + 1];
  char got[64];
  for (size_t length = CDS_WEB_MAX_MESSAGES; length <= CDS_WEB_MAX_MESSAGES + 1; length++) {
    begin(new_gate(NULL, 0));
    int fd = open_socket(1);
    is_number(cds_web_tell(server, 0, message, length), 0, "a message that is too long goes nowhere");
    is_number(cds_web_sockets(server), 0, "there is nobody to tell any more");
    is_number(hear(fd, got, sizeof got), 12, "the one that there was hears of it");
    ok(memcmp(got, TOO_SLOW, 12) == 0, "as the one for which it is too much");
    end();
  }
}

/* One that does not read is told for a while, and what waits for it is gone at once. */
static void test_slow(void) {
  static char message[60000];
  begin(new_gate(NULL, 0));
  int fd = open_socket(1), open = open_now(), count = 0;
  long before = 0;
  do {
    before = blocks_alive();
    steps(1);
  } while (count++ < 1000 && cds_web_tell(server, 0, message, sizeof message) == 1);
  ok(count < 1000, "it takes no more");
  is_number(blocks_alive(), before - 1, "what waits is given back");
  steps(20);
  pass(CDS_WEB_PATIENCE - 1);
  is_number(open_now(), open, "it has time to read why");
  pass(1);
  is_number(open_now(), open - 1, "and no more");
  close(fd);
  end();
}

static void test_broken(void) {
  char got[8];
  begin(new_gate(NULL, 0));
  int fd = open_socket(1), open = open_now();
  is_number(cds_web_tell(server, 0, "one", 3), 1, "a message");
  steps(20);
  is_number(take(fd, got, sizeof got), 5, "comes");
  of_send = (struct system_fault){.times = 1, .reason = EPIPE};
  is_number(cds_web_tell(server, 0, "two", 3), 1, "another");
  steps(20);
  is_number(of_send.times, 0, "does not");
  is_number(cds_web_sockets(server), 0, "which ends it at once");
  is_number(open_now(), open - 1, "altogether");
  close(fd);
  end();
}

/* ---- waiting ---- */

static int64_t real_ms(void) {
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_rest(void) {
  bool ready, has_waited = false;
  char got[8];
  begin(new_gate(NULL, 0));
  int fd = open_socket(1);
  is_number(cds_web_tell(server, 0, "one", 3), 1, "a message");
  steps(20);
  is_number(take(fd, got, sizeof got), 5, "comes");
  for (int i = 0; i < 200 && !has_waited; i++) {
    pass(i % 2); /* for what libwebsockets has to do at first */
    int64_t before_ms = real_ms();
    if (cds_web_step(server, NULL, 0, 100, &ready, NULL) != CDS_OK) break;
    has_waited = real_ms() - before_ms > 50;
  }
  ok(has_waited, "where nothing waits to be sent a step waits");
  close(fd);
  end();
}

int main(void) {
  test_refusals();
  test_signatures();
  test_memory();
  test_kept();
  test_room();
  test_too_long();
  test_slow();
  test_broken();
  test_rest();
  return done();
}
