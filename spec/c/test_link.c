/* SPDX-License-Identifier: MIT
 * What a stream's connection survives: refusals, losses, silence, and being closed in every state. */
#include <sys/wait.h>

#include "stream_fixture.h"

/* ---- refused handshakes ---- */

struct refusals {
  const char *answer; /* given `times` times; later connections are served */
  int times;
  int64_t refused_at_ms, served_at_ms; /* monotonic; the last */
};

static void serve_refusals(struct ws_server *server, int number, int fd) {
  struct refusals *refusals = server->context;
  if (!ws_read_request(server, fd)) return;
  if (number <= refusals->times) {
    refusals->refused_at_ms = cds_clock_mono_ms();
    ws_send_text_raw(fd, refusals->answer);
    return;
  }
  refusals->served_at_ms = cds_clock_mono_ms();
  ws_upgrade(server, fd, "");
  ws_send_message(fd, next_message(1, 1));
  ws_attend(fd);
}

static void test_final(const char *answer, enum cds_status status, int http_status) {
  struct refusals refusals = {.answer = answer, .times = 1};
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_refusals, &refusals);
  open_stream(&fixture, 1);
  struct cds_error err = wait_end(&fixture, &seen);
  ok(err.status == status && err.http_status == http_status, "%d ends the stream as %s: %s", http_status,
     cds_status_kind(err.status), err.message);
  is_number(atomic_load(&fixture.server->connections), 1, "after one attempt");
  ok(seen.states[CDS_LINK_FAILED] == 1 && seen.states[CDS_LINK_RECONNECTING] == 0, "which is announced");
  struct cds_error again = wait_end(&fixture, &seen);
  is_string(again.message, err.message, "the same error at every later call");
  finish(&fixture);
}

/* What ends the stream after a handshake that is answered so, by a service whose clock is 100 s behind. */
static struct cds_error refused_by_clock(const char *status) {
  char answer[256], date[64];
  time_t server_time = time(NULL) - 100;
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&server_time));
  snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nDate: %s\r\nContent-Length: 0\r\n\r\n", status, date);
  struct refusals refusals = {.answer = answer, .times = 1};
  struct fixture fixture;
  begin(&fixture, serve_refusals, &refusals);
  open_stream(&fixture, 1);
  struct cds_error err = wait_end(&fixture, NULL);
  finish(&fixture);
  return err;
}

static void test_clock_skew(void) {
  struct cds_error err = refused_by_clock("401 Unauthorized");
  ok(err.has_clock_skew && fabs(err.clock_skew - 100) < 30, "the clock's difference is known: %g", err.clock_skew);
  ok(strstr(err.message, "ahead of the service's") != NULL, "and said: %s", err.message);
  err = refused_by_clock("404 Not Found");
  ok(!err.has_clock_skew && strstr(err.message, "clock") == NULL, "but not when it is not to blame: %s", err.message);
}

static void test_retried(const char *name, const char *answer, const char *reason) {
  struct refusals refusals = {.answer = answer, .times = 2};
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_refusals, &refusals);
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, &seen, 1, 1), 1, name);
  ok(strstr(seen.all_text, reason) != NULL, "with the reason: %s", seen.last_reason);
  is_number(seen.states[CDS_LINK_RECONNECTING], 2, "two retries were announced");
  is_number(stats_of(&fixture).full_reconnects, 0, "no reconnect is counted, as nothing had been connected");
  finish(&fixture);
}

static void test_retry_after(void) {
  struct refusals refusals = {.answer = "HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
                              .times = 1};
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_refusals, &refusals);
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, &seen, 1, 1), 1, "429 is retried");
  ok(seen.last_delay == 1, "after the time the service asked for (%g)", seen.last_delay);
  ok(refusals.served_at_ms - refusals.refused_at_ms >= 1000, "in seconds");
  finish(&fixture);
}

