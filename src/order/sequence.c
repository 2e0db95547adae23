/* SPDX-License-Identifier: MIT
 * What comes from the connections: which report goes on at once, which is held, which connection is joined. */
#include "order/sequence_internal.h"

#include "base/alloc.h"

#define PROBE_EVERY 16 /* of the gaps taken for normal, so many are asked for once */

/* ---- life ---- */

struct cds_sequence_limits cds_sequence_default_limits(void) {
  return (struct cds_sequence_limits){.backfill = true,
                                      .max_held = 16384,
                                      .max_held_bytes = CDS_DEFAULT_QUEUE_BYTES / 4,
                                      .patience_ms = 1500,
                                      .delay_ms = 100,
                                      .probe_ms = 5000,
                                      .empty_delay_ms = 300,
                                      .max_empty = 4,
                                      .failed_delay_ms = 500,
                                      .max_failed_delay_ms = 10000,
                                      .max_retry_after_ms = 60000,
                                      .max_failing_ms = 300000,
                                      .max_gap_seconds = 3600};
}

const char *cds_lost_reason_text(enum cds_lost_reason reason) {
  switch (reason) {
  case CDS_LOST_REFUSED: return "the service refused to answer for it";
  case CDS_LOST_FAILING: return "REST failed for too long";
  case CDS_LOST_TOO_LONG: return "the gap was too long";
  case CDS_LOST_NO_MEMORY: return "no room to remember it";
  case CDS_LOST_BACKFILL_OFF: return "backfill is off";
  case CDS_LOST_LATE: return "a report came after one of a later second";
  }
  return "unknown";
}

bool cds_sequence_init(struct cds_sequence *seq, size_t slots, uint64_t seed,
                       const struct cds_sequence_limits *limits) {
  *seq = (struct cds_sequence){.seed = seed, .limits = *limits};
  if (cds_hold_index_init(&seq->index, limits->max_held) && cds_sequence_grow(seq, slots)) return true;
  cds_sequence_clear(seq);
  return false;
}

static void clear_feed(struct cds_sequence *seq, struct cds_sequence_feed *feed, struct cds_sequence_out *out) {
  while (feed->hold.head != NULL) {
    struct cds_held *held = feed->hold.head;
    cds_hold_remove(&feed->hold, &seq->index, held);
    if (out != NULL) cds_sequence_drop(out, held->node);
    else cds_queue_node_free(held->node);
    cds_free(held);
  }
  cds_seen_clear(&feed->seen);
}

void cds_sequence_clear(struct cds_sequence *seq) {
  for (size_t i = 0; i < seq->count; i++) {
    clear_feed(seq, seq->feeds[i], NULL);
    cds_free(seq->feeds[i]);
  }
  cds_free(seq->feeds);
  cds_hold_index_clear(&seq->index);
  *seq = (struct cds_sequence){0};
}

bool cds_sequence_grow(struct cds_sequence *seq, size_t slots) {
  if (slots > SIZE_MAX / sizeof(struct cds_sequence_feed *) - 1) return false;
  size_t before = seq->count;
  struct cds_sequence_feed **feeds = cds_realloc(seq->feeds, (slots + 1) * sizeof *feeds);
  if (feeds == NULL) return false;
  seq->feeds = feeds;
  while (seq->count < slots) {
    struct cds_sequence_feed *feed = cds_calloc(1, sizeof *feed);
    if (feed == NULL) break;
    feed->open = true;
    feeds[seq->count++] = feed;
  }
  if (seq->count >= slots) return true;
  while (seq->count > before) cds_free(feeds[--seq->count]);
  return false;
}

void cds_sequence_forget(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  cds_sequence_forget_fill(seq, slot);
  clear_feed(seq, feed, out);
  *feed = (struct cds_sequence_feed){.open = true};
}

void cds_sequence_start(struct cds_sequence *seq, size_t slot, uint32_t second, int64_t now_ms) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  struct cds_sequence_out nothing = {0}; /* the feed holds nothing yet */
  if (!seq->limits.backfill) return;
  feed->newest = second > 0 ? second - 1 : 0;
  feed->bare = feed->run_on = feed->from_start = true;
  feed->open = false;
  feed->run_from_ms = now_ms;
  cds_sequence_settle(seq, slot, now_ms, &nothing);
}

/* ---- connections ---- */

static uint64_t bit_of(unsigned link) {
  return (uint64_t)1 << (link % CDS_SEQUENCE_LINKS);
}

uint64_t cds_sequence_joined(const struct cds_sequence *seq, size_t slot) {
  return seq->feeds[slot]->joined;
}

