/* SPDX-License-Identifier: MIT
 * What waits for the script of a stream of trades: in order, bounded, until its end, and its descriptor in step. */
#include "rest/trade_queue.h"

#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "entries.h"
#include "tap.h"

static struct cds_trade_queue queue;
static struct cds_error err;

static void begin(void) {
  is_number(cds_trade_queue_init(&queue, &err), CDS_OK, "a queue is made");
}

static bool is_readable(void) {
  struct pollfd at = {.fd = queue.notify.read_fd, .events = POLLIN};
  return poll(&at, 1, 0) == 1;
}

static void push(int64_t time) {
  const struct cds_trade trade = {.symbol = "A", .price = "1", .time = time};
  cds_trade_queue_push(&queue, &trade);
}

/* The next trade's time; -1: there is none, -2: it is over. */
static int64_t pop(void) {
  struct cds_trade trade;
  switch (cds_trade_queue_pop(&trade, &queue, &err)) {
  case CDS_TRADES_ONE: return trade.time;
  case CDS_TRADES_EMPTY: return -1;
  case CDS_TRADES_OVER: return -2;
  }
  return -3;
}

static struct cds_trades_stats stats(void) {
  struct cds_trades_stats out;
  cds_trade_queue_stats(&out, &queue);
  return out;
}

static void test_order(void) {
  begin();
  ok(!is_readable() && pop() == -1, "nothing is there");
  push(1);
  ok(is_readable(), "its descriptor tells of a trade");
  push(2);
  is_number(stats().waiting, 2, "so many wait");
  ok(pop() == 1 && is_readable(), "the first one comes first, and one is left");
  ok(pop() == 2 && !is_readable(), "with the last one the descriptor is still");
  is_number(pop(), -1, "and nothing is there");
  is_number(stats().received, 2, "so many came");
  ok(stats().dropped == 0 && stats().waiting == 0, "and none was dropped");
  cds_trade_queue_clear(&queue);
}

/* Twice around the ring. */
static void test_bound(void) {
  int wrong = 0;
  begin();
  for (int64_t time = 0; time < CDS_MAX_TRADES; time++) push(time);
  is_number(stats().dropped, 0, "as many as may wait do");
  is_number(stats().waiting, CDS_MAX_TRADES, "all of them");
  for (int64_t time = 0; time < CDS_MAX_TRADES; time++) push(CDS_MAX_TRADES + time);
  is_number(stats().dropped, CDS_MAX_TRADES, "each more costs the oldest");
  is_number(stats().waiting, CDS_MAX_TRADES, "and as many wait");
  is_number(stats().received, 2 * CDS_MAX_TRADES, "all are counted");
  for (int64_t time = 0; time < CDS_MAX_TRADES; time++) wrong += pop() != CDS_MAX_TRADES + time;
  is_number(wrong, 0, "the latest are there, in order");
  is_number(pop(), -1, "and no more");
  cds_trade_queue_clear(&queue);
}

static void test_events(void) {
  begin();
  ok(cds_trade_queue_take_event(&queue) == NULL && !is_readable(), "no event is there");
  cds_trade_queue_tell(&queue, cds_event_log(CDS_LOG_INFO, "first"));
  ok(is_readable(), "the descriptor tells of one");
  push(1);
  struct cds_event *event = cds_trade_queue_take_event(&queue);
  ok(event != NULL, "it is taken");
  is_string(event->message, "first", "as it was told");
  cds_event_free(event);
  ok(is_readable() && pop() == 1 && !is_readable(), "the trade beside it is told of too");
  cds_trade_queue_tell(&queue, cds_event_log(CDS_LOG_INFO, "second"));
  ok(pop() == -1 && is_readable(), "who asks for trades alone leaves the event");
  event = cds_trade_queue_take_event(&queue);
  ok(event != NULL && !is_readable(), "which ends it when it is taken");
  cds_event_free(event);
  cds_trade_queue_tell(&queue, cds_event_log(CDS_LOG_INFO, "third"));
  cds_trade_queue_clear(&queue); /* gives it back */
}

