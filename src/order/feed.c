/* SPDX-License-Identifier: MIT
 * What concerns more than one part of a feed. */
#include "order/feed.h"

#include "base/alloc.h"

#define MEMORY_SECONDS 10

/* ---- life ---- */

struct cds_feed *cds_feed_new(void) {
  struct cds_feed *feed = cds_calloc(1, sizeof *feed);
  if (feed == NULL) return NULL;
  cds_release_init(&feed->release);
  cds_gap_init(&feed->gap);
  return feed;
}

/* A report that comes late is to be told from a copy: by CDS_ORDER_ARRIVAL that decides whether it goes out. */
void cds_feed_set_unit(struct cds_sequence *seq, size_t slot, int64_t per_second) {
  struct cds_release *release = &seq->feeds[slot]->release;
  release->per_second = per_second;
  release->memory = seq->limits.order == CDS_ORDER_ARRIVAL ? MEMORY_SECONDS * per_second : 2 * per_second - 1;
}

static void list(struct cds_sequence *seq, size_t slot) {
  struct cds_feed *feed = seq->feeds[slot];
  if (feed->is_listed) return;
  feed->is_listed = true;
  feed->wanting_prev = 0;
  feed->wanting_next = seq->wanting;
  if (seq->wanting != 0) seq->feeds[seq->wanting - 1]->wanting_prev = slot + 1;
  seq->wanting = slot + 1;
}

static void unlist(struct cds_sequence *seq, size_t slot) {
  struct cds_feed *feed = seq->feeds[slot];
  if (!feed->is_listed) return;
  feed->is_listed = false;
  if (feed->wanting_next != 0) seq->feeds[feed->wanting_next - 1]->wanting_prev = feed->wanting_prev;
  if (feed->wanting_prev != 0) seq->feeds[feed->wanting_prev - 1]->wanting_next = feed->wanting_next;
  else seq->wanting = feed->wanting_next;
}

void cds_feed_forget(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[slot];
  unlist(seq, slot);
  while (feed->hold.head != NULL) {
    struct cds_held *held = feed->hold.head;
    cds_hold_remove(&feed->hold, &seq->index, held);
    if (held->node != NULL) cds_outcome_drop(out, held->node);
    cds_free(held);
  }
  int64_t per_second = feed->release.per_second;
  cds_release_clear(&feed->release);
  *feed = (struct cds_feed){0};
  cds_release_init(&feed->release);
  cds_feed_set_unit(seq, slot, per_second);
  cds_gap_init(&feed->gap);
}

void cds_feed_free(struct cds_sequence *seq, size_t slot) {
  struct cds_sequence_out out = {0};
  cds_feed_forget(seq, slot, &out);
  for (struct cds_queue_node *next; out.drop != NULL; out.drop = next) {
    next = out.drop->next;
    cds_queue_node_free(out.drop);
  }
  cds_free(seq->feeds[slot]);
}

/* ---- the way out ---- */

enum cds_verdict cds_feed_refuse(const struct cds_candidate *candidate, enum cds_verdict verdict,
                                 struct cds_sequence_out *out) {
  cds_outcome_drop(out, candidate->node);
  return verdict;
}

bool cds_feed_deliver(struct cds_sequence *seq, const struct cds_candidate *candidate, struct cds_sequence_out *out) {
  return cds_release_deliver(&seq->feeds[candidate->node->slot]->release, candidate, out);
}

void cds_feed_lose(struct cds_sequence *seq, size_t slot, int64_t from, int64_t to, enum cds_lost_reason reason,
                   struct cds_sequence_out *out) {
  int64_t per_second = seq->feeds[slot]->release.per_second;
  struct cds_lost lost = {.slot = slot, .per_second = per_second, .from = from, .to = to, .reason = reason};
  if (from <= to) cds_outcome_lose(out, lost, &seq->counts.lost);
}

bool cds_feed_deliver_late(struct cds_sequence *seq, const struct cds_candidate *candidate,
                           struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  int64_t time = candidate->observations_timestamp;
  struct cds_release *release = &seq->feeds[slot]->release;
  if (seq->limits.order != CDS_ORDER_ARRIVAL || !cds_release_covers(release, time)) return false;
  if (cds_release_deliver_late(release, candidate, out)) return true;
  cds_feed_lose(seq, slot, time, time, CDS_LOST_NO_MEMORY, out);
  return false;
}

