/* SPDX-License-Identifier: MIT
 * What is missing: when REST is asked for it, what its pages tell, and when it is given up. */
#include "order/sequence_internal.h"

#include "base/alloc.h"

#define MAX_DOUBLINGS 20

/* ---- the feeds with a fill due some time: a list through slots ---- */

static void want(struct cds_sequence *seq, size_t slot) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  if (feed->wanting) return;
  feed->wanting = true;
  feed->wanting_prev = 0;
  feed->wanting_next = seq->wanting;
  if (seq->wanting != 0) seq->feeds[seq->wanting - 1]->wanting_prev = slot + 1;
  seq->wanting = slot + 1;
}

static void want_no_more(struct cds_sequence *seq, size_t slot) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  if (!feed->wanting) return;
  feed->wanting = false;
  if (feed->wanting_next != 0) seq->feeds[feed->wanting_next - 1]->wanting_prev = feed->wanting_prev;
  if (feed->wanting_prev != 0) seq->feeds[feed->wanting_prev - 1]->wanting_next = feed->wanting_next;
  else seq->wanting = feed->wanting_next;
}

void cds_sequence_forget_fill(struct cds_sequence *seq, size_t slot) {
  want_no_more(seq, slot);
}

/* ---- gaps ---- */

static void open_gap(struct cds_sequence *seq, struct cds_sequence_feed *feed, int64_t now_ms) {
  const struct cds_held *front = feed->hold.head;
  feed->gap_open = true;
  feed->gap_filled = false;
  feed->empty_asks = 0;
  feed->gap_since_ms = now_ms;
  feed->gap_counted =
    front->has_valid_from && (int64_t)front->valid_from > (int64_t)feed->newest + 1 && !feed->from_start;
  if (feed->gap_counted) seq->counts.gaps++;
}

static void close_gap(struct cds_sequence *seq, struct cds_sequence_feed *feed) {
  feed->gap_open = false;
  feed->page_stale = true;
  if (feed->gap_filled) feed->empty_streak = feed->skips = 0;
  else if (feed->gap_counted) {
    seq->counts.empty_gaps++;
    if (feed->gap_unbroken) feed->empty_streak++;
  }
}

static void end_fill(struct cds_sequence *seq, size_t slot) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  feed->empty_asks = feed->failures = 0;
  feed->page_new = false;
  feed->not_before_ms = INT64_MIN;
  want_no_more(seq, slot);
}

/* The first second of which reports may be missing. */
static uint32_t first_missing(const struct cds_sequence_feed *feed) {
  return feed->bare || cds_sequence_is_single(feed) ? feed->newest + 1 : feed->newest;
}

/* Of a gap that is too long the older part is lost; the watermark goes to where asking begins. */
static void trim(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  const struct cds_held *front = feed->hold.head;
  if (front == NULL || feed->from_start) return;
  uint32_t edge = front->has_valid_from && front->valid_from < front->second ? front->valid_from : front->second;
  if ((int64_t)edge - feed->newest <= (int64_t)seq->limits.max_gap_seconds) return;
  uint32_t last = edge - seq->limits.max_gap_seconds - 1;
  uint32_t first = first_missing(feed);
  if (first <= last)
    cds_sequence_lose(seq, (struct cds_lost){.slot = slot, .from = first, .to = last, .reason = CDS_LOST_TOO_LONG},
                      out);
  feed->newest = last;
  feed->bare = true;
  feed->gap_filled = true;
}

static void stop_running_on(struct cds_sequence_feed *feed) {
  feed->run_on = feed->from_start = false;
  feed->owed = 0;
}

void cds_sequence_settle(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  cds_sequence_flush(seq, slot, out);
  if (feed->hold.head != NULL && !feed->gap_open) open_gap(seq, feed, now_ms);
  if (feed->gap_progress) { /* a joined connection brings what is missing: no hurry */
    feed->gap_since_ms = now_ms;
    feed->empty_asks = 0;
    feed->gap_progress = false;
  }
  trim(seq, slot, out);
  if (feed->hold.head == NULL && feed->gap_open) close_gap(seq, feed);
  if (feed->run_on && feed->hold.head == NULL && feed->joined != 0 && feed->newest >= feed->owed) stop_running_on(feed);
  if (feed->hold.head != NULL || feed->run_on) want(seq, slot);
  else end_fill(seq, slot);
}