/* Nonsense is an hour, and the stream can be closed while it lasts. */
static void test_retry_after_nonsense(const char *value) {
  char answer[256];
  snprintf(answer, sizeof answer, "HTTP/1.1 503 Busy\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", value);
  struct refusals refusals = {.answer = answer, .times = 1};
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_refusals, &refusals);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_RECONNECTING] == 1);
  ok(seen.last_delay == 3600, "Retry-After: %s is taken for an hour (%g s)", value, seen.last_delay);
  finish(&fixture);
}

static void test_max_reconnects(void) {
  struct refusals refusals = {.answer = "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n", .times = 1000};
  struct fixture fixture;
  begin(&fixture, serve_refusals, &refusals);
  fixture.config.stream.max_reconnects = 3;
  open_stream(&fixture, 1);
  struct cds_error err = wait_end(&fixture, NULL);
  ok(err.status == CDS_E_API && err.http_status == 503 && err.retryable, "the last error is the stream's: %s",
     err.message);
  is_number(atomic_load(&fixture.server->connections), 4, "after one attempt and three retries");
  finish(&fixture);
}

/* ---- attempts that lead nowhere ---- */

static void serve_silence(struct ws_server *server, int number, int fd) {
  (void)server, (void)number;
  ws_wait_end(fd);
}

static void serve_wrong_key(struct ws_server *server, int number, int fd) {
  (void)number;
  if (ws_read_request(server, fd))
    ws_send_text_raw(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
  ws_wait_end(fd);
}

static void serve_protocol(struct ws_server *server, int number, int fd) {
  (void)number;
  if (ws_read_request(server, fd) && ws_upgrade(server, fd, "Sec-WebSocket-Protocol: other\r\n")) ws_wait_end(fd);
}

static void serve_drip(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!ws_read_request(server, fd)) return;
  while (ws_send_text_raw(fd, "H")) usleep(20000);
}

static void test_attempt(ws_serve *serve, double timeout, enum cds_status status, const char *name) {
  struct fixture fixture;
  begin(&fixture, serve, NULL);
  fixture.config.stream.max_reconnects = 0;
  fixture.config.connect_timeout = timeout;
  open_stream(&fixture, 1);
  struct cds_error err = wait_end(&fixture, NULL);
  ok(err.status == status, "%s: %s: %s", name, cds_status_kind(err.status), err.message);
  finish(&fixture);
}

/* A port that refuses: it is taken, so that nobody else gets it, but nothing listens. */
static uint16_t unused_port(void) {
  static uint16_t port;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  if (port != 0) return port;
  int holder = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(holder, (struct sockaddr *)&at, sizeof at) != 0 || getsockname(holder, (struct sockaddr *)&at, &length) != 0)
    abort();
  return port = ntohs(at.sin_port);
}

static void test_unreachable(const char *host, const char *expected) {
  struct fixture fixture;
  begin(&fixture, NULL, NULL);
  fixture.config.stream.max_reconnects = 0;
  add_origin(&fixture, host, unused_port(), "");
  open_stream(&fixture, 1);
  struct cds_error err = wait_end(&fixture, NULL);
  ok(err.status == CDS_E_NETWORK && strstr(err.message, expected) != NULL, "NetworkError: %s", err.message);
  finish(&fixture);
}

static void test_failover(void) {
  struct refusals refusals = {.answer = "", .times = 0};
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, NULL, NULL);
  add_origin(&fixture, "127.0.0.1", unused_port(), "");
  fixture.server = ws_start(serve_refusals, &refusals);
  add_origin(&fixture, "127.0.0.1", fixture.server->port, "");
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, &seen, 1, 1), 1, "when the first host refuses, the second is used");
  is_number(seen.states[CDS_LINK_CONNECTING], 2, "at the second attempt");
  finish(&fixture);
}

static void serve_proxy(struct ws_server *server, int number, int fd) {
  char *asked = server->context;
  (void)number;
  if (!ws_read_request(server, fd)) return;
  snprintf(asked, 64, "%.*s", (int)strcspn(server->request, "\r"), server->request);
  ws_send_text_raw(fd, "HTTP/1.1 200 OK\r\n\r\n");
  if (!ws_accept(server, fd)) return;
  ws_send_message(fd, next_message(1, 1));
  ws_attend(fd);
}

