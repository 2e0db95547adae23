/* SPDX-License-Identifier: MIT
 * A heartbeat without a connection: what is asked of libwebsockets, whose functions below take the library's places. */
#include "net/ws_heartbeat.h"

#include "base/trace.h"
#include "caught.h"
#include "tap.h"

static char lws_place, wsi_place;
static struct lws_context *const lws = (struct lws_context *)&lws_place;
static struct lws *const wsi = (struct lws *)&wsi_place;

static sul_cb_t due; /* what is to happen; NULL: nothing */
static int64_t due_us;
static int asked_to_write, cancels, deaths, written_result;
static unsigned char written[64];
static size_t written_length;
static int pings;

void lws_sul_schedule(struct lws_context *of, int thread, lws_sorted_usec_list_t *sul, sul_cb_t callback,
                      lws_usec_t delay_us) {
  ok(of == lws && thread == 0 && sul != NULL, "a clock is set");
  due = callback;
  due_us = delay_us;
}

void lws_sul_cancel(lws_sorted_usec_list_t *sul) {
  (void)sul;
  due = NULL;
  cancels++;
}

int lws_callback_on_writable(struct lws *of) {
  ok(of == wsi, "the connection is to be written to");
  return ++asked_to_write;
}

int lws_write(struct lws *of, unsigned char *bytes, size_t length, enum lws_write_protocol kind) {
  ok(of == wsi && (kind & 15) == LWS_WRITE_PING, "a ping is written");
  memcpy(written, bytes, length < sizeof written ? length : sizeof written);
  written_length = length;
  pings++;
  return written_result;
}

static void on_dead(void *context) {
  deaths += context == &deaths;
}

static struct cds_heartbeat heartbeat;

static void begin(int interval, int timeout) {
  due = NULL;
  due_us = -1;
  asked_to_write = cancels = deaths = pings = 0;
  written_result = (int)sizeof heartbeat.number;
  heartbeat = (struct cds_heartbeat){
    .lws = lws, .interval = interval, .timeout = timeout, .dead = on_dead, .context = &deaths, .latency_ms = 7};
  cds_heartbeat_start(&heartbeat, wsi);
}

/* The time for which the clock is set comes. */
static void ring(void) {
  sul_cb_t callback = due;
  due = NULL;
  if (ok(callback != NULL, "a clock rings")) callback(&heartbeat.sul);
}

static void test_ping(void) {
  begin(30, 10);
  ok(heartbeat.latency_ms == -1, "at first no time is known");
  is_number(due_us, 30000000, "the first ping is due after the interval");
  is_number(cds_heartbeat_write(&heartbeat), 0, "and none is written before");
  ring();
  ok(asked_to_write == 1 && pings == 0, "then it waits for room");
  is_number(due_us, 10000000, "the pong for its time");
  is_number(cds_heartbeat_write(&heartbeat), 0, "the ping is written");
  ok(pings == 1 && written_length == sizeof heartbeat.number && memcmp(written, &heartbeat.number, written_length) == 0,
     "by its number");
  is_number(cds_heartbeat_write(&heartbeat), 0, "and there is nothing more to write");
  is_number(pings, 1, "as it was written once");
  cds_heartbeat_pong(&heartbeat, written, written_length);
  ok(heartbeat.latency_ms >= 0, "the pong takes a time");
  is_number(due_us, 30000000, "and the next ping is due after the interval");
  ring();
  is_number(cds_heartbeat_write(&heartbeat), 0, "that is written");
  ok(pings == 2 && memcmp(written, &heartbeat.number, written_length) == 0, "by another number");
}

static void test_dead(void) {
  begin(30, 10);
  ring();
  is_number(cds_heartbeat_write(&heartbeat), 0, "a ping");
  ring();
  is_number(deaths, 1, "to which no pong comes is told");
}

static void test_wrong_pongs(void) {
  unsigned char other[16];
  begin(30, 10);
  ring();
  is_number(cds_heartbeat_write(&heartbeat), 0, "a ping");
  memcpy(other, written, written_length);
  other[written_length - 1] ^= 1;
  cds_heartbeat_pong(&heartbeat, other, written_length);
  cds_heartbeat_pong(&heartbeat, written, written_length - 1);
  memcpy(other, written, written_length);
  cds_heartbeat_pong(&heartbeat, other, written_length + 1);
  cds_heartbeat_pong(&heartbeat, other, 0);
  ok(heartbeat.latency_ms == -1 && due_us == 10000000, "other pongs are none");
  cds_heartbeat_pong(&heartbeat, written, written_length);
  ok(heartbeat.latency_ms >= 0 && due_us == 30000000, "its own is");
  heartbeat.latency_ms = -1;
  cds_heartbeat_pong(&heartbeat, written, written_length);
  ok(heartbeat.latency_ms == -1, "once");
}

static void test_stop(void) {
  begin(30, 10);
  ring();
  cds_heartbeat_stop(&heartbeat);
  ok(due == NULL && cancels == 1, "at rest no clock runs");
  is_number(cds_heartbeat_write(&heartbeat), 0, "and there is nothing to write");
  is_number(pings, 0, "not even the ping that was due");
  cds_heartbeat_pong(&heartbeat, &heartbeat.number, sizeof heartbeat.number);
  ok(heartbeat.latency_ms == -1 && due == NULL, "nor is a pong waited for");
  cds_heartbeat_stop(&heartbeat);
  is_number(cancels, 1, "at rest it stays so");
  cds_heartbeat_resume(&heartbeat, wsi);
  ok(due_us >= 0 && due_us <= 1, "when it goes on a ping is due at once");
  ring();
  is_number(cds_heartbeat_write(&heartbeat), 0, "and written");
  is_number(pings, 1, "as ever");
}

static void test_failure(void) {
  begin(0, 10);
  ok(due_us >= 0 && due_us <= 1, "without an interval a ping is due at once");
  ring();
  written_result = -1;
  is_number(cds_heartbeat_write(&heartbeat), -1, "a ping that cannot be written ends the connection");
  begin(1, 10);
  is_number(due_us, 1000000, "the shortest interval");
}

static void test_traced(void) {
  unsigned long long ping = 0, pong = 1;
  double ms = -1;
  setenv("CHAINLINK_STREAMS_TRACE", "1", 1);
  cds_trace_begin();
  begin(30, 10);
  ring();
  catch_begin();
  is_number(cds_heartbeat_write(&heartbeat), 0, "a ping");
  cds_heartbeat_pong(&heartbeat, written, written_length);
  const char *text = catch_end(), *sent = strstr(text, "> ping "), *got = strstr(text, "< pong ");
  ok(sent != NULL && sscanf(sent, "> ping %llu", &ping) == 1 && ping == heartbeat.number, "is traced: %s", text);
  ok(got != NULL && sscanf(got, "< pong %llu, after %lf ms", &pong, &ms) == 2 && pong == ping && ms >= 0,
     "like its pong");
}

int main(void) {
  test_ping();
  test_dead();
  test_wrong_pongs();
  test_stop();
  test_failure();
  test_traced();
  return done();
}
