/* SPDX-License-Identifier: MIT
 * Which seconds of which feeds, and what the answers prove. */
#include "order/bulk.h"

#define LEAST_FEEDS 5 /* below, pages are as quick, and show more */
#define MOST_SECONDS 60
#define SLACK 2 /* seconds that another feed may miss before and behind the first one's */

/* ---- what is missing ---- */

struct range {
  int64_t from, to;
};

/* The times between the newest delivered and the first one that the validity of what is held covers. False: none, or
 * a validity proves nothing here, or one report of a second would not be all. */
static bool find_missing(const struct cds_feed *feed, struct range *range) {
  const struct cds_held *front = feed->hold.head;
  if (front == NULL || !front->has_valid_from || front->valid_from > front->time) return false;
  if (!cds_release_is_sparse(&feed->release)) return false;
  *range = (struct range){feed->release.newest + 1, front->valid_from - 1};
  return range->from <= range->to;
}

/* The same in seconds. */
static bool find_seconds(const struct cds_feed *feed, struct range *range) {
  int64_t per_second = feed->release.per_second;
  if (!find_missing(feed, range)) return false;
  *range = (struct range){range->from / per_second, range->to / per_second};
  return true;
}

static bool is_asked(const struct cds_sequence *seq, const struct cds_bulk *bulk, size_t slot) {
  return slot < seq->count && cds_gap_is_asked(&seq->feeds[slot]->gap, bulk->ticket);
}

/* ---- planning ---- */

static bool fits(const struct cds_feed *feed, struct range *range) {
  return cds_gap_may_bulk(&feed->gap) && find_seconds(feed, range) && range->to - range->from < MOST_SECONDS;
}

/* One that will be due in a moment is taken along. But not before its time after a failure. */
static bool is_due(const struct cds_sequence *seq, size_t slot, int64_t now_ms) {
  bool is_clear = seq->feeds[slot]->gap.failures == 0;
  int64_t due_ms = cds_fill_due_ms(seq, slot);
  return due_ms != INT64_MAX && due_ms - (is_clear ? seq->limits.delay_ms : 0) <= now_ms;
}

static bool is_worth(int64_t seconds, size_t feeds) {
  return seconds < (int64_t)feeds;
}

static void add(struct cds_bulk *bulk, size_t slot, struct range *all, const struct range *range) {
  bulk->feeds[bulk->count++] = (struct cds_bulk_feed){.slot = slot};
  if (range->from < all->from) all->from = range->from;
  if (range->to > all->to) all->to = range->to;
}

bool cds_bulk_plan(const struct cds_sequence *seq, int64_t now_ms, struct cds_bulk *bulk) {
  int64_t due_ms;
  struct range base, range, all = {INT64_MAX, INT64_MIN};
  size_t first = cds_fill_first_due(seq, &due_ms);
  bulk->count = 0;
  if (!seq->limits.backfill || first == 0 || due_ms > now_ms || !fits(seq->feeds[first - 1], &base)) return false;
  add(bulk, first - 1, &all, &base);
  for (size_t at = seq->wanting; at != 0 && bulk->count < CDS_BULK_FEEDS; at = seq->feeds[at - 1]->wanting_next) {
    if (at == first || !is_due(seq, at - 1, now_ms) || !fits(seq->feeds[at - 1], &range)) continue;
    if (range.from >= base.from - SLACK && range.to <= base.to + SLACK) add(bulk, at - 1, &all, &range);
  }
  bulk->second = all.from;
  return bulk->count >= LEAST_FEEDS && is_worth(all.to - all.from + 1, bulk->count);
}

void cds_bulk_begin(struct cds_sequence *seq, struct cds_bulk *bulk, int64_t now_ms) {
  bulk->ticket = ++seq->last_ticket;
  for (size_t i = 0; i < bulk->count; i++) cds_gap_ask(&seq->feeds[bulk->feeds[i].slot]->gap, bulk->ticket, now_ms);
}

/* ---- answers ---- */

bool cds_bulk_asks(const struct cds_sequence *seq, const struct cds_bulk *bulk, size_t at) {
  struct range range;
  size_t slot = bulk->feeds[at].slot;
  return is_asked(seq, bulk, slot) && find_seconds(seq->feeds[slot], &range) && bulk->second >= range.from &&
         bulk->second <= range.to;
}

bool cds_bulk_is_asked(const struct cds_sequence *seq, const struct cds_bulk *bulk) {
  for (size_t i = 0; i < bulk->count; i++)
    if (is_asked(seq, bulk, bulk->feeds[i].slot)) return true;
  return false;
}

static struct cds_bulk_feed *find(struct cds_bulk *bulk, size_t slot) {
  for (size_t i = 0; i < bulk->count; i++)
    if (bulk->feeds[i].slot == slot) return &bulk->feeds[i];
  return NULL;
}

