/* SPDX-License-Identifier: MIT
 * Streams against a scripted server: what is asked, and what becomes of the messages. */
#include <fcntl.h>

#include "crypto/hmac.h"
#include "stream_fixture.h"

/* ---- the request ---- */

struct request {
  char target[CDS_MAX_FEEDS * 67 + 128];
  char key[64], timestamp[32], signature[80], agent[64], host[64], extra[32];
  int64_t at_ms;
};

struct requests {
  struct request of[4];
  int drop_before; /* connections up to this number are dropped once open */
};

static void record_request(struct request *request, const struct ws_server *server) {
  const char *target;
  size_t length = ws_target(server, &target);
  snprintf(request->target, sizeof request->target, "%.*s", (int)length, target);
  ws_header(server, "Authorization", request->key, sizeof request->key);
  ws_header(server, "X-Authorization-Timestamp", request->timestamp, sizeof request->timestamp);
  ws_header(server, "X-Authorization-Signature-SHA256", request->signature, sizeof request->signature);
  ws_header(server, "User-Agent", request->agent, sizeof request->agent);
  ws_header(server, "Host", request->host, sizeof request->host);
  ws_header(server, "X-Extra", request->extra, sizeof request->extra);
  request->at_ms = cds_clock_wall_ms();
}

static void serve_recording(struct ws_server *server, int number, int fd) {
  struct requests *requests = server->context;
  if (!ws_read_request(server, fd)) return;
  if (number <= 4) record_request(&requests->of[number - 1], server);
  if (!ws_upgrade(server, fd, "")) return;
  ws_send_message(fd, next_message(1, (uint32_t)number));
  if (number > requests->drop_before) ws_attend(fd);
}

/* from_ms: the attempt began later. */
static bool is_signed(const struct request *request, int64_t from_ms) {
  char expected[65];
  int64_t timestamp = strtoll(request->timestamp, NULL, 10);
  return cds_sign_request(expected, "GET", request->target, "", 0, KEY, SECRET, strlen(SECRET), timestamp) == CDS_OK &&
         strcmp(expected, request->signature) == 0 && timestamp >= from_ms && timestamp <= request->at_ms;
}

static void test_request(void) {
  static struct requests requests;
  struct fixture fixture;
  char host[64];
  begin(&fixture, serve_recording, &requests);
  cds_free(fixture.config.ws[0].base);
  fixture.config.ws[0].base = cds_strdup("/base");
  fixture.config.headers = cds_calloc(1, sizeof *fixture.config.headers);
  fixture.config.headers[0] = (struct cds_header){cds_strdup("X-Extra"), cds_strdup("more")};
  fixture.config.header_count = 1;
  int64_t from_ms = cds_clock_wall_ms();
  open_stream(&fixture, 2);
  is_number(take_in_order(&fixture, NULL, 1, 1), 1, "a report arrives");
  const struct request *request = &requests.of[0];
  is_string(request->target,
            "/base/api/v1/ws?feedIDs=0x0003000000000000000000000000000000000000000000000000000000000001,"
            "0x0003000000000000000000000000000000000000000000000000000000000002",
            "the target has the base path and bare commas");
  is_string(request->key, KEY, "the key is sent");
  ok(is_signed(request, from_ms), "the signature is right for this target and the time sent");
  is_string(request->agent, "chainlink-streams-lua/" CDS_VERSION, "the user agent is sent");
  is_string(request->extra, "more", "so is the extra header");
  snprintf(host, sizeof host, "127.0.0.1:%u", fixture.server->port);
  is_string(request->host, host, "Host names host and port");
  finish(&fixture);
}

static void test_fresh_signatures(void) {
  static struct requests requests = {.drop_before = 2};
  struct fixture fixture;
  begin(&fixture, serve_recording, &requests);
  int64_t from_ms = cds_clock_wall_ms();
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, NULL, 1, 3), 3, "a report from each of three connections");
  const struct request *of = requests.of;
  ok(is_signed(&of[0], from_ms) && is_signed(&of[1], of[0].at_ms) && is_signed(&of[2], of[1].at_ms),
     "each attempt is signed, with a time of its own");
  is_number(stats_of(&fixture).full_reconnects, 2, "two full reconnects");
  is_number(stats_of(&fixture).links[0].reconnect_count, 2, "counted for the connection too");
  finish(&fixture);
}