bool cds_feed_is_hold_full(const struct cds_sequence *seq, const struct cds_queue_node *node) {
  if (seq->limits.order == CDS_ORDER_ARRIVAL)
    return seq->index.bytes + sizeof(struct cds_held) > seq->limits.max_held_bytes;
  size_t bytes = seq->index.bytes + sizeof(struct cds_held) + cds_queue_node_bytes(node);
  return seq->index.count >= seq->limits.max_held || bytes > seq->limits.max_held_bytes;
}

static bool follows_directly(const struct cds_feed *feed, const struct cds_held *held) {
  return held != NULL && held->prev != NULL &&
         cds_release_is_proven(&feed->release, held->has_valid_from, held->valid_from, held->time, held->prev->time);
}

static void send_ahead(struct cds_sequence *seq, struct cds_held *held, const struct cds_candidate *candidate,
                       struct cds_sequence_out *out) {
  seq->counts.backfilled += held->node->report->backfilled;
  held->node = NULL;
  cds_release_send(&seq->feeds[held->slot]->release, candidate, out);
}

struct cds_held *cds_feed_hold(struct cds_sequence *seq, const struct cds_candidate *candidate, struct cds_held *after,
                               struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[candidate->node->slot];
  struct cds_held *held = cds_malloc(sizeof *held);
  if (held == NULL) return NULL;
  *held = (struct cds_held){.node = candidate->node,
                            .slot = candidate->node->slot,
                            .time = candidate->observations_timestamp,
                            .valid_from = candidate->valid_from_timestamp,
                            .has_valid_from = candidate->has_valid_from_timestamp,
                            .opens_gap = true,
                            .tags = {{.tag = candidate->blob_tag}, {.tag = candidate->text_tag}}};
  if (seq->limits.order == CDS_ORDER_ARRIVAL) send_ahead(seq, held, candidate, out);
  cds_hold_put(&feed->hold, &seq->index, held, after);
  if (follows_directly(feed, held)) held->opens_gap = false;
  if (follows_directly(feed, held->next)) held->next->opens_gap = false;
  return held;
}

void cds_feed_release(struct cds_sequence *seq, struct cds_held *held, struct cds_sequence_out *out) {
  size_t slot = held->slot;
  struct cds_feed *feed = seq->feeds[slot];
  const struct cds_candidate candidate = {.node = held->node,
                                          .has_observations_timestamp = true,
                                          .observations_timestamp = held->time,
                                          .blob_tag = held->tags[0].tag,
                                          .text_tag = held->tags[1].tag};
  cds_hold_remove(&feed->hold, &seq->index, held);
  cds_links_leave_entry(&feed->links, held);
  bool is_backfilled = held->node != NULL && held->node->report->backfilled;
  if (cds_release_deliver(&feed->release, &candidate, out)) {
    cds_links_join(&feed->links, held->at, held->time);
    seq->counts.backfilled += is_backfilled;
  } else {
    if (held->node != NULL) cds_outcome_drop(out, held->node);
    else cds_release_forget_to(&feed->release, held->time);
    cds_feed_lose(seq, slot, held->time, held->time, CDS_LOST_NO_MEMORY, out);
  }
  cds_free(held);
}

void cds_feed_release_before(struct cds_sequence *seq, size_t slot, int64_t time, struct cds_sequence_out *out) {
  struct cds_hold *hold = &seq->feeds[slot]->hold;
  while (hold->head != NULL && hold->head->time < time) cds_feed_release(seq, hold->head, out);
}

/* Whatever is in front of the held ones and has no gap before it. */
static void flush(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[slot];
  struct cds_held *front;
  while ((front = feed->hold.head) != NULL &&
         (!front->opens_gap || cds_release_is_proven(&feed->release, front->has_valid_from, front->valid_from,
                                                     front->time, feed->release.newest)))
    cds_feed_release(seq, front, out);
}

/* ---- in step ---- */