static void test_proxy(void) {
  struct fixture fixture;
  char asked[64] = "", proxy[64];
  begin(&fixture, serve_proxy, asked);
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", fixture.server->port);
  cds_free(fixture.config.proxy);
  fixture.config.proxy = cds_strdup(proxy);
  cds_free(fixture.config.ws[0].host);
  fixture.config.ws[0].host = cds_strdup("service.example");
  fixture.config.ws[0].port = 1234;
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, NULL, 1, 1), 1, "a report arrives through a proxy");
  is_string(asked, "CONNECT service.example:1234 HTTP/1.1", "which was asked to connect");
  finish(&fixture);
}

struct late {
  atomic_llong tunnel_ms; /* when the tunnel was there at last */
  atomic_llong signed_ms; /* the request's timestamp */
};

/* Takes a while over the tunnel, so that a signature of before is older than it. */
static void serve_late_proxy(struct ws_server *server, int number, int fd) {
  struct late *late = server->context;
  char timestamp[32];
  (void)number;
  if (!ws_read_request(server, fd)) return;
  int64_t asked_ms = cds_clock_wall_ms();
  while (cds_clock_wall_ms() < asked_ms + 20) poll(NULL, 0, 5);
  atomic_store(&late->tunnel_ms, cds_clock_wall_ms());
  ws_send_text_raw(fd, "HTTP/1.1 200 OK\r\n\r\n");
  if (!ws_read_request(server, fd)) return;
  atomic_store(&late->signed_ms, atoll(ws_header(server, "X-Authorization-Timestamp", timestamp, sizeof timestamp)));
  if (!ws_upgrade(server, fd, "")) return;
  ws_send_message(fd, next_message(1, 1));
  ws_attend(fd);
}

static void test_signed_late(void) {
  struct fixture fixture;
  struct late late = {0};
  char proxy[64];
  begin(&fixture, serve_late_proxy, &late);
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", fixture.server->port);
  cds_free(fixture.config.proxy);
  fixture.config.proxy = cds_strdup(proxy);
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, NULL, 1, 1), 1, "a report arrives after a slow connect");
  ok(atomic_load(&late.signed_ms) >= atomic_load(&late.tunnel_ms), "the request was signed when that had ended");
  finish(&fixture);
}

static void test_dead_proxy(void) {
  struct fixture fixture;
  char proxy[64], expected[96];
  begin(&fixture, NULL, NULL);
  snprintf(proxy, sizeof proxy, "http://user:hunter3@127.0.0.1:%u", unused_port());
  snprintf(expected, sizeof expected, "cannot connect to the proxy 127.0.0.1:%u: refused", unused_port());
  cds_free(fixture.config.proxy);
  fixture.config.proxy = cds_strdup(proxy);
  fixture.config.stream.max_reconnects = 0;
  add_origin(&fixture, "service.example", 1234, "");
  open_stream(&fixture, 1);
  struct cds_error err = wait_end(&fixture, NULL);
  ok(strstr(err.message, expected) != NULL && strstr(err.message, "hunter3") == NULL, "%s", err.message);
  finish(&fixture);
}

/* ---- connections that end ---- */

enum end {
  END_RESET,
  END_FIN,
  END_MID_FRAME,
  END_CLOSE_1001,
  END_CLOSE_1008,
  END_CLOSE_1012,
  END_BAD_FRAME,
  END_COUNT
};