void cds_sequence_owe(struct cds_sequence_feed *feed, uint32_t second) {
  if (!feed->run_on) feed->run_from_ms = INT64_MIN;
  feed->run_on = true;
  if (second > feed->owed) feed->owed = second;
}

void cds_sequence_link_up(struct cds_sequence *seq, size_t slot, int64_t now_ms) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  if (!seq->limits.backfill || feed->open || feed->joined != 0 || feed->run_on) return;
  feed->run_on = true;
  feed->run_from_ms = now_ms + seq->limits.probe_ms;
  want(seq, slot);
}

/* ---- giving up ---- */

static void lose_front(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason,
                       struct cds_sequence_out *out) {
  const struct cds_sequence_feed *feed = seq->feeds[slot];
  const struct cds_held *front = feed->hold.head;
  uint32_t from = first_missing(feed), to = front->second;
  if (cds_sequence_is_single(feed))
    to = (front->has_valid_from && front->valid_from < front->second ? front->valid_from : front->second) - 1;
  if (from <= to)
    cds_sequence_lose(seq, (struct cds_lost){.slot = slot, .from = from, .to = to, .reason = reason}, out);
}

static void lose_owed(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason,
                      struct cds_sequence_out *out) {
  const struct cds_sequence_feed *feed = seq->feeds[slot];
  struct cds_lost lost = {.slot = slot, .from = first_missing(feed), .to = feed->owed, .reason = reason};
  if (feed->owed >= lost.from) cds_sequence_lose(seq, lost, out);
}

/* A start that met no live report yet: the next one begins anew. */
static void lose_start(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason,
                       struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  uint32_t from = first_missing(feed);
  cds_sequence_lose(
    seq, (struct cds_lost){.slot = slot, .from = from, .to = from, .open_ended = true, .reason = reason}, out);
  feed->open = true;
}

static void give_up(struct cds_sequence *seq, size_t slot, enum cds_lost_reason reason, struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  bool held = feed->hold.head != NULL;
  while (feed->hold.head != NULL) {
    lose_front(seq, slot, reason, out);
    feed->hold.head->opens_gap = false;
    feed->gap_filled = true;
    cds_sequence_flush(seq, slot, out);
  }
  lose_owed(seq, slot, reason, out);
  if (feed->from_start && !held && feed->joined == 0) lose_start(seq, slot, reason, out);
  stop_running_on(feed);
}

/* REST has them and will bring them, sooner or later: the newer half of what is held may go. */
static void let_newer_half_go(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  cds_sequence_owe(feed, feed->hold.tail->second);
  for (size_t left = feed->hold.count / 2; feed->hold.count > left;) {
    struct cds_held *last = feed->hold.tail;
    cds_hold_remove(&feed->hold, &seq->index, last);
    feed->trailing &= ~last->at;
    cds_sequence_drop(out, last->node);
    cds_free(last);
  }
}

void cds_sequence_make_room(struct cds_sequence *seq, int64_t now_ms, struct cds_sequence_out *out) {
  size_t most = 0, bytes = 0;
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next) {
    if (seq->feeds[at - 1]->hold.bytes <= bytes) continue;
    bytes = seq->feeds[at - 1]->hold.bytes;
    most = at - 1;
  }
  if (bytes == 0) return;
  if (!seq->limits.backfill) {
    cds_sequence_stop_waiting(seq, most, now_ms, out);
    return;
  }
  let_newer_half_go(seq, most, out);
  cds_sequence_settle(seq, most, now_ms, out);
}

/* ---- asking ---- */

