/* SPDX-License-Identifier: MIT
 * Asks REST, page by page, for what the sequence says is missing.
 *
 * A few pages at once, each with the client's retries, rate limit and circuit breaker. While the script is behind
 * (overflow "block", queue full) no page is asked, so that memory is bounded by the queue, the held reports and one
 * page for each question under way. */
#ifndef CDS_BACKFILL_H
#define CDS_BACKFILL_H

#include "order/sequence.h"
#include "rest/call.h"
#include "rest/timers.h"

#define CDS_BACKFILL_AT_ONCE 8

struct cds_stream;

struct cds_backfill_page { /* guarded by the stream's mu; fill does not change while busy */
  bool is_busy;
  struct cds_stream *stream;
  struct cds_fill fill;
  struct cds_call *call; /* one reference */
};

struct cds_backfill {
  struct cds_backfill_page pages[CDS_BACKFILL_AT_ONCE];
  struct cds_timer timer; /* the REST thread's */
  int64_t looked_at_ms;   /* guarded by mu: when what is due was last looked for */
};

/* Before another thread knows the stream. */
void cds_backfill_init(struct cds_stream *stream);

/* Asks what is due now, and sees to it that what is due later will be asked then. Any thread, no lock held; cheap when
 * nothing is missing, so call it after whatever may have changed that. */
void cds_backfill_kick(struct cds_stream *stream);

/* The stream is stopping: answers have no effect any more. */
void cds_backfill_cancel(struct cds_stream *stream);

#endif
