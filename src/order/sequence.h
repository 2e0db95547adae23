/* SPDX-License-Identifier: MIT
 * One sequence out of several connections and REST pages: each report exactly once, each feed's times never going
 * back, in bounded memory; what could not be had is told as a lost range. Pure: no lock, clock or I/O.
 *
 * Two reports are the same when feed and blob (which has the observations timestamp in it) are equal. A report from a
 * connection that is not joined (links.h), or one whose validity leaves times uncovered, is *held*: another connection
 * may bring what is missing; after a while a *fill* over REST is due (fill.h), page after page from the newest
 * delivered time, until a page shows the held report or brings nothing new. A feed that never had two reports of one
 * time needs no fill where valid_from covers the times between.
 *
 * Milliseconds are of any monotonic clock; times are in a feed's unit. Every function with an `out` may deliver held
 * reports. */
#ifndef CDS_SEQUENCE_H
#define CDS_SEQUENCE_H

#include "order/feed.h"

CDS_MUST_CHECK bool cds_sequence_init(struct cds_sequence *seq, size_t slots, uint64_t seed,
                                      const struct cds_sequence_limits *limits); /* false: no memory */
void cds_sequence_clear(struct cds_sequence *seq);

/* Slots may be added, not removed; a forgotten slot starts anew. False, and nothing changed, without memory. */
CDS_MUST_CHECK bool cds_sequence_grow(struct cds_sequence *seq, size_t slots);
void cds_sequence_forget(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out);

/* The feed's times are so many a second: 1, which they are at first, or 1000. Before its first report. */
void cds_sequence_set_unit(struct cds_sequence *seq, size_t slot, int64_t per_second);

/* The feed begins with this second (not 0), over REST, whatever live reports come. Before its first report. */
void cds_sequence_start(struct cds_sequence *seq, size_t slot, int64_t second, int64_t now_ms);

/* Did this very text arrive lately? Then it need not be decoded again, and what a duplicate tells has been heeded. */
CDS_MUST_CHECK bool cds_sequence_peek(struct cds_sequence *seq, size_t slot, uint64_t text_tag, unsigned link,
                                      int64_t now_ms, struct cds_sequence_out *out);

/* A report from a connection. Takes the node. latest_possible: the receiver's wall clock plus the tolerance, in the
 * feed's unit. */
enum cds_verdict cds_sequence_take(struct cds_sequence *seq, const struct cds_candidate *candidate, unsigned link,
                                   int64_t now_ms, int64_t latest_possible, struct cds_sequence_out *out);

/* The connections that are joined to the feed's sequence, a bit each. */
uint64_t cds_sequence_joined(const struct cds_sequence *seq, size_t slot);

/* A connection for this feed came up. When no other kept up meanwhile, reports may have been missed; a feed that does
 * not show it by a report soon is asked for. */
void cds_sequence_link_up(struct cds_sequence *seq, size_t slot, int64_t now_ms);

/* The connection brought something that was not taken in: a message nobody could read, a report that was refused. Which
 * feed's report that was, or should have been, is not known, so what it brings next may follow on nothing. */
void cds_sequence_doubt(struct cds_sequence *seq, unsigned link, int64_t now_ms);

/* The connection broke, or will not bring these feeds any more. */
void cds_sequence_link_down(struct cds_sequence *seq, unsigned link);

/* Without backfill: what is held for the feed is waited for no longer. */
void cds_sequence_stop_waiting(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out);

/* For tests, after each step: NULL, or the invariant that is broken. */
const char *cds_sequence_check(const struct cds_sequence *seq);

#endif