static int64_t later(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* When what waits will have waited for REST too long. */
static int64_t expires_ms(const struct cds_sequence *seq, const struct cds_sequence_feed *feed) {
  bool holds = feed->hold.head != NULL;
  if ((feed->ticket == 0 && feed->failures == 0) || (!holds && feed->owed == 0)) return INT64_MAX;
  int64_t since_ms = holds ? later(feed->gap_since_ms, feed->asked_since_ms) : feed->asked_since_ms;
  return since_ms + seq->limits.max_failing_ms;
}

/* A connection that keeps up may yet bring what is missing; one that is half-open will not. */
static bool one_keeps_up(const struct cds_sequence_feed *feed) {
  for (uint64_t bits = feed->joined; bits != 0; bits &= bits - 1)
    if ((int64_t)feed->reached[__builtin_ctzll(bits)] + 1 >= feed->newest) return true;
  return false;
}

static int64_t due_ms(const struct cds_sequence *seq, const struct cds_sequence_feed *feed) {
  int64_t due = feed->run_on ? later(feed->run_from_ms, feed->not_before_ms) : INT64_MAX;
  if (feed->hold.head == NULL) return due;
  int64_t wait = one_keeps_up(feed) ? seq->limits.patience_ms : seq->limits.delay_ms;
  int64_t from = feed->page_new ? feed->gap_since_ms : feed->gap_since_ms + wait;
  int64_t gap_due = later(from, feed->not_before_ms);
  return gap_due < due ? gap_due : due;
}

bool cds_sequence_next_fill(struct cds_sequence *seq, int64_t now_ms, struct cds_fill *fill, int64_t *wait_ms) {
  size_t first = 0;
  int64_t earliest = INT64_MAX;
  *wait_ms = -1;
  if (!seq->limits.backfill) return false;
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next) {
    const struct cds_sequence_feed *feed = seq->feeds[at - 1];
    if (feed->ticket != 0 || due_ms(seq, feed) >= earliest) continue;
    earliest = due_ms(seq, feed);
    first = at;
  }
  *wait_ms = first == 0 ? -1 : earliest <= now_ms ? 0 : earliest - now_ms;
  if (first == 0 || earliest > now_ms) return false;
  struct cds_sequence_feed *feed = seq->feeds[first - 1];
  feed->ticket = ++seq->last_ticket;
  if (feed->failures == 0) feed->asked_since_ms = now_ms;
  feed->page_new = feed->page_stale = feed->page_old = feed->page_reached = false;
  *fill = (struct cds_fill){first - 1, feed->bare ? feed->newest + 1 : feed->newest, feed->ticket};
  return true;
}

/* ---- answers ---- */

bool cds_sequence_is_asked(const struct cds_sequence *seq, const struct cds_fill *fill) {
  return fill->slot < seq->count && fill->ticket != 0 && seq->feeds[fill->slot]->ticket == fill->ticket;
}

static enum cds_verdict refuse(const struct cds_candidate *candidate, enum cds_verdict verdict,
                               struct cds_sequence_out *out) {
  cds_sequence_drop(out, candidate->node);
  return verdict;
}

static void page_helped(struct cds_sequence_feed *feed) {
  feed->page_new = true;
  feed->empty_asks = 0;
}

/* Of one second a page may have its reports in any order. Held ones that it showed stay until it goes on to a later
 * second or ends: those behind them would make what it still has of this second late. */
static void release_shown(struct cds_sequence *seq, size_t slot, struct cds_sequence_out *out) {
  for (struct cds_held *held = seq->feeds[slot]->hold.head, *next; held != NULL; held = next) {
    next = held->next;
    if (!held->is_shown) continue;
    cds_sequence_release_before(seq, slot, held->second, out);
    cds_sequence_release(seq, held, out);
  }
}

/* Where it showed the last of those that follow one on the other, what else it brings belongs behind them. */
static void release_passed(struct cds_sequence *seq, size_t slot, uint32_t second, struct cds_sequence_out *out) {
  const struct cds_hold *hold = &seq->feeds[slot]->hold;
  const struct cds_held *last = hold->head;
  if (last == NULL || !last->is_shown || last->second > second) return;
  while (last->next != NULL && !last->next->opens_gap) last = last->next;
  if (!last->is_shown) return;
  while (hold->head != last) cds_sequence_release(seq, hold->head, out);
  cds_sequence_release(seq, hold->head, out);
}

