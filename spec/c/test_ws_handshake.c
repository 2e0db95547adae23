/* SPDX-License-Identifier: MIT
 * A WebSocket's handshake: what is asked for, byte by byte, and what is told of each answer that is none. The time of
 * day is the test's. */
#include "tap.h"

#include <math.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/limits.h"
#include "net/ws_attempt.h"
#include "ws_client.h"

#define DATE "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
#define DATE_MS INT64_C(1700000000000)

static atomic_llong now_ms = DATE_MS;

/* The program's definition comes before the C library's. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *out) {
  long long ms = atomic_load(&now_ms);
  if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) return (int)syscall(SYS_clock_gettime, id, out);
  *out = (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
  return 0;
}

/* ---- one attempt ---- */

static const char *lines_to_add; /* NULL: making them fails */
static size_t lines_length;
static int send_buffer;

static enum cds_status add_lines(void *context, struct cds_buf *lines, struct cds_error *err) {
  (void)context;
  if (lines_to_add == NULL) return cds_error_set(err, CDS_E_AUTH, "no lines");
  return cds_buf_append(lines, lines_to_add, lines_length);
}

static void on_opened(void *context) {
  struct ws_client *client = context;
  socklen_t size = sizeof send_buffer;
  getsockopt(lws_get_socket_fd(client->ws->wsi), SOL_SOCKET, SO_SNDBUF, &send_buffer, &size);
  cds_ws_end(client->ws);
}

static struct ws_client client;

static void attempt(const char *host, uint16_t port, const char *target, size_t max_target, double seconds) {
  const struct cds_ws_settings settings = {
    .proxy = "", .connect_timeout = seconds, .ping_interval = 3600, .pong_timeout = 3600, .max_target = max_target};
  const struct cds_ws_handler handler = {.context = &client,
                                         .headers = add_lines,
                                         .opened = on_opened,
                                         .message = ws_client_message,
                                         .closed = ws_client_closed,
                                         .timer = ws_client_timer,
                                         .woken = ws_client_nothing};
  struct cds_url url = {.host = (char *)(uintptr_t)host, .port = port, .base = (char *)""};
  struct cds_error err = {0};
  client = (struct ws_client){.expected = SIZE_MAX};
  if (cds_ws_new(&client.ws, &settings, &handler, &err) != CDS_OK) exit(1);
  cds_ws_timer(client.ws, WS_IO_TIMEOUT_MS / 1000);
  cds_ws_connect(client.ws, &url, target);
  while (cds_ws_service(client.ws)) {}
  cds_ws_free(client.ws);
}

static void set_lines(const char *text) {
  lines_to_add = text;
  lines_length = text != NULL ? strlen(text) : 0;
}

/* ---- what is asked for ---- */

static char request[WS_MAX_REQUEST];

static void serve_request(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!ws_accept(server, fd)) return;
  memcpy(request, server->request, sizeof request);
  ws_wait_end(fd);
}

static void asks(const char *target, size_t max_target, const char *lines) {
  struct ws_server *server = ws_start(serve_request, NULL);
  set_lines(lines);
  request[0] = 0;
  attempt("127.0.0.1", server->port, target, max_target, 60);
  ws_stop(server);
  ok(!client.is_closed && !client.is_late, "a connection is opened: %s", client.end.message);
}

static void test_request(void) {
  char host[64];
  asks("/api/v1/ws?feedIDs=0x01,0x02", 100, "X-One: 1\r\nX-Two: 2\r\n");
  ok(strncmp(request, "GET /api/v1/ws?feedIDs=0x01,0x02 HTTP/1.1\r\n", 43) == 0, "its first line is ours: %.60s",
     request);
  ok(strstr(request, "\r\nX-One: 1\r\nX-Two: 2\r\n") != NULL, "so are lines at its end");
  ok(strstr(request, "\r\n\r\n") == request + strlen(request) - 4, "behind which nothing comes");
  ok(strstr(request, "placeholder") == NULL, "and none is left of what was there before");
  snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:");
  ok(strstr(request, host) != NULL, "the host is named");
  asks("/", 1, "");
  ok(strncmp(request, "GET / HTTP/1.1\r\n", 16) == 0, "a target may be shorter than what was there");
  asks("/placeholdez", 12, "X: y\r\n");
  ok(strncmp(request, "GET /placeholdez HTTP/1.1\r\n", 27) == 0, "or as long");
}

