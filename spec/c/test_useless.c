/* SPDX-License-Identifier: MIT
 * Connections that are up and yet of no use: without reports, or of a script that does not read. */
#include "stream_fixture.h"

static void serve_silence(struct ws_server *server, int number, int fd) {
  if (!ws_accept(server, fd)) return;
  if (number > 1) ws_send_message(fd, next_message(1, 1));
  ws_attend(fd); /* pings are answered */
}

/* The first connection brings messages all along, and no report. */
static void serve_chatter(struct ws_server *server, int number, int fd) {
  if (!ws_accept(server, fd)) return;
  if (number > 1) {
    ws_send_message(fd, next_message(1, 1));
    ws_attend(fd);
  }
  while (number == 1 && ws_send_message(fd, "{\"news\":1}")) poll(NULL, 0, 20);
}

static void test_stale(ws_serve *serve) {
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve, NULL);
  fixture.config.stream.stale_timeout = 0.3;
  open_stream(&fixture, 1);
  is_number((long long)take_in_order(&fixture, &seen, 1, 1), 1, "the second connection brings a report");
  ok(strstr(seen.all_text, "no report for 0.3 s") != NULL, "the first was given up, with the reason");
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_DISCONNECTED] >= 2);
  finish(&fixture);
}

/* More than the socket holds, so that the sender notices. */
static void serve_flood(struct ws_server *server, int number, int fd) {
  if (!ws_accept(server, fd)) return;
  uint32_t first = (uint32_t)(number - 1) * 100000;
  for (uint32_t i = 0; i < 20; i++)
    if (!ws_send_message(fd, next_message(1, first + i))) return;
  ws_wait_end(fd);
}

static void test_slow_script(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  begin(&fixture, serve_flood, NULL);
  fixture.config.stream.queue_size = 8;
  fixture.config.stream.pong_timeout = 1;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_DISCONNECTED] == 1);
  ok(strstr(seen.last_reason, "reads too slowly") != NULL, "the reason: %s", seen.last_reason);
  usleep(300 * 1000); /* many times the reconnect delay */
  take_events(&seen, fixture.stream);
  is_number(atomic_load(&fixture.server->connections), 1, "no new connection while the script does not read");
  size_t waiting = stats_of(&fixture).queue_length;
  ok(waiting >= 8 && waiting <= 20, "memory is bounded: %zu wait", waiting);
  is_number((long long)take_in_order(&fixture, &seen, 0, waiting), (long long)waiting, "what waits is had");
  is_number((long long)take_in_order(&fixture, &seen, 100000, 1), 1, "then a new connection brings more");
  finish(&fixture);
}

int main(void) {
  test_stale(serve_silence);
  test_stale(serve_chatter);
  test_slow_script();
  return done();
}