static void test_many_feeds(size_t count) {
  static struct requests requests;
  struct fixture fixture;
  size_t commas = 0;
  int64_t from_ms = cds_clock_wall_ms();
  begin(&fixture, serve_recording, &requests);
  fixture.config.stream.feeds_per_connection = count;
  open_stream(&fixture, count);
  is_number(take_in_order(&fixture, NULL, 1, 1), 1, "a report arrives");
  for (const char *at = requests.of[0].target; *at != 0; at++) commas += *at == ',';
  ok(commas == count - 1 && is_signed(&requests.of[0], from_ms),
     "a request of %zu feeds, %zu bytes, is whole and signed", count, strlen(requests.of[0].target));
  finish(&fixture);
}

/* ---- messages ---- */

static void serve_many(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!ws_accept(server, fd)) return;
  for (uint32_t i = 0; i < 1000; i++)
    for (unsigned feed = 1; feed <= 3; feed++) {
      const char *text = next_message(feed, i);
      for (int copy = 0; copy < (i % 10 == 0 ? 2 : 1); copy++)
        if (!ws_send(fd, i % 2 ? WS_BINARY : WS_TEXT, true, text, strlen(text))) return;
    }
  ws_attend(fd);
}

static void test_order(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  uint32_t next[4] = {0};
  size_t right = 0;
  begin(&fixture, serve_many, NULL);
  open_stream(&fixture, 3);
  for (size_t i = 0; i < 3000; i++) {
    struct cds_error err = {0};
    struct cds_report *report = next_report(&fixture, NULL, &err);
    if (report == NULL) break;
    unsigned feed = report->feed_id.bytes[31];
    right += report->observations_timestamp == base_time + next[feed]++;
    cds_report_unref(report);
  }
  is_number(right, 3000, "3000 reports of three feeds arrive once, in order per feed");
  WAIT_FOR(&fixture, &seen, stats.deduplicated == 300);
  struct cds_stream_stats stats = stats_of(&fixture);
  is_number(stats.accepted, 3000, "3000 were accepted");
  is_number(stats.gaps + stats.dropped + stats.rejected + stats.decode_errors + stats.out_of_order, 0,
            "and nothing else");
  ok(stats.latency.count == 3000 && stats.latency.min > 0, "their age was measured");
  ok(stats.links[0].bytes_received > 3000 * 1000 && stats.links[0].last_message_time > 0, "bytes and time are known");
  ok(stats.active_connections == 1 && stats.configured_connections == 1, "one connection of one");
  struct cds_feed_id feed = feed_number(2), other = feed_number(9);
  struct cds_report *latest = cds_stream_latest(fixture.stream, &feed);
  ok(latest != NULL && latest->observations_timestamp == base_time + 999, "the latest of a feed is kept");
  cds_report_unref(latest);
  ok(cds_stream_latest(fixture.stream, &other) == NULL, "a feed not asked for has none");
  ok(cds_stream_is_subscribed(fixture.stream), "the stream is subscribed");
  finish(&fixture);
}

static void send_in_pieces(int fd, const char *text, size_t piece) {
  size_t length = strlen(text);
  for (size_t at = 0; at < length; at += piece) {
    size_t part = length - at < piece ? length - at : piece;
    ws_send(fd, at == 0 ? WS_TEXT : WS_CONTINUATION, at + part == length, text + at, part);
  }
}

