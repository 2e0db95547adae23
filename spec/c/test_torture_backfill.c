/* SPDX-License-Identifier: MIT
 * A gap that REST fills, while one allocation after another fails: every report comes, once and in order, or is told
 * as lost. A message that found no memory is missed like any other. */
#include "history_service.h"
#include "torture.h"

#define BEFORE 3 /* sent before the connection breaks */
#define AFTER 6  /* the first one sent after it */

static struct history service;

/* The first reports; then the connection breaks, and memory is short. */
static enum cds_status read_before(struct fixture *fixture, struct history_log *log) {
  struct cds_error err = {0};
  int64_t until = cds_clock_mono_ms() + WAIT_MS;
  open_stream(fixture, 1);
  while (log->last[1] < BEFORE) {
    if (history_take(log, fixture, &err)) return err.status;
    if (cds_clock_mono_ms() > until) return CDS_E_TIMEOUT;
    if (atomic_load(&service.up) == 1) atomic_store(&service.sent, BEFORE);
    is_readable(cds_stream_fd(fixture->stream), 5);
  }
  torture_arm();
  atomic_store(&service.drop_after, BEFORE);
  return CDS_OK;
}

/* Past the gap. The service goes on slowly, as the report that shows the gap may be what finds no memory. */
static enum cds_status read_on(struct fixture *fixture, struct history_log *log) {
  struct cds_error err = {0};
  int64_t until = cds_clock_mono_ms() + WAIT_MS;
  for (int round = 1; log->last[1] < AFTER; round++) {
    if (history_take(log, fixture, &err)) return err.status;
    if (cds_clock_mono_ms() > until) return CDS_E_TIMEOUT;
    unsigned sent = atomic_load(&service.sent);
    if (atomic_load(&service.up) == 1 && (sent == AFTER - 1 || (sent >= AFTER && round % 20 == 0)))
      atomic_fetch_add(&service.sent, 1);
    is_readable(cds_stream_fd(fixture->stream), 5);
  }
  bool is_told = stats_of(fixture).lost > 0;
  return log->back == 0 && (log->jumps == 0 || is_told) ? CDS_OK : CDS_E_DECODE;
}

static enum cds_status run_stream(void) {
  struct fixture fixture;
  struct history_log log = {0};
  cds_alloc_fail_after(-1);
  memset(&service, 0, sizeof service);
  service.page_size = 3;
  service.resume_at = AFTER;
  struct ws_parallel *host = history_begin(&fixture, &service);
  enum cds_status status = read_before(&fixture, &log);
  if (status == CDS_OK) status = read_on(&fixture, &log);
  history_end(&fixture, host);
  return status;
}

int main(void) {
  torture("a gap, one failure", cds_alloc_fail_one, run_stream, TORTURE_MAY_GO_ON);
  return done();
}
