/* SPDX-License-Identifier: MIT
 * Pages: asked for, answered, failed, waited for in vain. */
#include "order/fill.h"

#define FEWEST_OF_PAGE 10 /* a page with less than this part of what was asked for was not cut by the service */

/* ---- asking ---- */

int64_t cds_fill_due_ms(const struct cds_sequence *seq, size_t slot) {
  const struct cds_feed *feed = seq->feeds[slot];
  bool keeps_up = cds_links_one_keeps_up(&feed->links, feed->release.newest - feed->release.per_second);
  return cds_gap_due_ms(&feed->gap, &seq->limits, keeps_up);
}

size_t cds_fill_first_due(const struct cds_sequence *seq, int64_t *due_ms) {
  size_t first = 0;
  *due_ms = INT64_MAX;
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next) {
    int64_t due = cds_fill_due_ms(seq, at - 1);
    if (due >= *due_ms) continue;
    *due_ms = due;
    first = at;
  }
  return first;
}

bool cds_fill_next(struct cds_sequence *seq, int64_t now_ms, struct cds_fill *fill, int64_t *wait_ms) {
  int64_t earliest;
  *wait_ms = -1;
  if (!seq->limits.backfill) return false;
  size_t first = cds_fill_first_due(seq, &earliest);
  *wait_ms = first == 0 ? -1 : earliest <= now_ms ? 0 : earliest - now_ms;
  if (first == 0 || earliest > now_ms) return false;
  struct cds_feed *feed = seq->feeds[first - 1];
  int64_t per_second = feed->release.per_second, second = cds_release_ask_from(&feed->release) / per_second;
  *fill = (struct cds_fill){.slot = first - 1,
                            .start = second,
                            .first = second * per_second,
                            .last = second * per_second + per_second - 1,
                            .limit = cds_gap_page_limit(&feed->gap, &seq->limits),
                            .ticket = ++seq->last_ticket};
  cds_gap_ask(&feed->gap, fill->ticket, now_ms);
  return true;
}

bool cds_fill_is_asked(const struct cds_sequence *seq, const struct cds_fill *fill) {
  return fill->slot < seq->count && cds_gap_is_asked(&seq->feeds[fill->slot]->gap, fill->ticket);
}

/* ---- a page's reports ---- */

/* Of one time a page may have its reports in any order. Held ones that it showed stay until it goes on to a later time
 * or ends: those behind them would make what it still has of this time late. */
static void release_shown(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  for (struct cds_held *held = seq->feeds[slot]->hold.head, *next; held != NULL; held = next) {
    next = held->next;
    if (!held->is_shown) continue;
    cds_feed_release_before(seq, slot, held->time, out);
    cds_feed_release(seq, held, out);
  }
}

/* Where it showed the last of those that follow one on the other, what else it brings belongs behind them. */
static void release_passed(struct cds_sequence *seq, size_t slot, int64_t time, struct cds_sequence_out *out) {
  const struct cds_hold *hold = &seq->feeds[slot]->hold;
  const struct cds_held *last = hold->head;
  if (last == NULL || !last->is_shown || last->time > time) return;
  while (last->next != NULL && !last->next->opens_gap) last = last->next;
  if (!last->is_shown) return;
  while (hold->head != last) cds_feed_release(seq, hold->head, out);
  cds_feed_release(seq, hold->head, out);
}

static enum cds_verdict backfill(struct cds_sequence *seq, const struct cds_candidate *candidate,
                                 struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  struct cds_feed *feed = seq->feeds[slot];
  if (candidate->has_observations_timestamp) {
    cds_feed_release_before(seq, slot, candidate->observations_timestamp, out);
    release_passed(seq, slot, candidate->observations_timestamp, out);
  }
  if (!cds_feed_deliver(seq, candidate, out)) {
    int64_t time = candidate->has_observations_timestamp ? candidate->observations_timestamp : feed->release.newest;
    cds_feed_lose(seq, slot, time, time, CDS_LOST_NO_MEMORY, out);
    cds_gap_forgive(&feed->gap); /* asking again would not help */
    return cds_feed_refuse(candidate, CDS_VERDICT_TOO_MANY, out);
  }
  candidate->node->report->backfilled = true;
  seq->counts.backfilled++;
  cds_gap_fill(&feed->gap);
  cds_gap_page_helps(&feed->gap);
  return CDS_VERDICT_ACCEPT;
}

