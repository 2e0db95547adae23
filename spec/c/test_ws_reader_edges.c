/* SPDX-License-Identifier: MIT
 * A connection whose frames are read here: bytes that come alone, what was read before, pongs, codes, and what is left
 * of a connection that has ended. */
#include "tap.h"

#include <sys/resource.h>

#include "entries.h"
#include "ws_client.h"

static atomic_int told; /* messages that the client has handed out */

static void count_message(struct ws_client *client, const char *data, size_t length) {
  (void)client, (void)data, (void)length;
  atomic_fetch_add(&told, 1);
}

/* The client has handed out so many messages, and is in the middle of what it has read, or behind it. */
static void wait_told(int count) {
  for (int i = 0; i < WS_IO_TIMEOUT_MS && atomic_load(&told) < count; i++) poll(NULL, 0, 1);
}

static void run(struct ws_client *client, ws_serve *serve, void *context) {
  struct ws_server *server = ws_start(serve, context);
  atomic_store(&told, 0);
  if (client->on_message == NULL) client->on_message = count_message;
  ws_client_run(client, server, false);
  ws_stop(server);
}

/* The handshake, and the client's first ping: it has read the answer alone, and reads by itself. */
static bool begin(struct ws_server *server, int fd) {
  struct ws_frame ping;
  return ws_accept(server, fd) && ws_read_frame(fd, &ping) && ping.opcode == WS_PING;
}

#define SEND(fd, text) ws_send_raw(fd, text, sizeof text - 1)

/* ---- what is read ---- */

static void serve_pieces(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!begin(server, fd)) return;
  SEND(fd, "\x81\x05one, \x81\x03"
           "tw"); /* the next byte comes alone */
  wait_told(1);
  SEND(fd, "o");
  wait_told(2);
  SEND(fd, "\x81"); /* so does each of a head */
  poll(NULL, 0, 5);
  SEND(fd, "\x01!");
  ws_wait_end(fd);
}

static void test_pieces(void) {
  struct ws_client client = {.expected = 9, .pings_at_once = true};
  run(&client, serve_pieces, NULL);
  is_string(client.seen, "one, two!", "a byte that comes alone is read");
  ok(!client.is_late && client.messages == 3, "in time");
}

/* Behind what one read brought lies what the one before did. */
static void serve_after_large(struct ws_server *server, int number, int fd) {
  static unsigned char large[4 + 8000] = {0x82, 126, 8000 >> 8, 8000 & 255};
  (void)number;
  memset(large + 4, 'x', sizeof large - 4);
  if (!begin(server, fd)) return;
  ws_send_raw(fd, large, sizeof large);
  wait_told(1);
  SEND(fd, "\x82\x01"
           "a\x82\x05he");
  wait_told(2);
  SEND(fd, "llo");
  ws_wait_end(fd);
}

static void test_after_large(void) {
  struct ws_client client = {.expected = 8006, .pings_at_once = true};
  run(&client, serve_after_large, NULL);
  ok(client.messages == 3 && strcmp(client.seen + 8000, "ahello") == 0,
     "what an earlier read brought is not read again");
}

/* More than one turn reads, at once. */
static void serve_much(struct ws_server *server, int number, int fd) {
  static unsigned char all[40 * (4 + 65000)];
  (void)number;
  for (size_t i = 0; i < 40; i++) {
    unsigned char *at = all + i * (4 + 65000);
    at[0] = 0x82, at[1] = 126, at[2] = 65000 >> 8, at[3] = 65000 & 255;
  }
  if (!begin(server, fd)) return;
  ws_send_raw(fd, all, sizeof all);
  if (*(bool *)server->context) return; /* what is in the socket is read after its end */
  ws_wait_end(fd);
}

static size_t much;

static void count_bytes(struct ws_client *client, const char *data, size_t length) {
  (void)data;
  much += length;
  if (much == 40 * 65000) cds_ws_end(client->ws);
}

static void test_much(bool hangs_up) {
  struct ws_client client = {.expected = SIZE_MAX, .pings_at_once = true, .on_message = count_bytes};
  much = 0;
  run(&client, serve_much, &hangs_up);
  is_number((long long)much, 40 * 65000, hangs_up ? "all is read of a peer that has gone" : "all is read");
  ok(client.messages == 40 && !client.is_late, "in order, in time");
}

/* ---- what is answered ---- */

static void serve_pings(struct ws_server *server, int number, int fd) {
  struct ws_frame *pong = server->context;
  (void)number;
  if (!begin(server, fd)) return;
  SEND(fd, "\x89\x00");
  bool answered = ws_read_frame(fd, pong);
  ok(answered && pong->opcode == WS_PONG && pong->length == 0 && pong->masked, "a ping of nothing is answered");
  SEND(fd, "\x89\x7d"); /* the longest, whose payload comes later */
  char payload[125];
  for (size_t i = 0; i < sizeof payload; i++) payload[i] = (char)i;
  ws_send_raw(fd, payload, sizeof payload);
  answered = ws_read_frame(fd, pong);
  ok(answered && pong->opcode == WS_PONG && pong->length == 125 && memcmp(pong->payload, payload, 125) == 0,
     "so is the longest");
  SEND(fd, "\x81\x03"
           "end");
  ws_wait_end(fd);
}

