/* SPDX-License-Identifier: MIT
 * Lists to be filled, and ranges that are joined. */
#include "order/outcome.h"

#define RANGES_PER_FEED 2 /* in one outcome */

const char *cds_lost_reason_text(enum cds_lost_reason reason) {
  switch (reason) {
  case CDS_LOST_REFUSED: return "the service refused to answer for it";
  case CDS_LOST_FAILING: return "REST failed for too long";
  case CDS_LOST_TOO_LONG: return "the gap was too long";
  case CDS_LOST_NO_MEMORY: return "no room to remember it";
  case CDS_LOST_BACKFILL_OFF: return "backfill is off";
  case CDS_LOST_LATE: return "a report came after one of a later time";
  case CDS_LOST_TOO_MANY: return "REST gives no more reports of one second";
  }
  return "unknown";
}

void cds_outcome_drop(struct cds_sequence_out *out, struct cds_queue_node *node) {
  node->next = out->drop;
  out->drop = node;
}

void cds_outcome_deliver(struct cds_sequence_out *out, struct cds_queue_node *node) {
  node->next = NULL;
  if (out->deliver_tail != NULL) out->deliver_tail->next = node;
  else out->deliver = node;
  out->deliver_tail = node;
}

static struct cds_lost *same_range(struct cds_sequence_out *out, const struct cds_lost *lost) {
  struct cds_lost *last = NULL;
  size_t of_this_feed = 0;
  for (size_t i = 0; i < out->lost_count; i++) {
    if (out->lost[i].slot != lost->slot) continue;
    last = &out->lost[i];
    of_this_feed++;
    if (last->reason == lost->reason) return last;
  }
  return of_this_feed >= RANGES_PER_FEED || out->lost_count == CDS_OUTCOME_LOST ? last : NULL;
}

static uint64_t length_ms(const struct cds_lost *lost) {
  return lost->open_ended ? 0 : ((uint64_t)(lost->to - lost->from) + 1) * 1000 / (uint64_t)lost->per_second;
}

void cds_outcome_lose(struct cds_sequence_out *out, struct cds_lost lost, struct cds_lost_counts *counts) {
  struct cds_lost *known = same_range(out, &lost);
  if (known == NULL) {
    if (out->lost_count < CDS_OUTCOME_LOST) out->lost[out->lost_count++] = lost;
    counts->ranges++;
    counts->ms += length_ms(&lost);
    return;
  }
  counts->ms -= length_ms(known);
  if (lost.from < known->from) known->from = lost.from;
  if (lost.to > known->to) known->to = lost.to;
  known->open_ended = known->open_ended || lost.open_ended;
  counts->ms += length_ms(known);
}
