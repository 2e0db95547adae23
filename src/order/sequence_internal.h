/* SPDX-License-Identifier: MIT
 * A feed's state, shared by the parts of the sequence: sequence.c (what comes from connections), deliver.c (the way
 * out) and fill.c (what is missing). */
#ifndef CDS_SEQUENCE_INTERNAL_H
#define CDS_SEQUENCE_INTERNAL_H

#include "order/sequence.h"

struct cds_sequence_feed {
  /* what was delivered */
  bool open; /* the next report is delivered whatever lies before it */
  bool bare; /* of the second `newest` itself nothing was delivered, and nothing is to be */
  uint32_t newest;
  bool multi;       /* had two reports in one second */
  unsigned singles; /* seconds seen with one report, up to a few */
  struct cds_seen seen;
  uint32_t told_late; /* the second that was told last as one whose report came too late */

  /* what is held; newest <= every held second */
  uint64_t joined;   /* connections, a bit each */
  uint64_t trailing; /* connections whose latest report is held: exactly those in some entry's `at` */
  uint32_t reached[CDS_SEQUENCE_LINKS]; /* of the joined ones: the second each has come to, at most `newest` */
  struct cds_hold hold;

  /* the gap in front of what is held */
  bool gap_open, gap_counted, gap_filled, gap_progress;
  bool gap_unbroken; /* a connection that had not broken left it */
  int64_t gap_since_ms;
  unsigned empty_streak; /* unbroken gaps in a row with nothing missing */
  unsigned skips;        /* gaps taken for normal since */

  /* the fill */
  bool run_on;         /* pages are wanted until they bring nothing new, whether something is held or not */
  int64_t run_from_ms; /* not before */
  uint32_t owed;       /* newest second of a report that was let go because REST has it; 0: none */
  bool from_start;
  bool page_new;               /* the page in flight brought something */
  bool page_old, page_reached; /* it had reports from before what was asked; it had others */
  bool page_stale;             /* the gap it was asked for is closed; another may be open */
  uint64_t ticket;             /* of the page in flight, or 0 */
  unsigned empty_asks, failures;
  int64_t asked_since_ms; /* without an answer, when a page is in flight or failures > 0 */
  int64_t
    soonest_ms; /* when failures > 0: asked again then, rather than at not_before_ms, once another feed's page is answered */
  bool hurried; /* that has happened */
  int64_t not_before_ms;
  size_t wanting_next, wanting_prev; /* slot + 1, 0: none */
  bool wanting;
};

/* ---- deliver.c ---- */

/* Does the validity leave seconds out, in a feed for which that means something? */
bool cds_sequence_leaves_gap(const struct cds_sequence_feed *feed, bool has_valid_from, uint32_t valid_from,
                             uint32_t after);

/* The feed is known to have one report a second, and this one covers the seconds since. */
bool cds_sequence_is_proven(const struct cds_sequence_feed *feed, bool has_valid_from, uint32_t valid_from,
                            uint32_t second, uint32_t after);

bool cds_sequence_is_single(const struct cds_sequence_feed *feed);
bool cds_sequence_is_normal_gap(const struct cds_sequence_feed *feed);

/* Takes the node. False when it cannot be remembered: then it was neither delivered nor dropped. */
CDS_MUST_CHECK bool cds_sequence_deliver(struct cds_sequence *seq, const struct cds_candidate *candidate,
                                         struct cds_sequence_out *out);
void cds_sequence_drop(struct cds_sequence_out *out, struct cds_queue_node *node);
void cds_sequence_lose(struct cds_sequence *seq, struct cds_lost lost, struct cds_sequence_out *out);

/* The connections (a bit each) have brought what was delivered up to this second. */
void cds_sequence_join(struct cds_sequence_feed *feed, uint64_t bits, uint32_t second);

/* Delivers a held entry, and frees it; its connections are joined. */
void cds_sequence_release(struct cds_sequence *seq, struct cds_held *held, struct cds_sequence_out *out);
/* The held entries of seconds before this one. */
void cds_sequence_release_before(struct cds_sequence *seq, size_t slot, uint32_t second, struct cds_sequence_out *out);
/* Whatever is in front of the held ones and has no gap before it. */
void cds_sequence_flush(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out);

/* ---- fill.c ---- */

/* After each change of a feed: flushes, and brings gap and fill in step with what is held. */
void cds_sequence_settle(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out);

/* The hold is full: makes room for one, of the feed that holds the most. */
void cds_sequence_make_room(struct cds_sequence *seq, int64_t now_ms, struct cds_sequence_out *out);

/* A report of this second could not be kept; REST is asked for it. */
void cds_sequence_owe(struct cds_sequence_feed *feed, uint32_t second);

void cds_sequence_forget_fill(struct cds_sequence *seq, size_t slot);

#endif