static enum cds_verdict backfill(struct cds_sequence *seq, const struct cds_candidate *candidate,
                                 struct cds_sequence_out *out) {
  size_t slot = candidate->node->slot;
  struct cds_sequence_feed *feed = seq->feeds[slot];
  if (candidate->has_observations_timestamp) {
    cds_sequence_release_before(seq, slot, candidate->observations_timestamp, out);
    release_passed(seq, slot, candidate->observations_timestamp, out);
  }
  if (!cds_sequence_deliver(seq, candidate, out)) {
    uint32_t second = candidate->has_observations_timestamp ? candidate->observations_timestamp : feed->newest;
    cds_sequence_lose(seq, (struct cds_lost){.slot = slot, .from = second, .to = second, .reason = CDS_LOST_NO_MEMORY},
                      out);
    feed->owed = 0; /* asking again would not help */
    return refuse(candidate, CDS_VERDICT_TOO_MANY, out);
  }
  candidate->node->report->backfilled = true;
  seq->counts.backfilled++;
  feed->gap_filled = true;
  page_helped(feed);
  return CDS_VERDICT_ACCEPT;
}

enum cds_verdict cds_sequence_page_report(struct cds_sequence *seq, const struct cds_fill *fill,
                                          const struct cds_candidate *candidate, int64_t now_ms,
                                          int64_t latest_possible, struct cds_sequence_out *out) {
  size_t slot = fill->slot;
  if (!cds_sequence_is_asked(seq, fill) || candidate->node->slot != slot)
    return refuse(candidate, CDS_VERDICT_DUPLICATE, out);
  struct cds_sequence_feed *feed = seq->feeds[slot];
  if (candidate->has_observations_timestamp && candidate->observations_timestamp < fill->start) feed->page_old = true;
  else feed->page_reached = true;
  if (cds_seen_has(&feed->seen, candidate->blob_tag)) return refuse(candidate, CDS_VERDICT_DUPLICATE, out);
  enum cds_verdict verdict = CDS_VERDICT_DUPLICATE;
  struct cds_held *held = cds_hold_find(&seq->index, slot, candidate->blob_tag);
  if (held != NULL) {
    held->is_shown = true;
    cds_sequence_release_before(seq, slot, held->second, out);
    cds_sequence_drop(out, candidate->node);
    page_helped(feed);
  } else if (candidate->has_observations_timestamp) {
    uint32_t second = candidate->observations_timestamp;
    if ((int64_t)second > latest_possible) return refuse(candidate, CDS_VERDICT_FUTURE, out);
    if (second < feed->newest || (feed->bare && second == feed->newest))
      return refuse(candidate, CDS_VERDICT_OUT_OF_ORDER, out);
    verdict = backfill(seq, candidate, out);
  } else {
    verdict = backfill(seq, candidate, out);
  }
  cds_sequence_settle(seq, slot, now_ms, out);
  return verdict;
}

/* REST answers: those that wait long, as it failed so often, need not. Once only, as what fails may be the feed's own
 * pages. */
static void hurry(struct cds_sequence *seq) {
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next) {
    struct cds_sequence_feed *feed = seq->feeds[at - 1];
    if (feed->failures == 0 || feed->hurried) continue;
    feed->hurried = true;
    if (feed->soonest_ms < feed->not_before_ms) feed->not_before_ms = feed->soonest_ms;
  }
}

/* 0.3, 0.6, 1.2 … seconds, say. */
static int64_t doubled(int64_t delay, unsigned times, int64_t most) {
  for (; times > 0 && delay < most; times--) delay *= 2;
  return delay < most ? delay : most;
}

