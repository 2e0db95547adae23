/* SPDX-License-Identifier: MIT
 * What comes from the connections: which report goes on at once, which is held, which connection is joined. */
#include "order/sequence.h"

#include "base/alloc.h"

/* ---- life ---- */

bool cds_sequence_init(struct cds_sequence *seq, size_t slots, uint64_t seed,
                       const struct cds_sequence_limits *limits) {
  *seq = (struct cds_sequence){.seed = seed, .limits = *limits, .most_a_page = SIZE_MAX};
  size_t most = limits->max_held_bytes / sizeof(struct cds_held);
  if (limits->order == CDS_ORDER_FEED && most > limits->max_held) most = limits->max_held;
  if (cds_hold_index_init(&seq->index, most) && cds_sequence_grow(seq, slots)) return true;
  cds_sequence_clear(seq);
  return false;
}

void cds_sequence_clear(struct cds_sequence *seq) {
  for (size_t slot = 0; slot < seq->count; slot++) cds_feed_free(seq, slot);
  cds_free(seq->feeds);
  cds_hold_index_clear(&seq->index);
  *seq = (struct cds_sequence){0};
}

bool cds_sequence_grow(struct cds_sequence *seq, size_t slots) {
  if (slots > SIZE_MAX / sizeof(struct cds_feed *)) return false;
  size_t before = seq->count;
  struct cds_feed **feeds = cds_realloc(seq->feeds, slots * sizeof *feeds);
  if (feeds == NULL) return false;
  seq->feeds = feeds;
  while (seq->count < slots && (feeds[seq->count] = cds_feed_new()) != NULL) cds_feed_set_unit(seq, seq->count++, 1);
  if (seq->count >= slots) return true;
  while (seq->count > before) cds_feed_free(seq, --seq->count);
  return false;
}

void cds_sequence_forget(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  cds_feed_forget(seq, slot, out);
}

void cds_sequence_set_unit(struct cds_sequence *seq, size_t slot, int64_t per_second) {
  cds_feed_set_unit(seq, slot, per_second);
}

void cds_sequence_start(struct cds_sequence *seq, size_t slot, int64_t second, int64_t now_ms) {
  struct cds_feed *feed = seq->feeds[slot];
  struct cds_sequence_out nothing = {0}; /* the feed holds nothing yet */
  if (!seq->limits.backfill) return;
  cds_release_skip_to(&feed->release, second > 0 ? second * feed->release.per_second - 1 : 0);
  cds_gap_start(&feed->gap, now_ms);
  cds_feed_settle(seq, slot, now_ms, &nothing);
}

/* ---- connections ---- */

uint64_t cds_sequence_joined(const struct cds_sequence *seq, size_t slot) {
  return seq->feeds[slot]->links.joined;
}

void cds_sequence_link_up(struct cds_sequence *seq, size_t slot, int64_t now_ms) {
  struct cds_feed *feed = seq->feeds[slot];
  struct cds_sequence_out nothing = {0}; /* what is held stays held */
  if (!seq->limits.backfill || feed->release.open || feed->links.joined != 0) return;
  cds_gap_run(&feed->gap, now_ms + seq->limits.probe_ms);
  cds_feed_settle(seq, slot, now_ms, &nothing);
}

void cds_sequence_link_down(struct cds_sequence *seq, unsigned link) {
  for (size_t slot = 0; slot < seq->count; slot++)
    cds_links_let_go(&seq->feeds[slot]->links, &seq->feeds[slot]->hold, cds_links_bit(link));
}

void cds_sequence_doubt(struct cds_sequence *seq, unsigned link, int64_t now_ms) {
  cds_sequence_link_down(seq, link);
  for (size_t slot = 0; slot < seq->count; slot++)
    cds_sequence_link_up(seq, slot, now_ms); /* where no other connection keeps up, it may be this one's report */
}

/* ---- copies ---- */

/* The connection brought this held report. Right after the one before it, nothing is missing between the two, unless
 * the validity proves it. */
static void follow(struct cds_feed *feed, uint64_t bit, struct cds_held *held) {
  const struct cds_held *from = cds_links_position(&feed->links, &feed->hold, bit);
  if (from != NULL && held->time < from->time) return; /* reordered: it says nothing */
  if (from != NULL && from == held->prev)
    held->opens_gap =
      held->opens_gap && cds_release_leaves_gap(&feed->release, held->has_valid_from, held->valid_from, from->time);
  cds_links_move_to(&feed->links, &feed->hold, bit, held);
}

static void again_held(struct cds_sequence *seq, struct cds_held *held, uint64_t bit, struct cds_sequence_out *out) {
  size_t slot = held->slot;
  struct cds_feed *feed = seq->feeds[slot];
  int64_t reached = cds_links_reached(&feed->links, bit);
  if (!cds_links_is_joined(&feed->links, bit) ||
      cds_release_leaves_gap(&feed->release, held->has_valid_from, held->valid_from, reached)) {
    follow(feed, bit, held);
    return;
  }
  cds_feed_release_before(seq, slot, held->time, out);
  cds_feed_release(seq, held, out);
}