/* The socket's buffer takes all of a long request; the kernel doubles what it is asked for. */
static void test_long_request(void) {
  static char target[60001];
  char lines[CDS_WS_HEADER_ROOM + 1];
  memset(target, 'x', sizeof target - 1);
  target[0] = '/';
  asks(target, sizeof target - 1, "X: y\r\n");
  ok(strncmp(request + 4, target, sizeof target - 1) == 0 && strncmp(request + 4 + 60000, " HTTP/1.1\r\n", 11) == 0,
     "a target of 60,000 bytes is whole");
  ok(strstr(request, "\r\nX: y\r\n\r\n") != NULL, "with the lines behind it");
  ok(send_buffer >= 4 * 60000, "the socket has room for it: %d", send_buffer);
  memset(lines, 'y', sizeof lines);
  memcpy(lines, "X: ", 3);
  strcpy(lines + 600, "\r\n");
  asks("/x", 60000, lines);
  ok(strstr(request, lines) != NULL, "long lines are whole, too");
}

/* A short request's socket is left as the system has it; the kernel doubles what it is asked for. */
static void test_buffers(void) {
  const int most = CDS_WS_HEADER_ROOM * 2, own = CDS_WS_HEADER_ROOM + 4096;
  asks("/", 1, "");
  ok(send_buffer != 4 * (own + 1), "its buffer is not ours: %d", send_buffer);
  asks("/", (size_t)(most - own), "");
  ok(send_buffer != 4 * most, "that of a longer one neither: %d", send_buffer);
  asks("/", (size_t)(most - own) + 1, "");
  ok(send_buffer == 4 * (most + 1), "but that of a long one: %d", send_buffer);
}

/* A request of more than was said at first. */
static void is_refused_for_room(struct ws_server *server, size_t lines, size_t target) {
  static char many[CDS_WS_HEADER_ROOM + 1], far[30000];
  memset(many, 'x', lines);
  memset(far, 'x', target);
  memcpy(many, "X: ", 3);
  memcpy(many + lines - 2, "\r\n", 3);
  far[0] = '/', far[target] = 0;
  lines_to_add = many, lines_length = lines;
  attempt("127.0.0.1", server->port, far, 10, 60);
  is_number(client.end.status, CDS_E_NETWORK, "one for which there is no room, too");
  is_string(client.end.message, "the request does not fit libwebsockets' buffer", "which is said");
}

static void test_no_lines(void) {
  struct ws_server *server = ws_start(serve_request, NULL);
  set_lines(NULL);
  attempt("127.0.0.1", server->port, "/", 10, 60);
  is_number(client.end.status, CDS_E_AUTH, "an attempt whose lines cannot be made ends");
  is_string(client.end.message, "no lines", "for that reason");
  is_refused_for_room(server, 20, 25000);
  is_refused_for_room(server, CDS_WS_HEADER_ROOM, 8000);
  ws_stop(server);
  set_lines("");
}

/* ---- answers that are none ---- */

static void serve_answer(struct ws_server *server, int number, int fd) {
  (void)number;
  if (ws_read_request(server, fd)) ws_send_text_raw(fd, server->context);
  ws_wait_end(fd);
}

static void refuse(const char *status_line, const char *lines) {
  char answer[1024];
  snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n%s\r\n", status_line,
           lines);
  struct ws_server *server = ws_start(serve_answer, answer);
  attempt("127.0.0.1", server->port, "/", 10, 60);
  ws_stop(server);
}

