/* SPDX-License-Identifier: MIT
 * What an owner asks of a ws when there is nothing to do about it: a pause or an end of a connection that is not there
 * yet, a pause that is already; and the clocks that it sets. */
#include "tap.h"

#include "net/ws_attempt.h"
#include "ws_client.h"

/* ---- too soon ---- */

static enum cds_status ask_too_soon(void *context, struct cds_buf *lines, struct cds_error *err) {
  struct ws_client *client = context;
  struct cds_error why;
  (void)lines, (void)err;
  cds_error_set(&why, CDS_E_CONFIG, "too soon");
  cds_ws_pause(client->ws, true);
  cds_ws_drop(client->ws, &why);
  ok(!client->ws->paused, "a connection that is not there yet is not paused");
  return CDS_OK;
}

static void serve_message(struct ws_server *server, int number, int fd) {
  (void)number;
  if (!ws_accept(server, fd)) return;
  ws_send_message(fd, "a");
  ws_wait_end(fd);
}

static void run(struct ws_client *client, ws_serve *serve, void *context,
                enum cds_status (*headers)(void *context, struct cds_buf *lines, struct cds_error *err)) {
  const struct cds_ws_settings settings = {.proxy = "",
                                           .connect_timeout = WS_IO_TIMEOUT_MS / 1000,
                                           .ping_interval = 3600,
                                           .pong_timeout = 3600,
                                           .max_target = 64};
  const struct cds_ws_handler handler = {.context = client,
                                         .headers = headers,
                                         .opened = ws_client_nothing,
                                         .message = ws_client_message,
                                         .closed = ws_client_closed,
                                         .timer = ws_client_timer,
                                         .woken = ws_client_nothing};
  struct ws_server *server = ws_start(serve, context);
  struct cds_error err = {0};
  client->url = (struct cds_url){.host = (char *)"127.0.0.1", .port = server->port, .base = (char *)""};
  if (cds_ws_new(&client->ws, &settings, &handler, &err) != CDS_OK) exit(1);
  cds_ws_timer(client->ws, WS_IO_TIMEOUT_MS / 1000);
  cds_ws_connect(client->ws, &client->url, "/");
  while (cds_ws_service(client->ws)) {}
  cds_ws_free(client->ws);
  ws_stop(server);
}

static void test_too_soon(void) {
  struct ws_client client = {.expected = 1};
  run(&client, serve_message, NULL, ask_too_soon);
  is_string(client.seen, "a", "it comes to stand, and is read");
  ok(!client.is_closed && !client.is_late, "and goes on: %s", client.end.message);
}

/* ---- once more ---- */

static void go_on_reading(struct ws_client *client, const char *data, size_t length) {
  (void)data, (void)length;
  cds_ws_pause(client->ws, false);
}

static void serve_pings(struct ws_server *server, int number, int fd) {
  int *frames = server->context;
  struct ws_frame frame;
  (void)number;
  if (!ws_accept(server, fd)) return;
  ws_send_message(fd, "a");
  ws_send(fd, WS_PING, true, "b", 1);
  if (!ws_read_frame(fd, &frame)) return;
  frames[frame.opcode]++;
  ws_send_message(fd, "c");
  while (ws_read_frame(fd, &frame)) frames[frame.opcode]++;
}

static void test_once_more(void) {
  int frames[16] = {0};
  struct ws_client client = {.expected = 2, .on_message = go_on_reading};
  run(&client, serve_pings, frames, ws_client_headers);
  is_string(client.seen, "ac", "a connection that is not paused goes on");
  ok(frames[WS_PONG] == 1 && frames[WS_CLOSE] == 1, "as if nothing was");
  is_number(frames[WS_PING], 0, "without another ping");
}

/* ---- clocks ---- */

static struct cds_ws *ws;
static int wakes;
static int64_t woken_us, set_us; /* when it was woken, and when the wait was to end; 0: never */

static void on_woken(void *context) {
  (void)context;
  wakes++;
  set_us = ws->wait_sul.list.owner != NULL ? ws->wait_sul.us : 0;
  woken_us = (int64_t)lws_now_usecs();
}

static void begin(void) {
  const struct cds_ws_settings settings = {.proxy = "", .connect_timeout = 60, .ping_interval = 1, .pong_timeout = 1};
  const struct cds_ws_handler handler = {.headers = ws_client_headers, .woken = on_woken};
  struct cds_error err;
  if (cds_ws_new(&ws, &settings, &handler, &err) != CDS_OK) exit(1);
  wakes = 0;
}

/* A timer of so many seconds is set to so many microseconds. */
static void is_set_to(double seconds, int64_t us) {
  int64_t before_us = (int64_t)lws_now_usecs();
  cds_ws_timer(ws, seconds);
  int64_t from = ws->timer_sul.us - us;
  ok(from >= before_us && from <= (int64_t)lws_now_usecs(), "a timer of %g s", seconds);
}

static void waits_for(double seconds, int64_t us) {
  cds_ws_wake(ws);
  int64_t before_us = (int64_t)lws_now_usecs();
  wakes = 0;
  cds_ws_service_for(ws, seconds);
  int64_t from = set_us - us;
  ok(wakes == 1 && from >= before_us && from <= woken_us, "a wait of %g s", seconds);
  ok(ws->wait_sul.list.owner == NULL, "of which nothing is left");
}

static void test_clocks(void) {
  begin();
  is_set_to(2.5, 2500000);
  is_set_to(1e9, 1000000000000000);
  is_set_to(1000000000.5, 1000000000000000);
  is_set_to(5e9, 1000000000000000);
  is_set_to(999999999, 999999999000000);
  is_set_to(1e-6, 1);
  is_set_to(0, 1);
  is_set_to(-3, 1);
  cds_ws_timer(ws, 3600);
  waits_for(2.5, 2500000);
  waits_for(1e9, 1000000000000000);
  waits_for(1000000000.5, 1000000000000000);
  waits_for(5e9, 1000000000000000);
  waits_for(999999999, 999999999000000);
  cds_ws_wake(ws);
  cds_ws_service_for(ws, -1);
  is_number(set_us, 0, "a wait without an end has no clock");
  cds_ws_service_for(ws, 0);
  cds_ws_service_for(ws, 0.001);
  ok(ws->wait_sul.list.owner == NULL, "one of no time, or little, ends");
  cds_ws_free(ws);
}

int main(void) {
  test_too_soon();
  test_once_more();
  test_clocks();
  return done();
}