/* A copy of a delivered report joins a connection, unless a later report of it is held: then the copy is a latecomer,
 * and others may be missing between the two. */
static bool is_known(struct cds_sequence *seq, size_t slot, uint64_t tag, unsigned link, int64_t now_ms,
                     struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[slot];
  struct cds_held *held = seq->index.count > 0 ? cds_hold_find(&seq->index, slot, tag) : NULL;
  if (held != NULL) again_held(seq, held, cds_links_bit(link), out);
  else if (cds_release_knows(&feed->release, tag))
    cds_links_join(&feed->links, cds_links_bit(link), feed->release.newest);
  else return false;
  if (feed->is_listed) cds_feed_settle(seq, slot, now_ms, out);
  return true;
}

bool cds_sequence_peek(struct cds_sequence *seq, size_t slot, uint64_t text_tag, unsigned link, int64_t now_ms,
                       struct cds_sequence_out *out) {
  return is_known(seq, slot, text_tag, link, now_ms, out);
}

/* ---- new reports ---- */

/* A report that cannot be kept leaves a gap like one that never came. */
static enum cds_verdict no_room(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                                struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[candidate->node->slot];
  cds_links_let_go(&feed->links, &feed->hold, bit);
  if (seq->limits.backfill && candidate->has_observations_timestamp && !feed->release.open)
    cds_gap_owe(&feed->gap, candidate->observations_timestamp);
  return cds_feed_refuse(candidate, CDS_VERDICT_TOO_MANY, out);
}

static enum cds_verdict pass(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                             int64_t now_ms, struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[candidate->node->slot];
  if (candidate->has_observations_timestamp)
    cds_feed_release_before(seq, candidate->node->slot, candidate->observations_timestamp, out);
  if (!cds_feed_deliver(seq, candidate, out)) return no_room(seq, candidate, bit, out);
  if (feed->hold.head != NULL) cds_gap_progress(&feed->gap, now_ms);
  cds_links_join(&feed->links, bit, feed->release.newest);
  return CDS_VERDICT_ACCEPT;
}

/* A connection's reports are held one behind the other, before others of the same time. NULL: no such place. */
static struct cds_held *place_behind(const struct cds_feed *feed, uint64_t bit, int64_t time) {
  struct cds_held *from = cds_links_position(&feed->links, &feed->hold, bit);
  bool fits = from != NULL && from->time <= time && (from->next == NULL || from->next->time >= time);
  return fits ? from : NULL;
}

static enum cds_verdict hold(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                             struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[candidate->node->slot];
  struct cds_held *held =
    cds_feed_hold(seq, candidate, place_behind(feed, bit, candidate->observations_timestamp), out);
  if (held == NULL) return no_room(seq, candidate, bit, out);
  follow(feed, bit, held);
  return CDS_VERDICT_HELD;
}

static bool leaves_times_out(const struct cds_candidate *candidate, int64_t after) {
  return candidate->has_valid_from_timestamp && candidate->valid_from_timestamp > after + 1;
}

/* A joined connection left times out. Is that how this feed is? */
static bool is_normal(struct cds_sequence *seq, struct cds_feed *feed) {
  if (!cds_release_takes_for_normal(&feed->release)) return false;
  seq->counts.gaps++;
  seq->counts.empty_gaps++;
  return true;
}

/* What follows on what the connection brought last, not on what others or REST delivered since: it may have left that
 * out. */
static bool follows(struct cds_sequence *seq, struct cds_feed *feed, const struct cds_candidate *candidate,
                    uint64_t bit) {
  const struct cds_release *release = &feed->release;
  if (release->open) return true;
  if (cds_links_is_joined(&feed->links, bit)) {
    bool holds = feed->hold.head != NULL;
    if (!leaves_times_out(candidate, cds_links_reached(&feed->links, bit))) return true;
    if (holds && cds_release_has_normal_gaps(release)) return true;
    if (!holds && leaves_times_out(candidate, release->newest) && is_normal(seq, feed)) return true;
  }
  return cds_release_is_proven(release, candidate->has_valid_from_timestamp, candidate->valid_from_timestamp,
                               candidate->observations_timestamp, release->newest);
}

/* It was missed for good, as times never go back; unless it was delivered so long ago that this is forgotten. */
static enum cds_verdict take_late(struct cds_sequence *seq, const struct cds_candidate *candidate,
                                  struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  int64_t time = candidate->observations_timestamp;
  if (cds_feed_deliver_late(seq, candidate, out)) return CDS_VERDICT_OUT_OF_ORDER;
  bool is_missed = seq->limits.order == CDS_ORDER_FEED && cds_release_misses(&seq->feeds[slot]->release, time);
  if (is_missed) cds_feed_lose(seq, slot, time, time, CDS_LOST_LATE, out);
  return cds_feed_refuse(candidate, CDS_VERDICT_OUT_OF_ORDER, out);
}

