/* SPDX-License-Identifier: MIT
 * One question for a second of many feeds, in place of a page of each.
 *
 * Where many feeds miss the same few seconds, as after an outage, a *bulk* asks for these second by second. Its reports
 * are held like those of a connection that nothing is known of: they go on where validities prove that they follow on
 * each other, up to what was held before. It knows one report of a second, so it is only for feeds that have one, and it
 * shows nothing by what it does not have: a gap that it leaves is for pages. */
#ifndef CDS_BULK_H
#define CDS_BULK_H

#include "order/fill.h"

#define CDS_BULK_FEEDS 100 /* 67 characters each: servers take a request's line up to 8 KB */

struct cds_bulk_feed {
  size_t slot;
  int64_t first, last; /* the times of what it brought; 0: nothing yet */
};

struct cds_bulk {
  uint64_t ticket; /* all its feeds' */
  int64_t second;  /* ask for this one */
  size_t count;
  struct cds_bulk_feed feeds[CDS_BULK_FEEDS]; /* those that wait for it */
};

/* The feed that is due first, and others that miss what it misses. False: pages need no more questions. */
CDS_MUST_CHECK bool cds_bulk_plan(const struct cds_sequence *seq, int64_t now_ms, struct cds_bulk *bulk);

/* Its feeds wait for it from now on: none is given for a page, or to another bulk, before end or failed. */
void cds_bulk_begin(struct cds_sequence *seq, struct cds_bulk *bulk, int64_t now_ms);

/* Is the question to name this feed of the bulk? */
bool cds_bulk_asks(const struct cds_sequence *seq, const struct cds_bulk *bulk, size_t at);
bool cds_bulk_is_asked(const struct cds_sequence *seq, const struct cds_bulk *bulk); /* does any feed wait for it? */

/* A report of the answer. Takes the node. Not to be counted as received or out of order. */
enum cds_verdict cds_bulk_report(struct cds_sequence *seq, struct cds_bulk *bulk, const struct cds_candidate *candidate,
                                 int64_t now_ms, struct cds_sequence_out *out);

/* The question was answered: to the next second. False: there is none, or pages need no more questions. */
CDS_MUST_CHECK bool cds_bulk_move_on(const struct cds_sequence *seq, struct cds_bulk *bulk);
bool cds_bulk_still_helps(const struct cds_sequence *seq, const struct cds_bulk *bulk, size_t at); /* after move_on */

/* Each takes the feed out of the bulk; another moves into its place. Ended: what is still missing is for pages, at once.
 * Cut: the answer was not taken, as the script is behind. Failed: to be asked again, as in fill.h. */
void cds_bulk_end(struct cds_sequence *seq, struct cds_bulk *bulk, size_t at, int64_t now_ms,
                  struct cds_sequence_out *out);
void cds_bulk_cut(struct cds_sequence *seq, struct cds_bulk *bulk, size_t at, int64_t now_ms,
                  struct cds_sequence_out *out);
void cds_bulk_failed(struct cds_sequence *seq, struct cds_bulk *bulk, size_t at, int64_t at_least_ms, int64_t now_ms,
                     struct cds_sequence_out *out);

#endif
