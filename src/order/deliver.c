/* SPDX-License-Identifier: MIT
 * The sequence's way out: what may leave, in which order, and what is told as lost. */
#include "order/sequence_internal.h"

#include "base/alloc.h"

#define SINGLES 4         /* so many seconds with one report each show that a feed has one a second */
#define NORMAL_AFTER 3    /* so many gaps with nothing missing show that the feed's gaps are no gaps */
#define RANGES_PER_FEED 2 /* in one out */

bool cds_sequence_is_single(const struct cds_sequence_feed *feed) {
  return !feed->multi && feed->singles >= SINGLES;
}

bool cds_sequence_is_normal_gap(const struct cds_sequence_feed *feed) {
  return feed->empty_streak >= NORMAL_AFTER;
}

bool cds_sequence_leaves_gap(const struct cds_sequence_feed *feed, bool has_valid_from, uint32_t valid_from,
                             uint32_t after) {
  return has_valid_from && (int64_t)valid_from > (int64_t)after + 1 && !cds_sequence_is_normal_gap(feed);
}

bool cds_sequence_is_proven(const struct cds_sequence_feed *feed, bool has_valid_from, uint32_t valid_from,
                            uint32_t second, uint32_t after) {
  return cds_sequence_is_single(feed) && has_valid_from && (int64_t)valid_from <= (int64_t)after + 1 && second > after;
}

void cds_sequence_drop(struct cds_sequence_out *out, struct cds_queue_node *node) {
  node->next = out->drop;
  out->drop = node;
}

static void append(struct cds_sequence_out *out, struct cds_queue_node *node) {
  node->next = NULL;
  if (out->deliver_tail != NULL) out->deliver_tail->next = node;
  else out->deliver = node;
  out->deliver_tail = node;
}

static void move_watermark(struct cds_sequence_feed *feed, uint32_t second) {
  bool again = !feed->bare && second == feed->newest && feed->newest > 0;
  if (again) feed->multi = true;
  else if (feed->singles < SINGLES && !feed->open) feed->singles++;
  feed->newest = second;
  feed->open = feed->bare = false;
}

bool cds_sequence_deliver(struct cds_sequence *seq, const struct cds_candidate *candidate,
                          struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[candidate->node->slot];
  bool timed = candidate->has_observations_timestamp;
  uint32_t second = timed ? candidate->observations_timestamp : feed->newest;
  if (!cds_seen_reserve(&feed->seen, 2, second)) return false;
  cds_seen_add(&feed->seen, candidate->blob_tag, second);
  if (candidate->text_tag != 0) cds_seen_add(&feed->seen, candidate->text_tag, second);
  if (timed) move_watermark(feed, second);
  append(out, candidate->node);
  return true;
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
  return of_this_feed >= RANGES_PER_FEED || out->lost_count == CDS_SEQUENCE_MAX_LOST ? last : NULL;
}

static uint64_t length(const struct cds_lost *lost) {
  return lost->open_ended ? 0 : (uint64_t)lost->to - lost->from + 1;
}

void cds_sequence_lose(struct cds_sequence *seq, struct cds_lost lost, struct cds_sequence_out *out) {
  struct cds_lost *known = same_range(out, &lost);
  if (known == NULL) {
    if (out->lost_count < CDS_SEQUENCE_MAX_LOST) out->lost[out->lost_count++] = lost;
    seq->counts.lost_ranges++;
    seq->counts.lost_seconds += length(&lost);
    return;
  }
  seq->counts.lost_seconds -= length(known);
  if (lost.from < known->from) known->from = lost.from;
  if (lost.to > known->to) known->to = lost.to;
  known->open_ended = known->open_ended || lost.open_ended;
  seq->counts.lost_seconds += length(known);
}

static void take_out(struct cds_sequence *seq, struct cds_held *held) {
  struct cds_sequence_feed *feed = seq->feeds[held->node->slot];
  cds_hold_remove(&feed->hold, &seq->index, held);
  feed->trailing &= ~held->at;
}

void cds_sequence_join(struct cds_sequence_feed *feed, uint64_t bits, uint32_t second) {
  feed->joined |= bits;
  for (; bits != 0; bits &= bits - 1) feed->reached[__builtin_ctzll(bits)] = second;
}

void cds_sequence_release(struct cds_sequence *seq, struct cds_held *held, struct cds_sequence_out *out) {
  size_t slot = held->node->slot;
  const struct cds_candidate candidate = {.node = held->node,
                                          .has_observations_timestamp = true,
                                          .observations_timestamp = held->second,
                                          .blob_tag = held->tags[0].tag,
                                          .text_tag = held->tags[1].tag};
  take_out(seq, held);
  cds_sequence_join(seq->feeds[slot], held->at, held->second);
  if (!cds_sequence_deliver(seq, &candidate, out)) {
    cds_sequence_drop(out, held->node);
    cds_sequence_lose(
      seq, (struct cds_lost){.slot = slot, .from = held->second, .to = held->second, .reason = CDS_LOST_NO_MEMORY},
      out);
  }
  cds_free(held);
}

void cds_sequence_release_before(struct cds_sequence *seq, size_t slot, uint32_t second, struct cds_sequence_out *out) {
  struct cds_hold *hold = &seq->feeds[slot]->hold;
  while (hold->head != NULL && hold->head->second < second) cds_sequence_release(seq, hold->head, out);
}

void cds_sequence_flush(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  struct cds_held *front;
  while ((front = feed->hold.head) != NULL &&
         (!front->opens_gap ||
          cds_sequence_is_proven(feed, front->has_valid_from, front->valid_from, front->second, feed->newest)))
    cds_sequence_release(seq, front, out);
}