static void end_connection(int fd, enum end how) {
  static const struct {
    const char *bytes;
    size_t length;
  } endings[END_COUNT] = {[END_MID_FRAME] = {"\x81\x7e\x10\x00half", 8},
                          [END_CLOSE_1001] = {"\x88\x02\x03\xe9", 4},
                          [END_CLOSE_1008] = {"\x88\x05\x03\xf0why", 7},
                          [END_CLOSE_1012] = {"\x88\x02\x03\xf4", 4},
                          [END_BAD_FRAME] = {"\xf3\x01x", 3}};
  if (endings[how].bytes != NULL) ws_send_raw(fd, endings[how].bytes, endings[how].length);
  if (how == END_CLOSE_1001 || how == END_CLOSE_1008 || how == END_CLOSE_1012) ws_attend(fd);
  if (how == END_BAD_FRAME) ws_wait_end(fd);
  if (how == END_RESET) ws_reset(fd);
}

/* Each connection repeats the last report of the one before, sends two more and ends in another way. */
static void serve_endings(struct ws_server *server, int number, int fd) {
  if (!ws_accept(server, fd)) return;
  for (int i = 0; i < 3; i++) ws_send_message(fd, next_message(1, (uint32_t)(2 * (number - 1) + i)));
  if (number <= END_COUNT) end_connection(fd, (enum end)(number - 1));
  else ws_attend(fd);
}

static void test_endings(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_endings, NULL);
  open_stream(&fixture, 1);
  /* A reset may overtake what was sent before it, so the first connection's reports may be lost. */
  struct cds_error err = {0};
  struct cds_report *report = next_report(&fixture, &seen, &err);
  uint32_t next = report != NULL ? report->observations_timestamp - base_time + 1 : 0;
  cds_report_unref(report);
  ok(report != NULL && next <= 3, "the first report arrives");
  size_t rest = 2 * END_COUNT + 3 - next;
  is_number(take_in_order(&fixture, &seen, next, rest), rest,
            "whatever ends the connections, the rest arrives once, in order");
  WAIT_FOR(&fixture, &seen, stats.full_reconnects == END_COUNT);
  is_number(seen.states[CDS_LINK_DISCONNECTED], END_COUNT, "each end was announced");
  is_number(seen.states[CDS_LINK_CONNECTED], END_COUNT + 1, "and each new connection");
  ok(strstr(seen.all_text, "closed the connection (1001)") != NULL, "the close code is in the reason");
  ok(strstr(seen.all_text, "closed the connection (1008: why)") != NULL, "so are the service's words");
  is_number(stats_of(&fixture).decode_errors, 0, "no half message was decoded");
  finish(&fixture);
}

static void serve_oversize(struct ws_server *server, int number, int fd) {
  atomic_int *code = server->context;
  if (!ws_accept(server, fd)) return;
  if (number > 1) {
    ws_send_message(fd, next_message(1, 1));
    ws_attend(fd);
    return;
  }
  char *big = calloc(1, CDS_MAX_MESSAGE_BYTES + 1);
  ws_send(fd, WS_TEXT, false, big, CDS_MAX_MESSAGE_BYTES);
  ws_send(fd, WS_CONTINUATION, true, big, 1);
  free(big);
  atomic_store(code, ws_attend(fd));
}

static void test_oversize(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  atomic_int code = 0;
  begin(&fixture, serve_oversize, &code);
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, &seen, 1, 1), 1, "after a message too large there is a new connection");
  is_number(atomic_load(&code), 1009, "the old one was closed with 1009");
  ok(strstr(seen.all_text, "1009") != NULL, "and the reason given: %s", seen.last_reason);
  finish(&fixture);
}

static void serve_a_while(struct ws_server *server, int number, int fd) {
  if (!ws_accept(server, fd)) return;
  ws_send_message(fd, next_message(1, (uint32_t)number));
  if (number > 1) ws_attend(fd);
  else usleep(1200 * 1000); /* longer than it takes to have worked */
}

static void test_immediate_retry(void) {
  struct fixture fixture;
  struct seen_events seen = {.last_delay = -1};
  begin(&fixture, serve_a_while, NULL);
  fixture.config.stream.reconnect_delay = fixture.config.stream.reconnect_max_delay = 1e6;
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, &seen, 1, 2), 2, "a connection that worked is replaced");
  ok(seen.last_delay == 0, "at once");
  finish(&fixture);
}

