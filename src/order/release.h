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
  int64_t memory;        /* all of so many times is remembered, or nearly all */
  bool open;             /* the next report is delivered whatever lies before it */
  bool bare;             /* of the time `newest` itself nothing was delivered, and nothing is to be */
  int64_t newest;        /* time delivered; by CDS_ORDER_ARRIVAL: up to which nothing is missing */
  int64_t sent;          /* newest time that went out, before its turn too */
  bool multi;            /* had two reports of one time */
  bool dense;            /* had two within half a second, or, where times are seconds, of one time */
  unsigned singles;      /* times seen with one report, up to a few */
  int64_t told_late;     /* the time that was told last as one whose report came too late */
  unsigned empty_streak; /* gaps in a row, left by connections that had not broken, with nothing missing */
  unsigned skips;        /* gaps taken for normal since */
  struct cds_seen seen;
};

void cds_release_init(struct cds_release *release); /* nothing delivered yet; per_second and memory are to be set */
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

/* Takes the node; without one, the report went out before its turn. False when it cannot be remembered: then it was
 * neither delivered nor dropped. */
CDS_MUST_CHECK bool cds_release_deliver(struct cds_release *release, const struct cds_candidate *candidate,
                                        struct cds_sequence_out *out);

/* Takes the node of a report that goes out before its turn, and is not yet remembered. */
void cds_release_send(struct cds_release *release, const struct cds_candidate *candidate, struct cds_sequence_out *out);

/* The same of one that comes too late for its turn, which is certain not to have come before. False: as above. */
CDS_MUST_CHECK bool cds_release_deliver_late(struct cds_release *release, const struct cds_candidate *candidate,
                                             struct cds_sequence_out *out);
bool cds_release_covers(const struct cds_release *release, int64_t time); /* nothing of this time is forgotten */

/* A report of this time went out and cannot be remembered: nothing up to it is delivered any more. */
void cds_release_forget_to(struct cds_release *release, int64_t time);

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
