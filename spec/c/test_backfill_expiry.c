/* SPDX-License-Identifier: MIT
 * A gap for which no answer comes is given up after its time, and what is live goes on. The clock can be put forward. */
#include "history_service.h"
#include "stream/backfill.h"

static struct history service;

/* ---- time ---- */

static atomic_llong ahead_ms;

static int64_t now_ns(clockid_t id) {
  struct timespec now = {0};
  clock_gettime(id, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cds_clock_mono_ns(void) {
  return now_ns(CLOCK_MONOTONIC) + atomic_load(&ahead_ms) * 1000000;
}

int64_t cds_clock_mono_ms(void) {
  return cds_clock_mono_ns() / 1000000;
}

int64_t cds_clock_wall_ms(void) {
  return now_ns(CLOCK_REALTIME) / 1000000;
}

int main(void) {
  const struct cds_sequence_limits limits = cds_sequence_default_limits();
  struct fixture fixture;
  struct history_log log = {0};
  struct seen_events seen = {0};
  service.page_size = 32;
  service.skip_from = 4;
  service.skip_to = 19;
  struct ws_parallel *host = history_begin(&fixture, &service);
  atomic_store(&service.silent, true);
  fixture.config.timeout = 3600;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, atomic_load(&service.up) == 1);
  atomic_store(&service.sent, 20);
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.open_questions) == 1);
  ok(log.last[1] == 3 && log.lost == 0, "what is live waits for an answer");
  atomic_fetch_add(&ahead_ms, limits.max_failing_ms);
  atomic_store(&service.sent, 25);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 25 && log.lost > 0);
  is_number((long long)log.jumps, 1, "until its time is over: then it goes on behind the gap");
  is_number((long long)log.lost, 1, "which is told as lost");
  ok(log.lost_from >= 3 && log.lost_from <= 4 && log.lost_to >= 19 && log.lost_to <= 20, "from %u to %u", log.lost_from,
     log.lost_to);
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.open_questions) == 0);
  atomic_store(&service.silent, false);
  history_end(&fixture, host);
  return done();
}