static void serve_and_end(struct ws_server *server, int number, int fd) {
  (void)number;
  (void)!ws_accept(server, fd);
}

/* Connections that end before they were of any use are attempts that failed: counted, and waited after. */
static void test_no_haste(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_and_end, NULL);
  fixture.config.stream.max_reconnects = 2;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_FAILED] == 1 || seen.states[CDS_LINK_CONNECTED] > 3);
  is_number(seen.states[CDS_LINK_CONNECTED], 3, "connections that end at once are given up like refusals");
  finish(&fixture);

  seen = (struct seen_events){.last_delay = -1};
  begin(&fixture, serve_and_end, NULL);
  fixture.config.stream.reconnect_delay = fixture.config.stream.reconnect_max_delay = 1e6;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_RECONNECTING] >= 1);
  ok(seen.last_delay > 0, "and not made anew at once: %g", seen.last_delay);
  finish(&fixture);
}

/* ---- the heartbeat ---- */

static void serve_frozen(struct ws_server *server, int number, int fd) {
  if (!ws_accept(server, fd)) return;
  ws_send_message(fd, next_message(1, (uint32_t)number));
  if (number > 1) ws_attend(fd);
  else ws_wait_end(fd);
}

static void test_frozen(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_frozen, NULL);
  fixture.config.stream.ping_interval = 1;
  fixture.config.stream.pong_timeout = 2; /* a slow machine's quiet peer must make it */
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, &seen, 1, 2), 2, "a peer that answers no ping is replaced");
  ok(strstr(seen.all_text, "no pong") != NULL, "with the reason: %s", seen.last_reason);
  WAIT_FOR(&fixture, &seen, stats.links[0].ping_latency_ms >= 0);
  WAIT_FOR(&fixture, &seen, stats.links[0].connection_uptime > 3.2);
  is_number(stats_of(&fixture).full_reconnects, 1, "a quiet peer that answers pings is kept");
  finish(&fixture);
}

/* Answers the first connection's pings with pongs that answer nothing. */
static void serve_foreign_pongs(struct ws_server *server, int number, int fd) {
  struct ws_frame frame;
  if (!ws_accept(server, fd)) return;
  ws_send_message(fd, next_message(1, (uint32_t)number));
  if (number > 1) ws_attend(fd);
  else
    while (ws_read_frame(fd, &frame))
      if (frame.opcode == WS_PING) ws_send(fd, WS_PONG, true, "foreign!", 8); /* as long as ours */
}

static void test_foreign_pongs(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_foreign_pongs, NULL);
  fixture.config.stream.ping_interval = fixture.config.stream.pong_timeout = 1;
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, &seen, 1, 2), 2, "a peer whose pongs are not ours is replaced");
  ok(strstr(seen.all_text, "no pong") != NULL, "with the reason: %s", seen.last_reason);
  finish(&fixture);
}

/* ---- the end, in every state ---- */

static void serve_open(struct ws_server *server, int number, int fd) {
  atomic_int *code = server->context;
  (void)number;
  if (ws_accept(server, fd)) atomic_store(code, ws_attend(fd));
}

static void check_closed(struct fixture *fixture, const char *state) {
  struct cds_report *report;
  struct cds_error err = {0};
  cds_stream_close(fixture->stream);
  ok(cds_stream_pop(&report, fixture->stream, &err) == CDS_POP_END && err.status == CDS_E_CLOSED, "closed while %s",
     state);
  cds_stream_close(fixture->stream);
  ok(cds_stream_is_closed(fixture->stream), "and once more");
}

static void test_close_states(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  atomic_int code = 0;
  begin(&fixture, serve_open, &code);
  open_stream(&fixture, 1);
  check_closed(&fixture, "starting");
  finish(&fixture);

  begin(&fixture, serve_silence, NULL);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, atomic_load(&fixture.server->connections) == 1);
  check_closed(&fixture, "waiting for the handshake's answer");
  finish(&fixture);

  begin(&fixture, serve_open, &code);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 1);
  check_closed(&fixture, "connected");
  finish(&fixture);
  is_number(atomic_load(&code), 1000, "the server saw a clean close");

  begin(&fixture, NULL, NULL);
  add_origin(&fixture, "127.0.0.1", unused_port(), "");
  fixture.config.stream.reconnect_delay = fixture.config.stream.reconnect_max_delay = 1e6;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.links[0].state == CDS_LINK_RECONNECTING);
  check_closed(&fixture, "waiting to reconnect");
  finish(&fixture);
}