/* The connection's latest report is no longer known to be held: what it brings next may follow on nothing. */
static void let_go(struct cds_sequence_feed *feed, uint64_t bit) {
  struct cds_held *at = (feed->trailing & bit) != 0 ? cds_hold_position(&feed->hold, bit) : NULL;
  if (at != NULL) at->at &= ~bit;
  feed->trailing &= ~bit;
  feed->joined &= ~bit;
}

/* True when the connection took part in the feed. */
static bool part(struct cds_sequence *seq, size_t slot, unsigned link, int64_t now_ms) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  struct cds_sequence_out nothing = {0}; /* losing a connection frees no report */
  if (((feed->joined | feed->trailing) & bit_of(link)) == 0) return false;
  let_go(feed, bit_of(link));
  if (feed->wanting) cds_sequence_settle(seq, slot, now_ms, &nothing);
  return true;
}

void cds_sequence_link_down(struct cds_sequence *seq, unsigned link, int64_t now_ms) {
  for (size_t slot = 0; slot < seq->count; slot++) part(seq, slot, link, now_ms);
}

void cds_sequence_doubt(struct cds_sequence *seq, unsigned link, int64_t now_ms) {
  for (size_t slot = 0; slot < seq->count; slot++)
    if (part(seq, slot, link, now_ms)) cds_sequence_link_up(seq, slot, now_ms);
}

/* The connection's latest report is `held` from now on. */
static void move_to(struct cds_sequence_feed *feed, uint64_t bit, struct cds_held *held) {
  let_go(feed, bit);
  held->at |= bit;
  feed->trailing |= bit;
}

static bool leaves_gap(const struct cds_sequence_feed *feed, const struct cds_held *held) {
  uint32_t after = held->prev != NULL ? held->prev->second : feed->newest;
  return cds_sequence_leaves_gap(feed, held->has_valid_from, held->valid_from, after);
}

static struct cds_held *position(const struct cds_sequence_feed *feed, uint64_t bit) {
  return (feed->trailing & bit) != 0 ? cds_hold_position(&feed->hold, bit) : NULL;
}

/* The connection brought this held report. Right after the one before it, nothing is missing between the two, unless
 * the validity proves it. */
static void follow(struct cds_sequence_feed *feed, uint64_t bit, struct cds_held *held) {
  const struct cds_held *from = position(feed, bit);
  if (from != NULL && held->second < from->second) return; /* reordered: it says nothing */
  if (from != NULL && from == held->prev) held->opens_gap = held->opens_gap && leaves_gap(feed, held);
  move_to(feed, bit, held);
}

/* A copy of a delivered report joins a connection, unless a later report of it is held: then the copy is a latecomer,
 * and others may be missing between the two. */
static void again_delivered(struct cds_sequence_feed *feed, uint64_t bit) {
  if ((feed->trailing & bit) == 0) cds_sequence_join(feed, bit, feed->newest);
}

/* What follows on what the connection brought last, not on what others or REST delivered since: it may have left that
 * out. */
static uint32_t reached(const struct cds_sequence_feed *feed, uint64_t bit) {
  return feed->reached[__builtin_ctzll(bit)];
}

static void again_held(struct cds_sequence *seq, struct cds_held *held, uint64_t bit, struct cds_sequence_out *out) {
  size_t slot = held->node->slot;
  struct cds_sequence_feed *feed = seq->feeds[slot];
  if ((feed->joined & bit) == 0 ||
      cds_sequence_leaves_gap(feed, held->has_valid_from, held->valid_from, reached(feed, bit))) {
    follow(feed, bit, held);
    return;
  }
  cds_sequence_release_before(seq, slot, held->second, out);
  cds_sequence_release(seq, held, out);
}

static bool is_known(struct cds_sequence *seq, size_t slot, uint64_t tag, unsigned link, int64_t now_ms,
                     struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  struct cds_held *held = seq->index.count > 0 ? cds_hold_find(&seq->index, slot, tag) : NULL;
  if (held != NULL) again_held(seq, held, bit_of(link), out);
  else if (tag != 0 && cds_seen_has(&feed->seen, tag)) again_delivered(feed, bit_of(link));
  else return false;
  if (feed->wanting) cds_sequence_settle(seq, slot, now_ms, out);
  return true;
}

bool cds_sequence_peek(struct cds_sequence *seq, size_t slot, uint64_t text_tag, unsigned link, int64_t now_ms,
                       struct cds_sequence_out *out) {
  return is_known(seq, slot, text_tag, link, now_ms, out);
}