static void test_pings(void) {
  struct ws_frame pong = {0};
  struct ws_client client = {.expected = 3, .pings_at_once = true};
  run(&client, serve_pings, &pong);
  is_string(client.seen, "end", "and reading goes on");
}

static double latency_ms;

static void note_latency(struct ws_client *client, const char *data, size_t length) {
  (void)data, (void)length;
  latency_ms = cds_ws_ping_latency_ms(client->ws);
}

static void serve_pong(struct ws_server *server, int number, int fd) {
  struct ws_frame ping;
  (void)number;
  if (!ws_accept(server, fd) || !ws_read_frame(fd, &ping)) return;
  if (*(bool *)server->context) ws_send(fd, WS_PONG, true, ping.payload, ping.length);
  else SEND(fd, "\x8a\x01x"); /* to nothing that was asked */
  ws_send_message(fd, "end");
  ws_wait_end(fd);
}

static void test_pong(bool is_right) {
  struct ws_client client = {.expected = 3, .pings_at_once = true, .on_message = note_latency};
  latency_ms = -5;
  run(&client, serve_pong, &is_right);
  ok(is_right ? latency_ms >= 0 : latency_ms == -1, "%s: %g ms",
     is_right ? "a pong is taken" : "one that is no answer is not", latency_ms);
}

static void serve_close(struct ws_server *server, int number, int fd) {
  struct ws_frame *answer = server->context;
  (void)number;
  if (!begin(server, fd)) return;
  SEND(fd, "\x88\x02\x03\xe9\x81\x01x"); /* nothing is read behind it */
  if (!ws_read_frame(fd, answer)) answer->opcode = -1;
}

static void test_close_code(void) {
  struct ws_frame answer = {0};
  struct ws_client client = {.expected = SIZE_MAX, .pings_at_once = true};
  run(&client, serve_close, &answer);
  ok(answer.opcode == WS_CLOSE && answer.length == 2 && answer.payload[0] == 0x03 && answer.payload[1] == 0xe9,
     "a close frame of a code alone is answered by this code");
  is_string(client.end.message, "the service closed the connection (1001)", "which is told");
  is_number(client.messages, 0, "what comes behind it is no message");
}

/* ---- what is left of it ---- */

static void go_on_a_while(struct ws_client *client) {
  cds_ws_timer(client->ws, 0.4); /* longer than a peer has to go */
}

static void end_now(struct ws_client *client) {
  cds_ws_end(client->ws);
}

static void test_after_the_end(void) {
  struct ws_frame answer = {0};
  struct ws_client client = {
    .expected = SIZE_MAX, .pings_at_once = true, .on_closed = go_on_a_while, .on_timer = end_now};
  run(&client, serve_close, &answer);
  ok(client.is_closed, "no clock of a connection is left when it has ended");
}

#define TIMES 20

static int ends, descriptors[TIMES];

static void serve_end(struct ws_server *server, int number, int fd) {
  (void)number;
  if (begin(server, fd)) SEND(fd, "\x88\x00");
  ws_attend(fd);
}

static void connect_again(struct ws_client *client) {
  descriptors[ends++] = count_entries("/proc/self/fd");
  if (ends == TIMES) cds_ws_end(client->ws);
  else cds_ws_connect(client->ws, &client->url, "/");
}

static void test_descriptors(void) {
  struct ws_client client = {.expected = SIZE_MAX, .pings_at_once = true, .on_closed = connect_again};
  ends = 0;
  run(&client, serve_end, NULL);
  is_number(ends, TIMES, "one connection after another");
  ok(descriptors[TIMES - 1] < descriptors[0] + TIMES / 2, "leaves no descriptor: %d, then %d", descriptors[0],
     descriptors[TIMES - 1]);
}

/* Where no descriptor is left to watch a connection by, libwebsockets reads it. */
static void serve_without(struct ws_server *server, int number, int fd) {
  struct rlimit *before = server->context;
  struct ws_frame close_frame;
  (void)number;
  if (!ws_read_request(server, fd)) return;
  const struct rlimit none = {6, before->rlim_max}; /* as many as poll() is asked for */
  setrlimit(RLIMIT_NOFILE, &none);
  ws_upgrade(server, fd, "");
  bool pinged = ws_read_frame(fd, &close_frame);
  setrlimit(RLIMIT_NOFILE, before);
  ok(pinged, "the client has begun");
  SEND(fd, "\x81\x02he\x82\x03llo");
  ws_wait_end(fd);
}

static void test_no_descriptor(void) {
  struct rlimit before;
  struct ws_client client = {.expected = 5, .pings_at_once = true};
  if (!ok(getrlimit(RLIMIT_NOFILE, &before) == 0, "there is a limit of descriptors")) return;
  run(&client, serve_without, &before);
  is_string(client.seen, "hello", "without a descriptor to watch it the connection is read as well");
}

int main(void) {
  test_pieces();
  test_after_large();
  test_much(false);
  test_much(true);
  test_pings();
  test_pong(true);
  test_pong(false);
  test_close_code();
  test_after_the_end();
  test_descriptors();
  test_no_descriptor();
  return done();
}