/* Of a gap that is too long the older part is lost; the watermark goes to where asking begins. */
static void trim(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[slot];
  const struct cds_held *front = feed->hold.head;
  if (front == NULL || cds_gap_is_from_start(&feed->gap)) return;
  int64_t edge = front->has_valid_from && front->valid_from < front->time ? front->valid_from : front->time;
  int64_t most = seq->limits.max_gap_seconds * feed->release.per_second;
  if (edge - feed->release.newest <= most) return;
  int64_t last = edge - most - 1;
  cds_feed_lose(seq, slot, cds_release_first_missing(&feed->release), last, CDS_LOST_TOO_LONG, out);
  cds_release_skip_to(&feed->release, last);
  cds_gap_fill(&feed->gap);
}

static void open_gap(struct cds_sequence *seq, struct cds_feed *feed, int64_t now_ms) {
  const struct cds_held *front = feed->hold.head;
  cds_gap_open(&feed->gap, front->has_valid_from && front->valid_from > feed->release.newest + 1, now_ms);
  seq->counts.gaps += cds_gap_is_counted(&feed->gap);
}

static void close_gap(struct cds_sequence *seq, struct cds_feed *feed) {
  enum cds_gap_end end = cds_gap_close(&feed->gap);
  if (end == CDS_GAP_WAS_NONE) return;
  seq->counts.empty_gaps += end != CDS_GAP_WAS_FILLED;
  cds_release_note_gap(&feed->release, end != CDS_GAP_WAS_FILLED, end == CDS_GAP_WAS_EMPTY_UNBROKEN);
}

void cds_feed_settle(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[slot];
  struct cds_gap *gap = &feed->gap;
  flush(seq, slot, out);
  bool holds = feed->hold.head != NULL;
  if (holds && !cds_gap_is_open(gap)) open_gap(seq, feed, now_ms);
  trim(seq, slot, out);
  if (!holds && cds_gap_is_open(gap)) close_gap(seq, feed);
  bool is_owed = feed->release.newest < cds_gap_owed(gap);
  if (cds_gap_runs(gap) && !holds && feed->links.joined != 0 && !is_owed) cds_gap_stop_running(gap);
  cds_gap_settle(gap);
  if (cds_gap_is_wanting(gap)) list(seq, slot);
  else unlist(seq, slot);
}

/* ---- giving up ---- */

static void lose_front(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason,
                       struct cds_sequence_out *out) {
  const struct cds_feed *feed = seq->feeds[slot];
  const struct cds_held *front = feed->hold.head;
  int64_t to = front->time;
  if (cds_release_is_single(&feed->release))
    to = (front->has_valid_from && front->valid_from < front->time ? front->valid_from : front->time) - 1;
  cds_feed_lose(seq, slot, cds_release_first_missing(&feed->release), to, reason, out);
}

void cds_feed_lose_owed(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason,
                        struct cds_sequence_out *out) {
  const struct cds_feed *feed = seq->feeds[slot];
  cds_feed_lose(seq, slot, cds_release_first_missing(&feed->release), cds_gap_owed(&feed->gap), reason, out);
}

/* A start that met no live report yet: the next one begins anew. */
static void lose_start(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason,
                       struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[slot];
  int64_t from = cds_release_first_missing(&feed->release);
  struct cds_lost lost = {.slot = slot, .from = from, .to = from, .open_ended = true, .reason = reason};
  lost.per_second = feed->release.per_second;
  cds_outcome_lose(out, lost, &seq->counts.lost);
  cds_release_reopen(&feed->release);
}

/* What came after the held ones may be missing too: where no connection follows on them, REST is asked once more. */
void cds_feed_give_up(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason, int64_t now_ms,
                      struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[slot];
  bool held = feed->hold.head != NULL;
  while (feed->hold.head != NULL) {
    lose_front(seq, slot, reason, out);
    feed->hold.head->opens_gap = false;
    cds_gap_fill(&feed->gap);
    flush(seq, slot, out);
  }
  cds_feed_lose_owed(seq, slot, reason, out);
  if (cds_gap_is_from_start(&feed->gap) && !held && feed->links.joined == 0) lose_start(seq, slot, reason, out);
  cds_gap_end_run(&feed->gap);
  if (held && feed->links.joined == 0) cds_gap_run(&feed->gap, now_ms + seq->limits.probe_ms);
}