/* ---- new reports ---- */

static enum cds_verdict refuse(const struct cds_candidate *candidate, enum cds_verdict verdict,
                               struct cds_sequence_out *out) {
  cds_sequence_drop(out, candidate->node);
  return verdict;
}

/* A report that cannot be kept leaves a gap like one that never came. */
static enum cds_verdict no_room(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                                struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[candidate->node->slot];
  let_go(feed, bit);
  if (seq->limits.backfill && candidate->has_observations_timestamp && !feed->open)
    cds_sequence_owe(feed, candidate->observations_timestamp);
  return refuse(candidate, CDS_VERDICT_TOO_MANY, out);
}

static enum cds_verdict pass(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                             struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[candidate->node->slot];
  if (candidate->has_observations_timestamp)
    cds_sequence_release_before(seq, candidate->node->slot, candidate->observations_timestamp, out);
  if (!cds_sequence_deliver(seq, candidate, out)) return no_room(seq, candidate, bit, out);
  if (feed->hold.head != NULL) feed->gap_filled = feed->gap_progress = true;
  if ((feed->trailing & bit) == 0) cds_sequence_join(feed, bit, feed->newest);
  return CDS_VERDICT_ACCEPT;
}

/* A connection's reports are held one behind the other, before others of the same second. NULL: no such place. */
static struct cds_held *place_behind(const struct cds_sequence_feed *feed, uint64_t bit, uint32_t second) {
  struct cds_held *from = position(feed, bit);
  bool fits = from != NULL && from->second <= second && (from->next == NULL || from->next->second >= second);
  return fits ? from : NULL;
}

static enum cds_verdict hold(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                             struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[candidate->node->slot];
  struct cds_held *held = cds_malloc(sizeof *held);
  if (held == NULL) return no_room(seq, candidate, bit, out);
  *held = (struct cds_held){.node = candidate->node,
                            .second = candidate->observations_timestamp,
                            .valid_from = candidate->valid_from_timestamp,
                            .has_valid_from = candidate->has_valid_from_timestamp,
                            .opens_gap = true,
                            .tags = {{.tag = candidate->blob_tag}, {.tag = candidate->text_tag}}};
  cds_hold_put(&feed->hold, &seq->index, held, place_behind(feed, bit, held->second));
  if (held->prev != NULL &&
      cds_sequence_is_proven(feed, held->has_valid_from, held->valid_from, held->second, held->prev->second))
    held->opens_gap = false;
  struct cds_held *next = held->next;
  if (next != NULL && cds_sequence_is_proven(feed, next->has_valid_from, next->valid_from, next->second, held->second))
    next->opens_gap = false;
  follow(feed, bit, held);
  return CDS_VERDICT_HELD;
}

static bool leaves_seconds_out(const struct cds_candidate *candidate, uint32_t after) {
  return candidate->has_valid_from_timestamp && (int64_t)candidate->valid_from_timestamp > (int64_t)after + 1;
}

/* A joined connection left seconds out. Is that how this feed is? Now and then even then REST is asked. */
static bool is_normal(struct cds_sequence *seq, struct cds_sequence_feed *feed) {
  if (!cds_sequence_is_normal_gap(feed) || ++feed->skips % PROBE_EVERY == 0) return false;
  seq->counts.gaps++;
  seq->counts.empty_gaps++;
  return true;
}

static bool follows(struct cds_sequence *seq, struct cds_sequence_feed *feed, const struct cds_candidate *candidate,
                    uint64_t bit) {
  if (feed->open) return true;
  if ((feed->joined & bit) != 0) {
    uint32_t after = reached(feed, bit);
    bool holds = feed->hold.head != NULL;
    if (!leaves_seconds_out(candidate, after) || (holds && cds_sequence_is_normal_gap(feed))) return true;
    if (!holds && leaves_seconds_out(candidate, feed->newest) && is_normal(seq, feed)) return true;
  }
  return cds_sequence_is_proven(feed, candidate->has_valid_from_timestamp, candidate->valid_from_timestamp,
                                candidate->observations_timestamp, feed->newest);
}

static bool is_late(const struct cds_sequence_feed *feed, uint32_t second) {
  return second < feed->newest || (feed->bare && second == feed->newest);
}

/* It was missed for good, as seconds never go back; unless it was delivered so long ago that this is forgotten. */
static enum cds_verdict refuse_late(struct cds_sequence *seq, const struct cds_candidate *candidate,
                                    struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  struct cds_sequence_feed *feed = seq->feeds[slot];
  uint32_t second = candidate->observations_timestamp;
  if (cds_seen_covers(&feed->seen, second) && second != feed->told_late) {
    feed->told_late = second;
    cds_sequence_lose(seq, (struct cds_lost){.slot = slot, .from = second, .to = second, .reason = CDS_LOST_LATE}, out);
  }
  return refuse(candidate, CDS_VERDICT_OUT_OF_ORDER, out);
}

