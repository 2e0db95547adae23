/* SPDX-License-Identifier: MIT
 * A stream's feeds change while one allocation after another fails: a feed is added, or a MemoryError or an event says
 * that it is not, and the stream goes on with what it has. */
#include "history_service.h"
#include "torture.h"

static struct history service;

static bool has_second(struct fixture *fixture) {
  struct cds_feed_id second = feed_number(2);
  struct cds_report *latest = cds_stream_latest(fixture->stream, &second);
  cds_report_unref(latest);
  return latest != NULL;
}

/* Takes what comes until the stream carries what it is meant to and each of its feeds has brought something since.
 * is_added: the second feed was, and if the stream has not got it then, an error must tell. Reports come ever more
 * slowly, or a slow machine would have no end of allocations. */
static enum cds_status go_on(struct fixture *fixture, struct history_log *log, bool is_added) {
  struct cds_error err = {0};
  int64_t until = cds_clock_mono_ms() + WAIT_MS;
  uint32_t from = atomic_load(&service.sent);
  for (int round = 0, next = 1;; round++) {
    if (history_take(log, fixture, &err)) return err.status;
    if (cds_clock_mono_ms() > until) return CDS_E_TIMEOUT;
    bool is_there = stats_of(fixture).feeds == 2 ? has_second(fixture) : !is_added || log->errors > 0;
    if (is_there && log->last[1] > from && cds_stream_is_subscribed(fixture->stream)) return CDS_OK;
    if (round == next) {
      atomic_fetch_add(&service.sent, 1);
      next += next < 256 ? next : 256;
    }
    is_readable(cds_stream_fd(fixture->stream), 2);
  }
}

static enum cds_status run_change(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct cds_error err = {0};
  struct cds_feed_id feed = feed_number(2);
  cds_alloc_fail_after(-1);
  memset(&service, 0, sizeof service);
  struct ws_parallel *host = history_begin(&fixture, &service);
  fixture.config.stream.backfill = false;
  open_stream(&fixture, 1);
  enum cds_status status = go_on(&fixture, &log, false);
  torture_arm();
  if (status == CDS_OK) status = cds_stream_subscribe(fixture.stream, &feed, 1, &err);
  bool was_refused = status == CDS_E_MEMORY;
  if (status == CDS_OK) status = go_on(&fixture, &log, true);
  if (status == CDS_OK) status = cds_stream_unsubscribe(fixture.stream, &feed, 1, &err);
  if (status == CDS_OK || status == CDS_E_MEMORY) {
    enum cds_status after = go_on(&fixture, &log, false); /* whatever happened, the stream goes on */
    if (after != CDS_OK) status = after;
  }
  if (was_refused && stats_of(&fixture).feeds != 1) status = CDS_E_CONFIG;
  history_end(&fixture, host);
  return status;
}

int main(void) {
  torture("feeds that change, one failure", cds_alloc_fail_one, run_change, TORTURE_MAY_GO_ON);
  return done();
}