static void serve_fragments(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!ws_accept(server, fd)) return;
  send_in_pieces(fd, next_message(1, 0), 1);
  ws_send(fd, WS_TEXT, false, "", 0);
  ws_send(fd, WS_PING, true, "hello", 5);
  const char *text = next_message(1, 1);
  ws_send(fd, WS_CONTINUATION, false, text, 10);
  ws_send(fd, WS_CONTINUATION, false, "", 0);
  ws_send(fd, WS_CONTINUATION, true, text + 10, strlen(text) - 10);
  for (const char *at = text = next_message(1, 2); *at != 0;
       at = text + strlen(text)) { /* one frame, a byte at a time */
    size_t length = strlen(text);
    uint8_t head[4] = {0x80 | WS_TEXT, 126, (uint8_t)(length >> 8), (uint8_t)length};
    for (size_t i = 0; i < 4; i++) ws_send_raw(fd, head + i, 1);
    for (size_t i = 0; i < length; i++) ws_send_raw(fd, text + i, 1);
  }
  ws_send_message(fd, next_message(1, 3));
  ws_attend(fd);
}

static void test_fragments(void) {
  struct fixture fixture;
  begin(&fixture, serve_fragments, NULL);
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, NULL, 0, 4), 4, "messages arrive whole, however they were cut");
  is_number(stats_of(&fixture).decode_errors, 0, "with no decode error");
  is_number(stats_of(&fixture).full_reconnects, 0, "on one connection");
  finish(&fixture);
}

static void serve_garbage(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!ws_accept(server, fd)) return;
  ws_send_message(fd, "<html>no</html>");
  ws_send_message(fd, "");
  ws_send_message(fd, "{\"report\":{}}");
  ws_send(fd, WS_BINARY, true, "\xff\xfe\0\1", 4);
  char *cut = strdup(next_message(1, 7));
  cut[strlen(cut) / 2] = 0;
  ws_send_message(fd, cut);
  free(cut);
  ws_send_message(fd, next_message(1, 1));
  ws_send_message(fd, next_message(9, 1));
  ws_send_message(fd, message(1, base_time, (uint32_t)(cds_clock_wall_ms() / 1000) + 2 * CDS_MAX_FUTURE_SECONDS, 0));
  ws_send_message(fd, next_message(1, 2));
  ws_send_message(fd, message(1, base_time + 2, base_time + 2, 1));
  ws_send_message(fd, next_message(1, 1));
  ws_send_message(fd, next_message(1, 0));
  ws_send_message(fd, next_message(1, 5));
  ws_attend(fd);
}

static void test_garbage(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_garbage, NULL);
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, &seen, 1, 2), 2, "good reports arrive between bad messages");
  is_number(take_in_order(&fixture, &seen, 2, 1), 1, "a second report of one second is delivered");
  is_number(take_in_order(&fixture, &seen, 5, 1), 1, "and the one after a gap");
  struct cds_stream_stats stats = stats_of(&fixture);
  is_number(stats.decode_errors, 5, "five messages were not understood");
  is_number(stats.rejected, 2, "a feed not asked for and a far future were rejected");
  is_number(stats.out_of_order, 1, "an old report was out of order");
  is_number(stats.deduplicated, 1, "a late copy is a duplicate");
  is_number(stats.gaps, 1, "one gap");
  is_number(stats.total_received, 7, "seven reports decoded");
  is_number(stats.full_reconnects, 0, "the connection stayed");
  is_number((long long)stats.links[0].messages_received, 13, "all its messages are counted");
  ok(seen.warnings >= 1 && strstr(seen.all_text, "not understood") != NULL, "a warning says so: %s", seen.last_warning);
  finish(&fixture);
}

/* ---- slow readers ---- */

static void serve_flood(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!ws_accept(server, fd)) return;
  for (uint32_t i = 0; i < 3000; i++)
    if (!ws_send_message(fd, next_message(1, i))) return;
  ws_attend(fd);
}