bool cds_feed_give_up_to(struct cds_sequence *seq, size_t slot, int64_t last, enum cds_lost_reason reason,
                         struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[slot];
  struct cds_held *front = feed->hold.head;
  int64_t from = cds_release_first_missing(&feed->release);
  if (front != NULL && cds_release_is_single(&feed->release) && front->has_valid_from && front->valid_from <= last)
    last = front->valid_from - 1;
  if (from > last) return false;
  if (front != NULL && front->time <= last) {
    lose_front(seq, slot, reason, out);
    front->opens_gap = false;
  } else {
    cds_feed_lose(seq, slot, from, last, reason, out);
    cds_release_skip_to(&feed->release, last);
  }
  cds_gap_fill(&feed->gap);
  return true;
}

void cds_feed_stop_waiting(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[slot];
  struct cds_held *front;
  if (seq->limits.backfill || feed->hold.head == NULL) return;
  while ((front = feed->hold.head) != NULL) {
    int64_t newest = feed->release.newest;
    if (cds_release_leaves_gap(&feed->release, front->has_valid_from, front->valid_from, newest))
      cds_feed_lose(seq, slot, newest + 1, front->valid_from - 1, CDS_LOST_BACKFILL_OFF, out);
    cds_feed_release(seq, front, out);
  }
  cds_feed_settle(seq, slot, now_ms, out);
}

/* REST has them and will bring them, sooner or later: the newer half of what is held may go. */
static void let_newer_half_go(struct cds_sequence *seq, struct cds_feed *feed, struct cds_sequence_out *out) {
  cds_gap_owe(&feed->gap, feed->hold.tail->time);
  for (size_t left = feed->hold.count / 2; feed->hold.count > left;) {
    struct cds_held *last = feed->hold.tail;
    cds_hold_remove(&feed->hold, &seq->index, last);
    cds_links_leave_entry(&feed->links, last);
    cds_outcome_drop(out, last->node);
    cds_free(last);
  }
}

void cds_feed_make_room(struct cds_sequence *seq, int64_t now_ms, struct cds_sequence_out *out) {
  size_t most = 0, bytes = 0;
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next) {
    if (seq->feeds[at - 1]->hold.bytes <= bytes) continue;
    bytes = seq->feeds[at - 1]->hold.bytes;
    most = at - 1;
  }
  if (bytes == 0) return;
  if (!seq->limits.backfill) {
    cds_feed_stop_waiting(seq, most, now_ms, out);
    return;
  }
  if (seq->limits.order == CDS_ORDER_ARRIVAL) cds_feed_give_up(seq, most, CDS_LOST_NO_MEMORY, now_ms, out);
  else let_newer_half_go(seq, seq->feeds[most], out);
  cds_feed_settle(seq, most, now_ms, out);
}

/* ---- invariants ---- */

const char *cds_feed_check(const struct cds_sequence *seq, size_t slot) {
  const struct cds_feed *feed = seq->feeds[slot];
  int64_t before = feed->release.newest;
  size_t count = 0, bytes = 0;
  for (const struct cds_held *held = feed->hold.head; held != NULL; held = held->next) {
    if (held->time < before) return "a held report is older than what is before it";
    before = held->time;
    count++;
    bytes += cds_held_bytes(held);
  }
  if (count != feed->hold.count || bytes != feed->hold.bytes) return "what is held is miscounted";
  if (feed->hold.head != NULL && !feed->hold.head->opens_gap) return "something is held without a gap before it";
  if (cds_gap_is_open(&feed->gap) != (count > 0)) return "a gap without a held report, or the other way round";
  if (feed->is_listed != cds_gap_is_wanting(&feed->gap)) return "the list of those that want pages is out of step";
  const char *wrong = cds_gap_check(&feed->gap);
  if (wrong == NULL) wrong = cds_links_check(&feed->links, &feed->hold, feed->release.newest);
  return wrong != NULL ? wrong : cds_release_check(&feed->release);
}