static void test_counters(void) {
  begin();
  cds_trade_queue_count(&queue, &queue.stats.heartbeats);
  cds_trade_queue_count(&queue, &queue.stats.heartbeats);
  cds_trade_queue_count(&queue, &queue.stats.ignored);
  ok(stats().heartbeats == 2 && stats().ignored == 1 && stats().reconnects == 0, "counters count");
  ok(!stats().is_connected, "it is not connected");
  cds_trade_queue_connect(&queue, true);
  ok(stats().is_connected, "until it is");
  cds_trade_queue_connect(&queue, false);
  ok(!stats().is_connected, "and then not any more");
  cds_trade_queue_clear(&queue);
}

/* ---- its end ---- */

static void test_end(void) {
  enum cds_status status;
  struct cds_error why = {0}, later = {0};
  cds_error_set(&why, CDS_E_NETWORK, "the first");
  cds_error_set(&later, CDS_E_AUTH, "the second");
  begin();
  ok(!cds_trade_queue_is_over(&queue, &status), "it is not over");
  cds_trade_queue_end(&queue, &why);
  ok(is_readable(), "the end is told of at once");
  cds_trade_queue_clear(&queue);
  begin();
  push(1);
  cds_trade_queue_end(&queue, &why);
  cds_trade_queue_end(&queue, &later);
  ok(cds_trade_queue_is_over(&queue, &status), "then it is");
  is_number(status, CDS_E_NETWORK, "for its first reason");
  push(2);
  is_number(stats().received, 1, "what comes now is not taken");
  is_number(pop(), 1, "what waited is still there");
  ok(is_readable(), "and the end is told of");
  ok(pop() == -2 && pop() == -2 && is_readable(), "for good");
  is_string(err.message, "the first", "with its reason");
  cds_trade_queue_clear(&queue);
}

static void test_close(void) {
  enum cds_status status;
  struct cds_error why = {0};
  cds_error_set(&why, CDS_E_NETWORK, "an end");
  begin();
  cds_trade_queue_close(&queue);
  ok(is_readable(), "that it is closed is told of at once");
  cds_trade_queue_clear(&queue);
  begin();
  cds_trade_queue_connect(&queue, true);
  push(1);
  cds_trade_queue_close(&queue);
  ok(is_readable() && stats().waiting == 0, "closed, nothing waits");
  ok(!stats().is_connected, "it is not connected");
  cds_trade_queue_end(&queue, &why);
  ok(cds_trade_queue_is_over(&queue, &status) && status == CDS_E_CLOSED, "no later end changes that");
  ok(pop() == -2 && err.status == CDS_E_CLOSED, "a script is told so");
  cds_trade_queue_clear(&queue);
  begin();
  cds_trade_queue_end(&queue, &why);
  cds_trade_queue_close(&queue);
  ok(cds_trade_queue_is_over(&queue, &status) && status == CDS_E_CLOSED, "closed is closed, whatever was before");
  cds_trade_queue_clear(&queue);
}

static void test_memory(void) {
  int open = count_entries("/proc/self/fd");
  cds_alloc_fail_after(0);
  is_number(cds_trade_queue_init(&queue, &err), CDS_E_MEMORY, "without memory there is none");
  cds_alloc_fail_after(-1);
  is_string(err.message, "out of memory", "and why");
  is_number(count_entries("/proc/self/fd"), open, "no descriptor is left");
  struct rlimit before;
  if (!ok(getrlimit(RLIMIT_NOFILE, &before) == 0, "there is a limit of descriptors")) return;
  const struct rlimit none = {0, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  is_number(cds_trade_queue_init(&queue, &err), CDS_E_MEMORY, "nor without a descriptor");
  setrlimit(RLIMIT_NOFILE, &before);
  ok(strstr(err.message, "Too many open files") != NULL, "and why: %s", err.message);
  begin();
  cds_trade_queue_clear(&queue);
  is_number(count_entries("/proc/self/fd"), open, "nor of one that was");
}

int main(void) {
  test_order();
  test_bound();
  test_events();
  test_counters();
  test_end();
  test_close();
  test_memory();
  return done();
}
