/* SPDX-License-Identifier: MIT
 * Pages of REST: which feed's is to be asked for next, and what the answers tell. */
#ifndef CDS_FILL_H
#define CDS_FILL_H

#include "order/feed.h"

struct cds_fill {
  size_t slot;
  int64_t start;       /* ask the page from this second on */
  int64_t first, last; /* times of that second, in the feed's unit */
  size_t limit;        /* ask for so many reports */
  uint64_t ticket;
};

/* The feed whose page is due first, as slot + 1, and when; 0: none is in sight. */
size_t cds_fill_first_due(const struct cds_sequence *seq, int64_t *due_ms);
int64_t cds_fill_due_ms(const struct cds_sequence *seq, size_t slot); /* INT64_MAX: not in sight */

/* True: *fill is to be asked now, and to be answered by report… and done, cut or failed; it is not given again before
 * that. False: *wait_ms is the time until one may be due, negative when none is in sight. */
CDS_MUST_CHECK bool cds_fill_next(struct cds_sequence *seq, int64_t now_ms, struct cds_fill *fill, int64_t *wait_ms);

/* Is the page still waited for? Else its answer has no effect, and it may be cancelled. */
bool cds_fill_is_asked(const struct cds_sequence *seq, const struct cds_fill *fill);

/* The page's reports, in its order, then how it ended. Takes the node. Not to be counted as received or out of order.
 */
enum cds_verdict cds_fill_report(struct cds_sequence *seq, const struct cds_fill *fill,
                                 const struct cds_candidate *candidate, int64_t now_ms, int64_t latest_possible,
                                 struct cds_sequence_out *out);
/* count: the reports that REST answered with, for some may not have been told of. Where a page cannot pass its second,
 * as that has too many, the next one is asked for more, and what cannot be had even so is lost. */
void cds_fill_done(struct cds_sequence *seq, const struct cds_fill *fill, size_t count, int64_t now_ms,
                   struct cds_sequence_out *out);

/* REST answers: those that wait long, as it failed so often, need not. Once only for each, as what fails may be the
 * feed's own pages. Done says it itself. */
void cds_fill_hurry(struct cds_sequence *seq);

/* The rest of the page was not taken, as the script is behind: asked for again from where this one came to. */
void cds_fill_cut(struct cds_sequence *seq, const struct cds_fill *fill, int64_t now_ms, struct cds_sequence_out *out);

/* at_least_ms: not to be asked again sooner (Retry-After), or 0; heeded up to max_retry_after_ms, and never past the
 * time when the feed would be given up. */
void cds_fill_failed(struct cds_sequence *seq, const struct cds_fill *fill, bool retryable, int64_t at_least_ms,
                     int64_t now_ms, struct cds_sequence_out *out);

/* Gives up one feed whose reports wait and which has had no answer for max_failing_ms, whether a page is under way or
 * not. False: there is none now. */
bool cds_fill_expire(struct cds_sequence *seq, int64_t now_ms, struct cds_sequence_out *out);
int64_t cds_fill_expires_ms(const struct cds_sequence *seq); /* when the next one will be; INT64_MAX: none */

/* Nothing was asked for a while, as the script was behind: that time is no failure of REST. */
void cds_fill_resume(struct cds_sequence *seq, int64_t now_ms);

#endif
