/* SPDX-License-Identifier: MIT
 * Asks REST for what the sequence says is missing: page by page, or for a second of many feeds at once where that needs
 * fewer questions.
 *
 * A few questions at once, each with the client's rate limit and circuit breaker; when one that failed is asked again is for
 * the sequence to say. While the script is behind (overflow "block", queue full) no page is asked, and what a page under
 * way still has is let go, to be asked for again: so what waits for the script is bounded, wherever it comes from. */
#ifndef CDS_BACKFILL_H
#define CDS_BACKFILL_H

#include "order/fill.h"
#include "order/sequence.h"
#include "rest/timers.h"
#include "stream/bulk_fill.h"
#include "stream/question.h"

#define CDS_BACKFILL_AT_ONCE 8 /* pages and bulks */
#define CDS_BACKFILL_BULKS 4

struct cds_stream;

struct cds_backfill_page { /* guarded by the stream's mu; fill does not change while busy */
  struct cds_question_place place;
  struct cds_fill fill;
};

struct cds_backfill { /* backfill.c's own */
  struct cds_backfill_page pages[CDS_BACKFILL_AT_ONCE];
  struct cds_bulk_fill bulks[CDS_BACKFILL_BULKS];
  struct cds_timer timer; /* the REST thread's */
  /* guarded by mu */
  int64_t looked_at_ms;    /* when what is due was last looked for */
  int64_t silent_until_ms; /* no line about failures in the log before */
  bool is_paused;          /* the script was behind then */
};

/* Before another thread knows the stream. */
void cds_backfill_init(struct cds_stream *stream);

/* Asks what is due now, and sees to it that what is due later will be asked then. Any thread, no lock held; cheap when
 * nothing is missing, so call it after whatever may have changed that. */
void cds_backfill_kick(struct cds_stream *stream);

/* The stream is stopping: answers have no effect any more. */
void cds_backfill_cancel(struct cds_stream *stream);

#endif