/* Without backfill all that is newer goes on. */
static enum cds_verdict pass_unless_late(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                                         int64_t now_ms, struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  const struct cds_release *release = &seq->feeds[slot]->release;
  if (cds_release_is_late(release, candidate->observations_timestamp)) return take_late(seq, candidate, out);
  bool gap = !release->open && leaves_times_out(candidate, release->newest);
  int64_t after = release->newest;
  enum cds_verdict verdict = pass(seq, candidate, bit, now_ms, out);
  if (!gap || verdict != CDS_VERDICT_ACCEPT) return verdict;
  seq->counts.gaps++;
  cds_feed_lose(seq, slot, after + 1, candidate->valid_from_timestamp - 1, CDS_LOST_BACKFILL_OFF, out);
  return verdict;
}

static void make_room(struct cds_sequence *seq, const struct cds_candidate *candidate, int64_t now_ms,
                      struct cds_sequence_out *out) {
  do cds_feed_make_room(seq, now_ms, out);
  while (seq->limits.backfill && seq->index.count > 0 && cds_feed_is_hold_full(seq, candidate->node));
}

static enum cds_verdict pass_or_hold(struct cds_sequence *seq, const struct cds_candidate *candidate, uint64_t bit,
                                     int64_t now_ms, struct cds_sequence_out *out) {
  struct cds_feed *feed = seq->feeds[candidate->node->slot];
  if (cds_release_is_late(&feed->release, candidate->observations_timestamp)) return take_late(seq, candidate, out);
  if (follows(seq, feed, candidate, bit)) return pass(seq, candidate, bit, now_ms, out);
  if (cds_feed_is_hold_full(seq, candidate->node)) {
    make_room(seq, candidate, now_ms, out);
    if (cds_release_is_late(&feed->release, candidate->observations_timestamp)) return take_late(seq, candidate, out);
  }
  if (!seq->limits.backfill && cds_feed_is_hold_full(seq, candidate->node))
    return pass_unless_late(seq, candidate, bit, now_ms, out);
  cds_gap_is_left_by(&feed->gap, cds_links_is_joined(&feed->links, bit));
  cds_links_unjoin(&feed->links, bit);
  return hold(seq, candidate, bit, out);
}

void cds_sequence_stop_waiting(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out) {
  cds_feed_stop_waiting(seq, slot, now_ms, out);
}

/* Those that the connection is to replace bring it too, and what lies before it. */
static bool runs_ahead(const struct cds_feed *feed, const struct cds_candidate *candidate, uint64_t bit) {
  return candidate->on_trial && feed->links.joined != 0 && !cds_links_is_joined(&feed->links, bit);
}

enum cds_verdict cds_sequence_take(struct cds_sequence *seq, const struct cds_candidate *candidate, unsigned link,
                                   int64_t now_ms, int64_t latest_possible, struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  uint64_t bit = cds_links_bit(link);
  enum cds_verdict verdict;
  if (is_known(seq, slot, candidate->blob_tag, link, now_ms, out))
    return cds_feed_refuse(candidate, CDS_VERDICT_DUPLICATE, out);
  if (!candidate->has_observations_timestamp) {
    bool delivered = cds_feed_deliver(seq, candidate, out);
    return delivered ? CDS_VERDICT_ACCEPT : no_room(seq, candidate, bit, out);
  }
  if (candidate->observations_timestamp > latest_possible) return cds_feed_refuse(candidate, CDS_VERDICT_FUTURE, out);
  int64_t time = candidate->observations_timestamp;
  bool is_older = time < seq->feeds[slot]->release.sent; /* which shows by its delivery in CDS_ORDER_ARRIVAL only */
  if (seq->limits.backfill || runs_ahead(seq->feeds[slot], candidate, bit))
    verdict = pass_or_hold(seq, candidate, bit, now_ms, out);
  else verdict = pass_unless_late(seq, candidate, bit, now_ms, out);
  cds_feed_settle(seq, slot, now_ms, out);
  return is_older && (verdict == CDS_VERDICT_ACCEPT || verdict == CDS_VERDICT_HELD) ? CDS_VERDICT_OUT_OF_ORDER
                                                                                    : verdict;
}

const char *cds_sequence_check(const struct cds_sequence *seq) {
  size_t held = 0;
  for (size_t slot = 0; slot < seq->count; slot++) {
    const char *wrong = cds_feed_check(seq, slot);
    if (wrong != NULL) return wrong;
    held += seq->feeds[slot]->hold.count;
  }
  return held == seq->index.count ? NULL : "what is held is miscounted";
}