/* Most of these were delivered long ago. */
static enum cds_verdict take_late(struct cds_sequence *seq, const struct cds_candidate *candidate,
                                  struct cds_sequence_out *out) {
  candidate->node->report->backfilled = true;
  if (!cds_feed_deliver_late(seq, candidate, out)) return cds_feed_refuse(candidate, CDS_VERDICT_OUT_OF_ORDER, out);
  seq->counts.backfilled++;
  return CDS_VERDICT_ACCEPT;
}

static enum cds_verdict show(struct cds_sequence *seq, struct cds_held *held, const struct cds_candidate *candidate,
                             struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  held->is_shown = true;
  cds_feed_release_before(seq, slot, held->time, out);
  cds_gap_page_helps(&seq->feeds[slot]->gap);
  return cds_feed_refuse(candidate, CDS_VERDICT_DUPLICATE, out);
}

enum cds_verdict cds_fill_report(struct cds_sequence *seq, const struct cds_fill *fill,
                                 const struct cds_candidate *candidate, int64_t now_ms, int64_t latest_possible,
                                 struct cds_sequence_out *out) {
  size_t slot = fill->slot;
  bool is_timed = candidate->has_observations_timestamp;
  int64_t time = candidate->observations_timestamp;
  if (!cds_fill_is_asked(seq, fill) || candidate->node->slot != slot)
    return cds_feed_refuse(candidate, CDS_VERDICT_DUPLICATE, out);
  struct cds_feed *feed = seq->feeds[slot];
  cds_gap_page_has(&feed->gap, is_timed && time < fill->first, is_timed && time > fill->last);
  if (cds_release_knows(&feed->release, candidate->blob_tag))
    return cds_feed_refuse(candidate, CDS_VERDICT_DUPLICATE, out);
  struct cds_held *held = cds_hold_find(&seq->index, slot, candidate->blob_tag);
  if (held == NULL && is_timed && time > latest_possible) return cds_feed_refuse(candidate, CDS_VERDICT_FUTURE, out);
  if (held == NULL && is_timed && cds_release_is_late(&feed->release, time)) return take_late(seq, candidate, out);
  enum cds_verdict verdict = held != NULL ? show(seq, held, candidate, out) : backfill(seq, candidate, out);
  cds_feed_settle(seq, slot, now_ms, out);
  return verdict;
}

/* ---- how a page ends ---- */

void cds_fill_hurry(struct cds_sequence *seq) {
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next)
    cds_gap_hurry(&seq->feeds[at - 1]->gap);
}

/* The page did not go beyond its second. Is something missing in that which no page will have? A full one has not all;
 * else only a validity shows it. Then it is lost, and REST is asked from the next second on. */
static bool pass_second(struct cds_sequence *seq, const struct cds_fill *fill, bool is_full,
                        struct cds_sequence_out *out) {
  const struct cds_feed *feed = seq->feeds[fill->slot];
  const struct cds_held *front = feed->hold.head;
  int64_t newest = feed->release.newest;
  bool is_awaited = front != NULL || cds_gap_is_from_start(&feed->gap) || cds_gap_owed(&feed->gap) > newest;
  if (!is_awaited || newest > fill->last || cds_gap_page_has_passed(&feed->gap)) return false;
  bool is_shown = front != NULL && cds_release_is_single(&feed->release) &&
                  cds_release_leaves_gap(&feed->release, front->has_valid_from, front->valid_from, newest);
  return (is_full || is_shown) && cds_feed_give_up_to(seq, fill->slot, fill->last, CDS_LOST_TOO_MANY, out);
}

/* The page brought nothing new: REST lags, or there is nothing. */
static void nothing_new(struct cds_sequence *seq, const struct cds_fill *fill, size_t count, int64_t now_ms,
                        struct cds_sequence_out *out) {
  size_t slot = fill->slot;
  struct cds_feed *feed = seq->feeds[slot];
  bool is_missing = feed->hold.head != NULL || cds_gap_owed(&feed->gap) > 0;
  if (is_missing && cds_gap_ask_again(&feed->gap, &seq->limits, now_ms)) return;
  if (count >= seq->limits.page_limit / FEWEST_OF_PAGE && pass_second(seq, fill, false, out)) {
    if (fill->limit > seq->limits.page_limit) seq->most_a_page = count; /* asked for more, REST gives no more */
    return;
  }
  if (feed->hold.head != NULL) {
    feed->hold.head->opens_gap = false;
    return;
  }
  if (cds_gap_owed(&feed->gap) > feed->release.newest) cds_feed_lose_owed(seq, slot, CDS_LOST_NO_MEMORY, out);
  cds_gap_end_run(&feed->gap);
}