/* CDS_VERDICT_HELD: it is what was asked for, and new. */
static enum cds_verdict judge(const struct cds_sequence *seq, const struct cds_bulk *bulk,
                              const struct cds_candidate *candidate) {
  size_t slot = candidate->node->slot;
  struct range range;
  if (!is_asked(seq, bulk, slot)) return CDS_VERDICT_DUPLICATE;
  const struct cds_feed *feed = seq->feeds[slot];
  if (cds_release_knows(&feed->release, candidate->blob_tag) ||
      cds_hold_find(&seq->index, slot, candidate->blob_tag) != NULL)
    return CDS_VERDICT_DUPLICATE;
  int64_t time = candidate->observations_timestamp;
  bool is_it = candidate->has_observations_timestamp && time / feed->release.per_second == bulk->second;
  if (!is_it || !find_missing(feed, &range) || time < range.from || time > range.to) return CDS_VERDICT_OUT_OF_ORDER;
  return cds_feed_is_hold_full(seq, candidate->node) ? CDS_VERDICT_TOO_MANY : CDS_VERDICT_HELD;
}

enum cds_verdict cds_bulk_report(struct cds_sequence *seq, struct cds_bulk *bulk, const struct cds_candidate *candidate,
                                 int64_t now_ms, struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  int64_t time = candidate->observations_timestamp;
  enum cds_verdict verdict = judge(seq, bulk, candidate);
  candidate->node->report->backfilled = true;
  if (verdict == CDS_VERDICT_HELD && cds_feed_hold(seq, candidate, NULL, out) == NULL) verdict = CDS_VERDICT_TOO_MANY;
  if (verdict != CDS_VERDICT_HELD) return cds_feed_refuse(candidate, verdict, out);
  struct cds_bulk_feed *feed = find(bulk, slot);
  cds_gap_fill(&seq->feeds[slot]->gap);
  if (feed->first == 0) feed->first = time;
  feed->last = time;
  cds_feed_settle(seq, slot, now_ms, out);
  return verdict;
}

bool cds_bulk_still_helps(const struct cds_sequence *seq, const struct cds_bulk *bulk, size_t at) {
  struct range range;
  size_t slot = bulk->feeds[at].slot;
  return is_asked(seq, bulk, slot) && find_seconds(seq->feeds[slot], &range) && range.to >= bulk->second;
}

bool cds_bulk_move_on(const struct cds_sequence *seq, struct cds_bulk *bulk) {
  struct range range, all = {INT64_MAX, INT64_MIN};
  size_t count = 0;
  bulk->second++;
  for (size_t i = 0; i < bulk->count; i++) {
    if (!cds_bulk_still_helps(seq, bulk, i) || !find_seconds(seq->feeds[bulk->feeds[i].slot], &range)) continue;
    int64_t from = range.from > bulk->second ? range.from : bulk->second;
    if (from < all.from) all.from = from;
    if (range.to > all.to) all.to = range.to;
    count++;
  }
  if (count == 0 || !is_worth(all.to - all.from + 1, count)) return false;
  bulk->second = all.from;
  return true;
}

/* ---- how it ends ---- */

static struct cds_fill leave(struct cds_bulk *bulk, size_t at) {
  struct cds_fill fill = {.slot = bulk->feeds[at].slot, .ticket = bulk->ticket};
  bulk->feeds[at] = bulk->feeds[--bulk->count];
  return fill;
}

void cds_bulk_end(struct cds_sequence *seq, struct cds_bulk *bulk, size_t at, int64_t now_ms,
                  struct cds_sequence_out *out) {
  struct cds_fill fill = leave(bulk, at);
  if (cds_fill_is_asked(seq, &fill)) cds_gap_bulk_ends(&seq->feeds[fill.slot]->gap);
  cds_fill_cut(seq, &fill, now_ms, out);
}

void cds_bulk_cut(struct cds_sequence *seq, struct cds_bulk *bulk, size_t at, int64_t now_ms,
                  struct cds_sequence_out *out) {
  struct cds_fill fill = leave(bulk, at);
  cds_fill_cut(seq, &fill, now_ms, out);
}

void cds_bulk_failed(struct cds_sequence *seq, struct cds_bulk *bulk, size_t at, int64_t at_least_ms, int64_t now_ms,
                     struct cds_sequence_out *out) {
  struct cds_fill fill = leave(bulk, at);
  if (cds_fill_is_asked(seq, &fill)) cds_gap_bulk_fails(&seq->feeds[fill.slot]->gap);
  cds_fill_failed(seq, &fill, true, at_least_ms, now_ms, out);
}