static void test_lifetimes(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  struct cds_report *report;
  struct cds_error err = {0};
  atomic_int code = 0;
  begin(&fixture, serve_open, &code);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 1);
  cds_client_free(fixture.client);
  fixture.client = NULL;
  ok(cds_stream_is_closed(fixture.stream), "freeing the client closes its streams");
  ok(cds_stream_pop(&report, fixture.stream, &err) == CDS_POP_END && err.status == CDS_E_CLOSED, "which remain usable");
  struct cds_feed_id feed = feed_number(1);
  ok(cds_stream_latest(fixture.stream, &feed) == NULL, "and can be asked");
  finish(&fixture);
}

static void test_fork(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  atomic_int code = 0;
  begin(&fixture, serve_open, &code);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 1);
  int ends[2];
  char answer = 'n';
  if (pipe(ends) != 0) abort();
  pid_t child = fork();
  if (child == 0) {
    struct cds_report *report;
    struct cds_error err = {0};
    bool good = cds_stream_pop(&report, fixture.stream, &err) == CDS_POP_END && err.status == CDS_E_CLOSED &&
                strstr(err.message, "fork") != NULL && !cds_stream_is_subscribed(fixture.stream);
    cds_stream_free(fixture.stream);
    cds_client_free(fixture.client);
    /* Another program, so that no leak check is made of what is left on purpose. */
    if (write(ends[1], good ? "y" : "n", 1) == 1) execlp("true", "true", (char *)NULL);
    _exit(1);
  }
  close(ends[1]);
  ok(read(ends[0], &answer, 1) == 1 && answer == 'y', "in a forked child the stream is over, and can be freed");
  close(ends[0]);
  waitpid(child, NULL, 0);
  ok(stats_of(&fixture).active_connections == 1, "in the parent it goes on");
  finish(&fixture);
}

int main(void) {
  test_final("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", CDS_E_AUTH, 401);
  test_final("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", CDS_E_AUTH, 403);
  test_final("HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", CDS_E_API, 400);
  test_final("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", CDS_E_API, 404);
  test_clock_skew();
  test_retried("503 is retried", "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n", "HTTP 503");
  test_retried("200 is retried", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP 200 without");
  test_retried("302 is not followed but retried",
               "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "redirected");
  test_retried("what is not HTTP is retried", "SSH-2.0-OpenSSH_9\r\n\r\n", "handshake");
  test_retried("a connection closed without an answer is retried", "", "handshake");
  test_retry_after();
  test_retry_after_nonsense("978307200");
  test_retry_after_nonsense("Fri, 31 Dec 9999 23:59:59 GMT");
  test_max_reconnects();
  test_attempt(serve_silence, 0.3, CDS_E_TIMEOUT, "a server that never answers");
  test_attempt(serve_drip, 0.3, CDS_E_TIMEOUT, "an answer that never ends");
  test_attempt(serve_wrong_key, 60, CDS_E_NETWORK, "a wrong accept key");
  test_attempt(serve_protocol, 60, CDS_E_NETWORK, "a protocol not asked for");
  test_unreachable("127.0.0.1", "refused");
  test_unreachable("a-label-of-more-than-sixty-three-characters-which-no-resolver-will-ask-for", "cannot resolve");
  test_failover();
  test_proxy();
  test_dead_proxy();
  test_signed_late();
  test_endings();
  test_oversize();
  test_immediate_retry();
  test_no_haste();
  test_frozen();
  test_foreign_pongs();
  test_close_states();
  test_lifetimes();
  test_fork();
  return done();
}