static void test_block(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  size_t right = 0, most = 0;
  begin(&fixture, serve_flood, NULL);
  fixture.config.stream.queue_size = 8;
  fixture.config.stream.ping_interval = 1;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.queue_length >= 8);
  usleep(2500 * 1000); /* pings rest meanwhile; less than the patience for a slow script */
  for (uint32_t i = 0; i < 3000; i++) {
    size_t waiting = stats_of(&fixture).queue_length;
    most = waiting > most ? waiting : most;
    right += take_in_order(&fixture, &seen, i, 1);
  }
  is_number(right, 3000, "a slow reader gets all 3000 reports in order");
  ok(most <= 9, "the queue never held more than its limit and one (%zu)", most);
  is_number(stats_of(&fixture).dropped, 0, "nothing was dropped");
  is_number(stats_of(&fixture).full_reconnects, 0, "on one connection");
  finish(&fixture);
}

static void test_drop(enum cds_overflow policy, const char *name, size_t expected) {
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_flood, NULL);
  fixture.config.stream.queue_size = 8;
  fixture.config.stream.overflow = policy;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.accepted == 3000);
  is_number(take_in_order(&fixture, &seen, (uint32_t)(3000 - expected), expected), expected, name);
  is_number(stats_of(&fixture).dropped, 3000 - expected, "the others are counted as dropped");
  is_number(stats_of(&fixture).queue_length, 0, "none is left");
  finish(&fixture);
}

/* ---- the descriptor ---- */

static void test_descriptor(void) {
  struct fixture fixture;
  struct cds_report *report;
  struct cds_error err = {0};
  struct seen_events seen = {0};
  begin(&fixture, serve_flood, NULL);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.queue_length == 3000);
  int fd = -1;
  is_number(cds_stream_share_fd(&fd, fixture.stream, &err), CDS_OK, "somebody else may wait for its descriptor");
  ok(fd >= 0 && fd == cds_stream_fd(fixture.stream), "which is the stream's own");
  ok(is_readable(fd, 0), "readable while reports wait");
  is_number(take_in_order(&fixture, &seen, 0, 2999), 2999, "all but one are taken");
  ok(is_readable(fd, 0), "readable while one waits");
  is_number(take_in_order(&fixture, &seen, 2999, 1), 1, "it is taken");
  ok(!is_readable(fd, 0), "quiet when nothing waits");
  is_number(cds_stream_pop(&report, fixture.stream, &err), CDS_POP_EMPTY, "and there is nothing to pop");
  cds_stream_close(fixture.stream);
  ok(is_readable(fd, 0), "readable once the end waits");
  is_number(cds_stream_pop(&report, fixture.stream, &err), CDS_POP_END, "which is popped");
  is_number(err.status, CDS_E_CLOSED, "as closed");
  ok(is_readable(fd, 0), "for ever");
  finish(&fixture);
  ok(fcntl(fd, F_GETFD) < 0, "until the stream is freed");
}

static void test_descriptor_of_closed(void) {
  struct fixture fixture;
  struct cds_error err = {0};
  struct seen_events seen = {0};
  int later = -1;
  begin(&fixture, serve_flood, NULL);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.queue_length == 3000);
  int fd = cds_stream_fd(fixture.stream);
  cds_stream_close(fixture.stream);
  ok(fcntl(fd, F_GETFD) < 0 && cds_stream_fd(fixture.stream) < 0, "a descriptor of its own goes with the close");
  struct cds_error why = wait_end(&fixture, NULL);
  is_number(why.status, CDS_E_CLOSED, "nobody waits then");
  is_number(cds_stream_share_fd(&later, fixture.stream, &err), CDS_OK, "who asks afterwards has another one");
  ok(is_readable(later, 0), "readable, as the end waits");
  finish(&fixture);
  ok(fcntl(later, F_GETFD) < 0, "which goes with the stream");
}

int main(void) {
  test_request();
  test_fresh_signatures();
  test_many_feeds(29);
  test_many_feeds(100);
  test_many_feeds(CDS_MAX_FEEDS);
  test_order();
  test_fragments();
  test_garbage();
  test_block();
  test_drop(CDS_OVERFLOW_LATEST, "only the newest is kept", 1);
  test_drop(CDS_OVERFLOW_DROP_OLDEST, "the newest eight are kept", 8);
  test_descriptor();
  test_descriptor_of_closed();
  return done();
}