static void test_statuses(void) {
  static const struct {
    const char *line;
    int http;
    enum cds_status status;
    bool retryable;
    const char *message;
  } rows[] = {
    {"401 Unauthorized", 401, CDS_E_AUTH, false, "the service refused the credentials or a feed (HTTP 401)"},
    {"403 Forbidden", 403, CDS_E_AUTH, false, "the service refused the credentials or a feed (HTTP 403)"},
    {"400 Bad", 400, CDS_E_API, false, "the service refused the connection (HTTP 400)"},
    {"402 Pay", 402, CDS_E_API, false, "the service refused the connection (HTTP 402)"},
    {"404 None", 404, CDS_E_API, false, "the service refused the connection (HTTP 404)"},
    {"428 Cond", 428, CDS_E_API, false, "the service refused the connection (HTTP 428)"},
    {"429 Many", 429, CDS_E_RATE_LIMIT, true, "the service refused the connection: too many (HTTP 429)"},
    {"430 Other", 430, CDS_E_API, false, "the service refused the connection (HTTP 430)"},
    {"499 Last", 499, CDS_E_API, false, "the service refused the connection (HTTP 499)"},
    {"500 Error", 500, CDS_E_API, true, "the service refused the connection (HTTP 500)"},
    {"503 Busy", 503, CDS_E_API, true, "the service refused the connection (HTTP 503)"},
    {"300 Choice", 300, CDS_E_NETWORK, true, "the service redirected the connection (HTTP 300), which is not followed"},
    {"302 Found", 302, CDS_E_NETWORK, true, "the service redirected the connection (HTTP 302), which is not followed"},
    {"200 OK", 200, CDS_E_NETWORK, true, "the service answered HTTP 200 without a WebSocket upgrade"},
    {"299 OK", 299, CDS_E_NETWORK, true, "the service answered HTTP 299 without a WebSocket upgrade"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    refuse(rows[i].line, "");
    is_string(client.end.message, rows[i].message, rows[i].line);
    is_number(client.end.status, rows[i].status, "its kind");
    is_number(client.end.http_status, rows[i].http, "its status");
    ok(client.end.retryable == rows[i].retryable, "may it be tried again?");
    ok(!client.end.has_retry_after && !client.end.has_clock_skew, "no time is told");
  }
}

static void test_times(void) {
  refuse("429 Many", "Retry-After: 7\r\n");
  ok(client.end.has_retry_after && client.end.retry_after == 7, "it tells when to come again");
  ok(!client.end.has_clock_skew, "but no time");
  atomic_store(&now_ms, DATE_MS + 250);
  refuse("503 Busy", DATE "Retry-After: Tue, 14 Nov 2023 22:13:50 GMT\r\n");
  ok(client.end.has_retry_after && client.end.retry_after == 30, "by a date too, after its own");
  ok(!client.end.has_clock_skew, "the clock is of no matter there");
  refuse("401 Unauthorized", DATE);
  ok(client.end.has_clock_skew && fabs(client.end.clock_skew - 0.25) < 1e-4, "where credentials are refused it is");
  is_string(client.end.message, "the service refused the credentials or a feed (HTTP 401)",
            "without words when it is right");
}

static void test_skew(void) {
  static const struct {
    int64_t ms;
    const char *words;
  } rows[] = {
    {5000, ""},
    {-5000, ""},
    {5001, "; the local clock is 5 s ahead of the service's, which accepts 5 s: set the clock"},
    {-5001, "; the local clock is 5 s behind the service's, which accepts 5 s: set the clock"},
    {3600000, "; the local clock is 3600 s ahead of the service's, which accepts 5 s: set the clock"},
  };
  char expected[300];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    atomic_store(&now_ms, DATE_MS + rows[i].ms);
    refuse("401 Unauthorized", DATE);
    snprintf(expected, sizeof expected, "the service refused the credentials or a feed (HTTP 401)%s", rows[i].words);
    is_string(client.end.message, expected, "in words beyond five seconds");
    ok(client.end.has_clock_skew && fabs(client.end.clock_skew - (double)rows[i].ms / 1000) < 1e-4, "in seconds");
  }
  atomic_store(&now_ms, DATE_MS);
}

static void serve_nothing(struct ws_server *server, int number, int fd) {
  (void)number;
  (void)!ws_read_request(server, fd);
}

static void test_no_answer(void) {
  char expected[200];
  struct ws_server *server = ws_start(serve_nothing, NULL);
  uint16_t port = server->port;
  attempt("127.0.0.1", port, "/", 10, 60);
  ws_stop(server);
  is_number(client.end.status, CDS_E_NETWORK, "an end in place of an answer");
  snprintf(expected, sizeof expected, "the handshake with 127.0.0.1:%u failed (", port);
  ok(strncmp(client.end.message, expected, strlen(expected)) == 0, "is told: %s", client.end.message);
  ok(client.end.retryable && client.end.http_status == 0, "and may be tried again");
  attempt("127.0.0.1", port, "/", 10, 60);
  snprintf(expected, sizeof expected, "cannot connect to 127.0.0.1:%u: refused or unreachable", port);
  is_string(client.end.message, expected, "where nobody listens");
}

/* An upgrade to another request's key. */
static void test_wrong_upgrade(void) {
  char expected[200];
  struct ws_server *server =
    ws_start(serve_answer, (char *)"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
  snprintf(expected, sizeof expected, "the handshake with 127.0.0.1:%u failed (", server->port);
  attempt("127.0.0.1", server->port, "/", 10, 60);
  ws_stop(server);
  ok(client.end.status == CDS_E_NETWORK && client.end.http_status == 0, "a wrong upgrade is none");
  ok(strncmp(client.end.message, expected, strlen(expected)) == 0 && client.end.message[strlen(expected)] != ')',
     "with libwebsockets' reason: %s", client.end.message);
}

static void serve_silence(struct ws_server *server, int number, int fd) {
  (void)number;
  (void)!ws_read_request(server, fd);
  ws_wait_end(fd);
}

static void test_silence(void) {
  char expected[200];
  struct ws_server *server = ws_start(serve_silence, NULL);
  snprintf(expected, sizeof expected, "no connection to 127.0.0.1:%u within 0.3 s", server->port);
  attempt("127.0.0.1", server->port, "/", 10, 0.3);
  ws_stop(server);
  is_number(client.end.status, CDS_E_TIMEOUT, "silence ends an attempt");
  is_string(client.end.message, expected, "with the time it had");
}

int main(void) {
  set_lines("");
  test_request();
  test_long_request();
  test_buffers();
  test_no_lines();
  test_statuses();
  test_times();
  test_skew();
  test_no_answer();
  test_wrong_upgrade();
  test_silence();
  return done();
}
