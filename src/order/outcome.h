/* SPDX-License-Identifier: MIT
 * What a call of the order leaves to do: reports to deliver, reports to free, ranges to tell as lost. */
#ifndef CDS_OUTCOME_H
#define CDS_OUTCOME_H

#include "order/queue.h"

enum cds_lost_reason {
  CDS_LOST_REFUSED,  /* REST's answer was final */
  CDS_LOST_FAILING,  /* REST gave no answer for max_failing_ms */
  CDS_LOST_TOO_LONG, /* the gap was longer than max_gap: its older part */
  CDS_LOST_NO_MEMORY,
  CDS_LOST_BACKFILL_OFF,
  CDS_LOST_LATE,    /* it came when a later time had been delivered */
  CDS_LOST_TOO_MANY /* REST gives no more reports of one second */
};

const char *cds_lost_reason_text(enum cds_lost_reason reason);

struct cds_lost {
  size_t slot;
  int64_t per_second; /* times in a second */
  int64_t from, to;   /* both inclusive; some of their reports may have been delivered */
  bool open_ended;    /* `to` is not known: up to the feed's next report */
  enum cds_lost_reason reason;
};

#define CDS_OUTCOME_LOST 4 /* a call concerns two feeds at most, each with two ranges */

/* Starts as {0}; the nodes are linked by next and owned by the caller. */
struct cds_sequence_out {
  struct cds_queue_node *deliver, *deliver_tail; /* in order */
  struct cds_queue_node *drop;                   /* to free: duplicates and refused ones */
  struct cds_lost lost[CDS_OUTCOME_LOST];
  size_t lost_count;
};

struct cds_lost_counts {
  uint64_t ranges, ms; /* as far as their ends are known */
};

void cds_outcome_deliver(struct cds_sequence_out *out, struct cds_queue_node *node);
void cds_outcome_drop(struct cds_sequence_out *out, struct cds_queue_node *node);

/* A range, joined with the feed's other one for the same reason. */
void cds_outcome_lose(struct cds_sequence_out *out, struct cds_lost lost, struct cds_lost_counts *counts);

#endif
