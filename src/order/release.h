/* SPDX-License-Identifier: MIT
 * One feed's way out: what was delivered last, what is remembered of it, and what that says about the next report.
 *
 * A report is *proven* to be the next one when the feed is known to have one report a time and its validity covers all
 * since; it *leaves a gap* when its validity begins later than that, in a feed for which this means something. Times are
 * in the feed's unit, of which there is one a second, or a thousand. */
#ifndef CDS_RELEASE_H
#define CDS_RELEASE_H

#include "order/candidate.h"
#include "order/outcome.h"
#include "order/seen.h"

struct cds_release {
  int64_t per_second;    /* times in a second */
  bool open;             /* the next report is delivered whatever lies before it */
  bool bare;             /* of the time `newest` itself nothing was delivered, and nothing is to be */
  int64_t newest;        /* time delivered */
  bool multi;            /* had two reports of one time */
  bool dense;            /* had two within half a second, or, where times are seconds, of one time */
  unsigned singles;      /* times seen with one report, up to a few */
  int64_t told_late;     /* the time that was told last as one whose report came too late */
  unsigned empty_streak; /* gaps in a row, left by connections that had not broken, with nothing missing */
  unsigned skips;        /* gaps taken for normal since */
  struct cds_seen seen;
};

void cds_release_init(struct cds_release *release, int64_t per_second); /* nothing delivered yet */
void cds_release_clear(struct cds_release *release);

bool cds_release_knows(const struct cds_release *release, uint64_t tag); /* was this delivered lately? */
bool cds_release_is_single(const struct cds_release *release);
bool cds_release_is_late(const struct cds_release *release, int64_t time);
bool cds_release_is_proven(const struct cds_release *release, bool has_valid_from, int64_t valid_from, int64_t time,
                           int64_t after);
bool cds_release_leaves_gap(const struct cds_release *release, bool has_valid_from, int64_t valid_from, int64_t after);

/* One report a second, as far as it can be known: REST's answers for a second show it. */
bool cds_release_is_sparse(const struct cds_release *release);

/* REST is asked from here; the first time of which reports may be missing. */
int64_t cds_release_ask_from(const struct cds_release *release);
int64_t cds_release_first_missing(const struct cds_release *release);

/* Takes the node. False when it cannot be remembered: then it was neither delivered nor dropped. */
CDS_MUST_CHECK bool cds_release_deliver(struct cds_release *release, const struct cds_candidate *candidate,
                                        struct cds_sequence_out *out);

/* Nothing up to this time will be delivered any more, though nothing of it was. */
void cds_release_skip_to(struct cds_release *release, int64_t time);
void cds_release_reopen(struct cds_release *release); /* the next report is delivered whatever lies before it */

/* Is a late report of this time one that never came before? True once in a row for a time. */
bool cds_release_misses(struct cds_release *release, int64_t time);

/* ---- gaps that are how the feed is ---- */

bool cds_release_has_normal_gaps(const struct cds_release *release);
bool cds_release_takes_for_normal(struct cds_release *release); /* this gap; some are looked into all the same */
void cds_release_note_gap(struct cds_release *release, bool was_empty, bool counts);

/* NULL, or what is wrong. */
const char *cds_release_check(const struct cds_release *release);

#endif