static void lose_before(struct cds_sequence *seq, size_t slot, uint32_t valid_from, uint32_t after,
                        struct cds_sequence_out *out) {
  struct cds_lost lost = {.slot = slot, .from = after + 1, .to = valid_from - 1, .reason = CDS_LOST_BACKFILL_OFF};
  cds_sequence_lose(seq, lost, out);
}

/* Without backfill all that is newer goes on. */
static enum cds_verdict pass_unless_late(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                                         struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  struct cds_sequence_feed *feed = seq->feeds[slot];
  if (is_late(feed, candidate->observations_timestamp)) return refuse_late(seq, candidate, out);
  bool gap = !feed->open && leaves_seconds_out(candidate, feed->newest);
  uint32_t after = feed->newest;
  enum cds_verdict verdict = pass(seq, candidate, bit, out);
  if (!gap || verdict != CDS_VERDICT_ACCEPT) return verdict;
  seq->counts.gaps++;
  lose_before(seq, slot, candidate->valid_from_timestamp, after, out);
  return verdict;
}

static bool is_full(const struct cds_sequence *seq, const struct cds_candidate *candidate) {
  size_t bytes = seq->index.bytes + sizeof(struct cds_held) + cds_queue_node_bytes(candidate->node);
  return seq->index.count >= seq->limits.max_held || bytes > seq->limits.max_held_bytes;
}

static enum cds_verdict pass_or_hold(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                                     int64_t now_ms, struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[candidate->node->slot];
  if (is_late(feed, candidate->observations_timestamp)) return refuse_late(seq, candidate, out);
  if (follows(seq, feed, candidate, bit)) return pass(seq, candidate, bit, out);
  if (is_full(seq, candidate)) {
    do cds_sequence_make_room(seq, now_ms, out);
    while (seq->limits.backfill && seq->index.count > 0 && is_full(seq, candidate));
    if (is_late(feed, candidate->observations_timestamp)) return refuse_late(seq, candidate, out);
  }
  if (!seq->limits.backfill && is_full(seq, candidate)) return pass_unless_late(seq, candidate, bit, out);
  if (!feed->gap_open) feed->gap_unbroken = (feed->joined & bit) != 0;
  feed->joined &= ~bit;
  return hold(seq, candidate, bit, out);
}

void cds_sequence_stop_waiting(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out) {
  const struct cds_sequence_feed *feed = seq->feeds[slot];
  struct cds_held *front;
  if (seq->limits.backfill || feed->hold.head == NULL) return;
  while ((front = feed->hold.head) != NULL) {
    if (cds_sequence_leaves_gap(feed, front->has_valid_from, front->valid_from, feed->newest))
      lose_before(seq, slot, front->valid_from, feed->newest, out);
    cds_sequence_release(seq, front, out);
  }
  cds_sequence_settle(seq, slot, now_ms, out);
}

/* Those that the connection is to replace bring it too, and what lies before it. */
static bool runs_ahead(const struct cds_sequence_feed *feed, const struct cds_candidate *candidate, uint64_t bit) {
  return candidate->on_trial && feed->joined != 0 && (feed->joined & bit) == 0;
}

enum cds_verdict cds_sequence_take(struct cds_sequence *seq, const struct cds_candidate *candidate, unsigned link,
                                   int64_t now_ms, int64_t latest_possible, struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  uint64_t bit = bit_of(link);
  enum cds_verdict verdict;
  if (is_known(seq, slot, candidate->blob_tag, link, now_ms, out)) return refuse(candidate, CDS_VERDICT_DUPLICATE, out);
  if (!candidate->has_observations_timestamp)
    return cds_sequence_deliver(seq, candidate, out) ? CDS_VERDICT_ACCEPT : no_room(seq, candidate, bit, out);
  if ((int64_t)candidate->observations_timestamp > latest_possible) return refuse(candidate, CDS_VERDICT_FUTURE, out);
  if (seq->limits.backfill || runs_ahead(seq->feeds[slot], candidate, bit))
    verdict = pass_or_hold(seq, candidate, bit, now_ms, out);
  else verdict = pass_unless_late(seq, candidate, bit, out);
  cds_sequence_settle(seq, slot, now_ms, out);
  return verdict;
}
