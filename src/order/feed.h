/* SPDX-License-Identifier: MIT
 * One feed of a sequence: its way out, its connections, what is held of it and what is missing, kept in step. */
#ifndef CDS_FEED_H
#define CDS_FEED_H

#include "order/gap.h"
#include "order/links.h"
#include "order/release.h"

struct cds_sequence_counts {
  uint64_t gaps;       /* reports whose valid_from left times uncovered */
  uint64_t empty_gaps; /* of these, with nothing missing */
  uint64_t backfilled;
  struct cds_lost_counts lost;
};

struct cds_feed {
  struct cds_release release;
  struct cds_links links;
  struct cds_hold hold; /* release.newest <= every held time */
  struct cds_gap gap;
  size_t wanting_next, wanting_prev; /* slot + 1, 0: none */
  bool is_listed;                    /* among those that want pages */
};

struct cds_sequence {
  struct cds_feed **feeds; /* owned; one per slot */
  size_t count;
  struct cds_hold_index index;
  struct cds_sequence_limits limits;
  struct cds_sequence_counts counts;
  uint64_t seed, last_ticket;
  size_t most_a_page; /* REST gives no more reports at once; SIZE_MAX: not known */
  size_t wanting;     /* the first feed that wants pages, now or some time, as slot + 1 */
};

/* Calls concern one feed, by its slot. */

struct cds_feed *cds_feed_new(void); /* NULL: no memory; its times are seconds */
void cds_feed_set_unit(struct cds_sequence *seq, size_t slot, int64_t per_second);
void cds_feed_free(struct cds_sequence *seq, size_t slot);
void cds_feed_forget(struct cds_sequence *seq, size_t slot,
                     struct cds_sequence_out *out); /* as new; drops what is held */

/* After each change: lets what can go go, and brings gap and list in step with what is held. */
void cds_feed_settle(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out);

/* Takes the node. False when it cannot be remembered: then it was neither delivered nor dropped. */
CDS_MUST_CHECK bool cds_feed_deliver(struct cds_sequence *seq, const struct cds_candidate *candidate,
                                     struct cds_sequence_out *out);
enum cds_verdict cds_feed_refuse(const struct cds_candidate *candidate, enum cds_verdict verdict,
                                 struct cds_sequence_out *out); /* the verdict; takes the node */

/* A late report goes out by CDS_ORDER_ARRIVAL, where it cannot have been delivered before: then the node is taken. */
CDS_MUST_CHECK bool cds_feed_deliver_late(struct cds_sequence *seq, const struct cds_candidate *candidate,
                                          struct cds_sequence_out *out);

/* Would the node be more than may be held, of all feeds? */
bool cds_feed_is_hold_full(const struct cds_sequence *seq, const struct cds_queue_node *node);
/* Holds the report, directly behind `after`, which keeps the order, or, with NULL, behind all of its time; by
 * CDS_ORDER_ARRIVAL it goes out all the same. Takes the node, but for NULL: no memory. */
CDS_MUST_CHECK struct cds_held *cds_feed_hold(struct cds_sequence *seq, const struct cds_candidate *candidate,
                                              struct cds_held *after, struct cds_sequence_out *out);

/* Delivers a held entry, and frees it; its connections are joined. */
void cds_feed_release(struct cds_sequence *seq, struct cds_held *held, struct cds_sequence_out *out);
/* The held entries of times before this one. */
void cds_feed_release_before(struct cds_sequence *seq, size_t slot, int64_t time, struct cds_sequence_out *out);

/* What is missing is lost, and what is held goes on. */
void cds_feed_give_up(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason, int64_t now_ms,
                      struct cds_sequence_out *out);

/* What is missing up to this time is lost. False: nothing is. */
CDS_MUST_CHECK bool cds_feed_give_up_to(struct cds_sequence *seq, size_t slot, int64_t last,
                                        enum cds_lost_reason reason, struct cds_sequence_out *out);

/* Without backfill: what is held is waited for no longer. */
void cds_feed_stop_waiting(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out);

void cds_feed_lose(struct cds_sequence *seq, size_t slot, int64_t from, int64_t to, enum cds_lost_reason reason,
                   struct cds_sequence_out *out); /* nothing when to < from */
void cds_feed_lose_owed(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason,
                        struct cds_sequence_out *out);

/* The hold is full: makes room, in the feed that holds the most. */
void cds_feed_make_room(struct cds_sequence *seq, int64_t now_ms, struct cds_sequence_out *out);

const char *cds_feed_check(const struct cds_sequence *seq, size_t slot); /* NULL, or the invariant that is broken */

#endif