/* The page brought nothing new: REST lags, or there is nothing. */
static void nothing_new(struct cds_sequence *seq, size_t slot, int64_t now_ms, struct cds_sequence_out *out) {
  struct cds_sequence_feed *feed = seq->feeds[slot];
  bool missing = feed->hold.head != NULL || feed->owed > 0;
  if (missing && feed->empty_asks < seq->limits.max_empty) {
    feed->not_before_ms =
      now_ms + doubled(seq->limits.empty_delay_ms, feed->empty_asks, seq->limits.empty_delay_ms << MAX_DOUBLINGS);
    feed->empty_asks++;
    return;
  }
  feed->empty_asks = 0;
  if (feed->hold.head != NULL) {
    feed->hold.head->opens_gap = false;
    return;
  }
  if (feed->owed > feed->newest) lose_owed(seq, slot, CDS_LOST_NO_MEMORY, out);
  stop_running_on(feed);
}

void cds_sequence_page_done(struct cds_sequence *seq, const struct cds_fill *fill, int64_t now_ms,
                            struct cds_sequence_out *out) {
  if (!cds_sequence_is_asked(seq, fill)) return;
  struct cds_sequence_feed *feed = seq->feeds[fill->slot];
  if (feed->page_old && !feed->page_reached) { /* not what was asked for: it shows nothing */
    cds_sequence_page_failed(seq, fill, true, 0, now_ms, out);
    return;
  }
  feed->ticket = 0;
  feed->failures = 0;
  feed->not_before_ms = now_ms;
  hurry(seq);
  release_shown(seq, fill->slot, out);
  if (!feed->page_new && !feed->page_stale) nothing_new(seq, fill->slot, now_ms, out);
  cds_sequence_settle(seq, fill->slot, now_ms, out);
}

void cds_sequence_page_cut(struct cds_sequence *seq, const struct cds_fill *fill, int64_t now_ms,
                           struct cds_sequence_out *out) {
  if (!cds_sequence_is_asked(seq, fill)) return;
  struct cds_sequence_feed *feed = seq->feeds[fill->slot];
  feed->ticket = 0;
  feed->failures = 0;
  feed->not_before_ms = now_ms;
  cds_sequence_settle(seq, fill->slot, now_ms, out);
}

void cds_sequence_page_failed(struct cds_sequence *seq, const struct cds_fill *fill, bool retryable,
                              int64_t at_least_ms, int64_t now_ms, struct cds_sequence_out *out) {
  if (!cds_sequence_is_asked(seq, fill)) return;
  struct cds_sequence_feed *feed = seq->feeds[fill->slot];
  const struct cds_sequence_limits *limits = &seq->limits;
  feed->ticket = 0;
  if (feed->failures == 0) feed->hurried = false;
  int64_t delay = doubled(limits->failed_delay_ms, feed->failures, limits->max_failed_delay_ms);
  int64_t asked_for = sooner(at_least_ms, limits->max_retry_after_ms);
  feed->failures++;
  feed->not_before_ms = sooner(now_ms + later(delay, asked_for), expires_ms(seq, feed));
  feed->soonest_ms = sooner(now_ms + later(limits->failed_delay_ms, asked_for), feed->not_before_ms);
  if (!retryable) give_up(seq, fill->slot, CDS_LOST_REFUSED, out);
  else if (now_ms >= expires_ms(seq, feed)) give_up(seq, fill->slot, CDS_LOST_FAILING, out);
  cds_sequence_settle(seq, fill->slot, now_ms, out);
}

bool cds_sequence_expire(struct cds_sequence *seq, int64_t now_ms, struct cds_sequence_out *out) {
  size_t at = seq->wanting;
  while (at != 0 && now_ms < expires_ms(seq, seq->feeds[at - 1])) at = seq->feeds[at - 1]->wanting_next;
  if (at == 0) return false;
  seq->feeds[at - 1]->ticket = 0;
  give_up(seq, at - 1, CDS_LOST_FAILING, out);
  cds_sequence_settle(seq, at - 1, now_ms, out);
  return true;
}

int64_t cds_sequence_expires_ms(const struct cds_sequence *seq) {
  int64_t first = INT64_MAX;
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next)
    first = sooner(first, expires_ms(seq, seq->feeds[at - 1]));
  return first;
}

void cds_sequence_resume(struct cds_sequence *seq, int64_t now_ms) {
  for (size_t at = seq->wanting; at != 0; at = seq->feeds[at - 1]->wanting_next)
    seq->feeds[at - 1]->asked_since_ms = now_ms;
}