/* The second may have more reports than the page: a larger one is next, if REST gives it. One that is not full may have
 * ended where the next second would not have gone in whole. */
static bool enlarge_page(struct cds_sequence *seq, const struct cds_fill *fill, size_t count) {
  struct cds_feed *feed = seq->feeds[fill->slot];
  size_t most = seq->limits.max_page_limit < seq->most_a_page ? seq->limits.max_page_limit : seq->most_a_page;
  bool is_large = count >= seq->limits.page_limit;
  bool is_stuck = is_large && feed->release.newest <= fill->last && !cds_gap_page_has_passed(&feed->gap);
  if (!is_stuck || fill->limit >= most) return false;
  cds_gap_set_page_limit(&feed->gap, fill->limit * 2);
  return true;
}

void cds_fill_done(struct cds_sequence *seq, const struct cds_fill *fill, size_t count, int64_t now_ms,
                   struct cds_sequence_out *out) {
  if (!cds_fill_is_asked(seq, fill)) return;
  struct cds_gap *gap = &seq->feeds[fill->slot]->gap;
  if (cds_gap_page_is_wrong(gap)) { /* it shows nothing */
    cds_fill_failed(seq, fill, true, 0, now_ms, out);
    return;
  }
  bool is_full = count >= fill->limit || count >= seq->most_a_page;
  cds_fill_hurry(seq);
  release_shown(seq, fill->slot, out);
  if (enlarge_page(seq, fill, count) || (is_full && pass_second(seq, fill, true, out)))
    cds_gap_page_is_cut(gap, now_ms);
  else if (cds_gap_page_ends(gap, now_ms)) nothing_new(seq, fill, count, now_ms, out);
  cds_feed_settle(seq, fill->slot, now_ms, out);
}

void cds_fill_cut(struct cds_sequence *seq, const struct cds_fill *fill, int64_t now_ms, struct cds_sequence_out *out) {
  if (!cds_fill_is_asked(seq, fill)) return;
  cds_gap_page_is_cut(&seq->feeds[fill->slot]->gap, now_ms);
  cds_feed_settle(seq, fill->slot, now_ms, out);
}

void cds_fill_failed(struct cds_sequence *seq, const struct cds_fill *fill, bool retryable, int64_t at_least_ms,
                     int64_t now_ms, struct cds_sequence_out *out) {
  if (!cds_fill_is_asked(seq, fill)) return;
  struct cds_gap *gap = &seq->feeds[fill->slot]->gap;
  if (!retryable && fill->limit > seq->limits.page_limit) { /* it may be for asking for so many */
    seq->most_a_page = fill->limit / 2;
    cds_gap_set_page_limit(gap, seq->most_a_page);
    cds_fill_cut(seq, fill, now_ms, out);
    return;
  }
  cds_gap_page_fails(gap, &seq->limits, at_least_ms, now_ms);
  bool has_expired = now_ms >= cds_gap_expires_ms(gap, &seq->limits);
  if (!retryable || has_expired)
    cds_feed_give_up(seq, fill->slot, retryable ? CDS_LOST_FAILING : CDS_LOST_REFUSED, now_ms, out);
  cds_feed_settle(seq, fill->slot, now_ms, out);
}

/* ---- no answer ---- */

bool cds_fill_expire(struct cds_sequence *seq, int64_t now_ms, struct cds_sequence_out *out) {
  size_t at = seq->wanting;
  while (at != 0 && now_ms < cds_gap_expires_ms(&seq->feeds[at - 1]->gap, &seq->limits))
    at = seq->feeds[at - 1]->wanting_next;
  if (at == 0) return false;
  cds_gap_abandon(&seq->feeds[at - 1]->gap);
  cds_feed_give_up(seq, at - 1, CDS_LOST_FAILING, now_ms, out);
  cds_feed_settle(seq, at - 1, now_ms, out);
  return true;
}

int64_t cds_fill_expires_ms(const struct cds_sequence *seq) {
  int64_t first = INT64_MAX;
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next) {
    int64_t expires_ms = cds_gap_expires_ms(&seq->feeds[at - 1]->gap, &seq->limits);
    if (expires_ms < first) first = expires_ms;
  }
  return first;
}

void cds_fill_resume(struct cds_sequence *seq, int64_t now_ms) {
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next)
    cds_gap_resume(&seq->feeds[at - 1]->gap, now_ms);
}
