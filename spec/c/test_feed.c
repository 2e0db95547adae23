/* SPDX-License-Identifier: MIT
 * One feed's parts in step: what its check tells, how much may be held and of how long a gap, which feeds want pages. */
#include "order_fixture.h"

/* Report number i of second 100 + i is the one with blob i; from is the first of those that are held. */
static void hold_from(size_t slot, unsigned from, unsigned count) {
  take_of(slot, A, 100, 100, 0xa0);
  reconnect(A);
  for (unsigned i = 0; i < count; i++) take_of(slot, A, 100 + from + i, 100 + from + i, from + i);
}

/* ---- invariants ---- */

static void is_wrong(const char *words) {
  const char *wrong = cds_feed_check(&seq, 0);
  is_string(wrong == NULL ? "sound" : wrong, words, "told");
}

static void test_check(void) {
  set_up(NULL);
  hold_from(0, 10, 2);
  struct cds_feed *feed = seq.feeds[0];
  struct cds_held *first = feed->hold.head, *second = first->next;
  is_wrong("sound");
  second->time = first->time - 1;
  is_wrong("a held report is older than what is before it");
  second->time = first->time;
  is_wrong("sound");
  first->time = feed->release.newest - 1;
  is_wrong("a held report is older than what is before it");
  first->time = second->time = feed->release.newest;
  is_wrong("sound");
  feed->hold.count++;
  is_wrong("what is held is miscounted");
  feed->hold.count--;
  feed->hold.bytes++;
  is_wrong("what is held is miscounted");
  feed->hold.bytes--;
  first->opens_gap = false;
  is_wrong("something is held without a gap before it");
  first->opens_gap = true;
  feed->is_listed = false;
  is_wrong("the list of those that want pages is out of step");
  feed->is_listed = true;
  feed->gap.is_open = false;
  is_wrong("a gap without a held report, or the other way round");
  feed->gap.is_open = true;
  feed->gap.is_broken = true;
  is_wrong("something happened that cannot in its state");
  feed->gap.is_broken = false;
  feed->links.trailing |= 2;
  is_wrong("a connection trails behind nothing");
  feed->links.trailing &= ~UINT64_C(2);
  is_wrong("sound");
  seq.index.count++;
  is_string(cds_sequence_check(&seq), "what is held is miscounted", "of all feeds");
  seq.index.count--;
  ok(cds_sequence_check(&seq) == NULL, "all is sound");
  cds_sequence_clear(&seq);
}

/* ---- what may be held ---- */

static void test_full(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  struct cds_candidate next = candidate(150, 150, 50);
  limits.max_held = 4;
  set_up(&limits);
  hold_from(0, 10, 3);
  ok(!cds_feed_is_hold_full(&seq, next.node), "a fourth may be held");
  take(A, 113, 113, 13);
  ok(cds_feed_is_hold_full(&seq, next.node), "and no fifth");
  seq.limits.max_held = 5;
  size_t needs = seq.index.bytes + sizeof(struct cds_held) + cds_queue_node_bytes(next.node);
  seq.limits.max_held_bytes = needs;
  ok(!cds_feed_is_hold_full(&seq, next.node), "as many bytes as may be");
  seq.limits.max_held_bytes = needs - 1;
  ok(cds_feed_is_hold_full(&seq, next.node), "and no more");
  seq.limits.order = CDS_ORDER_ARRIVAL; /* of what went out only the entry is kept */
  seq.limits.max_held = 0;
  seq.limits.max_held_bytes = seq.index.bytes + sizeof(struct cds_held);
  ok(!cds_feed_is_hold_full(&seq, next.node), "an entry more may be remembered");
  seq.limits.max_held_bytes--;
  ok(cds_feed_is_hold_full(&seq, next.node), "if there is room for all of it");
  seq.limits.order = CDS_ORDER_FEED;
  cds_queue_node_free(next.node);
  cds_sequence_clear(&seq);
}

static size_t held_of(size_t slot) {
  return seq.feeds[slot]->hold.count;
}

static void make_room(void) {
  struct cds_sequence_out out = {0};
  cds_feed_make_room(&seq, now_ms, &out);
  heed(&out);
}

static void test_room(void) {
  set_up(NULL);
  make_room();
  hold_from(1, 10, 4);
  hold_from(0, 10, 5);
  is_number(take_of(1, A, 113, 113, 13), CDS_VERDICT_DUPLICATE, "two feeds hold something");
  make_room();
  ok(held_of(0) == 2 && held_of(1) == 4, "of the one that holds more the newer half goes");
  is_number(cds_gap_owed(&seq.feeds[0]->gap), 114, "and is owed up to the newest");
  is_number(seq.feeds[0]->hold.tail->time, 111, "the older half stays");
  make_room();
  ok(held_of(0) == 2 && held_of(1) == 2, "then the other one does");
  is_number(lost_count, 0, "nothing is lost by that");
  cds_sequence_clear(&seq);
}

static void trial(uint32_t second, unsigned blob) {
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate(second, second, blob);
  report.on_trial = true;
  is_number(cds_sequence_take(&seq, &report, B, now_ms, NOBODY, &out), CDS_VERDICT_HELD, "on trial");
  heed(&out);
}

static void stop_waiting(void) {
  struct cds_sequence_out out = {0};
  cds_feed_stop_waiting(&seq, 0, now_ms, &out);
  heed(&out);
}

/* Without backfill only connections on trial are waited for. */
static void test_without_backfill(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  limits.backfill = false;
  for (int is_full = 0; is_full <= 1; is_full++) {
    set_up(&limits);
    take(A, 100, 100, 1);
    trial(110, 11);
    trial(111, 12);
    if (is_full) make_room();
    else stop_waiting();
    is_delivered("1 11 12", is_full ? "where there is no room it goes on" : "it goes on when it is not waited for");
    ok(lost_count == 1 && lost.from == 101 && lost.to == 109 && lost.reason == CDS_LOST_BACKFILL_OFF, "and is told");
    stop_waiting();
    is_number(lost_count, 1, "once");
    cds_sequence_clear(&seq);
  }
  set_up(NULL);
  hold_from(0, 10, 2);
  stop_waiting();
  is_number(held_of(0), 2, "with backfill it is waited for");
  cds_sequence_clear(&seq);
}

/* What went out and is remembered makes room by giving up the gap before it. */
static void test_room_by_arrival(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  limits.order = CDS_ORDER_ARRIVAL;
  set_up(&limits);
  hold_from(0, 10, 3);
  hold_from(1, 10, 2);
  lost_count = 0;
  make_room();
  ok(held_of(0) == 0 && held_of(1) == 2, "the one that remembers most forgets");
  ok(lost_count == 1 && lost.slot == 0 && lost.reason == CDS_LOST_NO_MEMORY, "which is told");
  cds_sequence_clear(&seq);
}

/* ---- long gaps ---- */

/* After a report of time 100 one of this time and validity is held: what is told as lost? */
static void gap_of(int64_t valid_from, int64_t time, size_t ranges, int64_t to, const char *name) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  limits.max_gap_seconds = 50;
  set_up(&limits);
  take(A, 100, 100, 1);
  reconnect(A);
  is_number(take(A, valid_from, time, 2), CDS_VERDICT_HELD, name);
  is_number(lost_count, ranges, "lost ranges");
  if (ranges > 0) {
    ok(lost.from == 100 && lost.to == to && lost.reason == CDS_LOST_TOO_LONG, "up to %lld", (long long)lost.to);
    is_number(seq.feeds[0]->release.newest, to, "REST is asked behind it");
    is_number(cds_gap_close(&seq.feeds[0]->gap), CDS_GAP_WAS_FILLED, "the gap was one");
  }
  cds_sequence_clear(&seq);
}

static void test_long_gap(void) {
  gap_of(150, 150, 0, 0, "a gap as long as may be asked for");
  gap_of(151, 151, 1, 100, "a second more");
  gap_of(160, 160, 1, 109, "ten");
  gap_of(150, 500, 0, 0, "a long validity ends it");
  gap_of(151, 500, 1, 100, "where it begins");
  gap_of(600, 500, 1, 449, "one that begins behind its report says nothing");
  gap_of(0, 500, 1, 449, "nor does none");
}

static void test_long_start(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  limits.max_gap_seconds = 50;
  set_up(&limits);
  cds_sequence_start(&seq, 0, 100, now_ms);
  is_number(take(A, 500, 500, 2), CDS_VERDICT_HELD, "a report long after a stream's start");
  is_number(lost_count, 0, "of which all is asked for");
  cds_sequence_clear(&seq);
}

static void test_start_of_time(void) {
  set_up(NULL);
  cds_sequence_start(&seq, 0, 1, now_ms);
  is_number(seq.feeds[0]->release.newest, 0, "from the first second on");
  cds_sequence_clear(&seq);
  set_up(NULL);
  cds_sequence_set_unit(&seq, 0, 1000);
  cds_sequence_start(&seq, 0, 50, now_ms);
  is_number(seq.feeds[0]->release.newest, 49999, "in milliseconds");
  cds_sequence_clear(&seq);
  set_up(NULL);
  cds_sequence_set_unit(&seq, 0, 1000);
  cds_sequence_start(&seq, 0, 1, now_ms);
  is_number(seq.feeds[0]->release.newest, 999, "the first second's too");
  cds_sequence_clear(&seq);
}

/* ---- what is held ---- */

/* A feed that is known to have one report a second, up to 105; nothing follows on it. */
static void single(void) {
  set_up(NULL);
  for (unsigned i = 0; i < 6; i++) take(A, 100 + i, 100 + i, 1 + i);
  reconnect(A);
  is_number(take(A, 108, 110, 11), CDS_VERDICT_HELD, "a report behind a gap");
}

static void test_validities(void) {
  single();
  const struct cds_held *first = seq.feeds[0]->hold.head;
  is_number(take(B, 111, 115, 12), CDS_VERDICT_HELD, "one whose validity begins where that ends");
  ok(first->opens_gap && !first->next->opens_gap, "has nothing missing before it");
  cds_sequence_clear(&seq);
  single();
  is_number(take(B, 112, 115, 12), CDS_VERDICT_HELD, "one whose validity begins later");
  ok(seq.feeds[0]->hold.tail->opens_gap, "may have");
  cds_sequence_clear(&seq);
  single();
  is_number(take(B, 116, 120, 13), CDS_VERDICT_HELD, "one that waits for others");
  ok(seq.feeds[0]->hold.tail->opens_gap, "has a gap before it");
  is_number(take(B + 1, 113, 115, 12), CDS_VERDICT_HELD, "until the one before it comes");
  ok(seq.feeds[0]->hold.tail->prev->opens_gap && !seq.feeds[0]->hold.tail->opens_gap, "which has one itself");
  cds_sequence_clear(&seq);
}

/* Which of the gaps are told: those that a validity shows. */
static void gaps_are(int64_t valid_from, uint64_t gaps, const char *name) {
  set_up(NULL);
  take(A, 100, 100, 1);
  reconnect(A);
  is_number(take(A, valid_from, 110, 2), CDS_VERDICT_HELD, name);
  is_number(seq.counts.gaps, gaps, "counted gaps");
  cds_sequence_clear(&seq);
}

static void test_counted_gaps(void) {
  gaps_are(0, 0, "a report without a validity");
  gaps_are(100, 0, "one that is valid since the last");
  gaps_are(101, 0, "since right behind the last");
  gaps_are(102, 1, "since later");
}

/* A gap that was none says nothing of the feed's habits when a connection had broken. */
static void test_habits(void) {
  struct cds_sequence_out out = {0};
  set_up(NULL);
  take(A, 100, 100, 1);
  struct cds_feed *feed = seq.feeds[0];
  feed->release.empty_streak = 2;
  for (int is_joined = 0; is_joined <= 1; is_joined++) {
    cds_gap_is_left_by(&feed->gap, is_joined);
    cds_gap_open(&feed->gap, true, now_ms);
    cds_feed_settle(&seq, 0, now_ms, &out);
    is_number(feed->release.empty_streak, 2 + is_joined, is_joined ? "unbroken: counted" : "broken: left as it is");
  }
  cds_gap_open(&feed->gap, true, now_ms);
  cds_gap_fill(&feed->gap);
  cds_feed_settle(&seq, 0, now_ms, &out);
  is_number(feed->release.empty_streak, 0, "a gap that was one ends the habit");
  is_number(seq.counts.empty_gaps, 2, "of three two were empty");
  cds_sequence_clear(&seq);
}

/* ---- giving up ---- */

static void give_up(void) {
  struct cds_sequence_out out = {0};
  cds_feed_give_up(&seq, 0, CDS_LOST_FAILING, now_ms, &out);
  cds_feed_settle(&seq, 0, now_ms, &out);
  heed(&out);
}

static bool give_up_to(int64_t last) {
  struct cds_sequence_out out = {0};
  bool gave_up = cds_feed_give_up_to(&seq, 0, last, CDS_LOST_TOO_MANY, &out);
  cds_feed_settle(&seq, 0, now_ms, &out);
  heed(&out);
  return gave_up;
}

static void is_lost(int64_t from, int64_t to, const char *name) {
  ok(lost_count == 1 && lost.from == from && lost.to == to, "%s: %lld to %lld", name, (long long)lost.from,
     (long long)lost.to);
  lost_count = 0;
}

/* Of a feed with one report a second what its validity leaves out is lost, and no more. */
static void test_lost_of_single(void) {
  single();
  delivered[0] = 0;
  give_up();
  is_lost(106, 107, "up to the validity");
  is_delivered("11", "and what was held goes on");
  is_number(seq.counts.gaps, 1, "the gap");
  is_number(seq.counts.empty_gaps, 0, "was one");
  ok(!cds_gap_runs(&seq.feeds[0]->gap), "its connection goes on from there");
  cds_sequence_clear(&seq);
  single();
  reconnect(A);
  give_up();
  ok(cds_gap_runs(&seq.feeds[0]->gap), "where it is gone REST is asked for what may have come behind");
  is_number(seq.feeds[0]->gap.run_from_ms, now_ms + seq.limits.probe_ms, "after a while");
  cds_sequence_clear(&seq);
  for (int64_t valid_from = 0; valid_from <= 120; valid_from += 60) {
    if (valid_from == 60) continue;
    single();
    seq.feeds[0]->hold.head->has_valid_from = valid_from != 0;
    seq.feeds[0]->hold.head->valid_from = valid_from;
    give_up();
    is_lost(106, 109, "up to the report, where there is no validity, or none that is before it");
    cds_sequence_clear(&seq);
  }
}

static void test_lost_up_to(void) {
  single();
  ok(!give_up_to(105) && lost_count == 0, "nothing is missing up to what was delivered");
  ok(give_up_to(106), "a second is");
  is_lost(106, 106, "which is lost");
  is_number(seq.feeds[0]->release.newest, 106, "REST is asked behind it");
  ok(give_up_to(115), "all up to a later one");
  is_lost(107, 107, "but for what is held");
  is_number(seq.index.count, 0, "which goes on");
  is_number(seq.counts.empty_gaps, 0, "the gap was one");
  cds_sequence_clear(&seq);
}

static void test_lost_up_to_validity(void) {
  for (int64_t last = 107; last <= 110; last++) {
    single();
    delivered[0] = 0;
    ok(give_up_to(last), "up to %lld", (long long)last);
    is_lost(106, 107, "no more than the validity leaves out");
    is_delivered("11", "and the report goes on");
    cds_sequence_clear(&seq);
  }
}

/* Of one with several reports a second those of the held one's own may be missing too. */
static void test_lost_of_multi(void) {
  for (int64_t last = 109; last <= 110; last++) {
    set_up(NULL);
    take(A, 100, 100, 1);
    take(A, 100, 100, 2);
    reconnect(A);
    take(A, 108, 110, 11);
    ok(give_up_to(last), "up to %lld", (long long)last);
    is_lost(100, last, "from the newest second");
    is_number(seq.index.count, last < 110, last < 110 ? "what is held waits" : "it goes on");
    cds_sequence_clear(&seq);
  }
}

/* A start that no live report has met yet has no end that is known. */
static void test_lost_start(void) {
  struct cds_sequence_out out = {0};
  set_up(NULL);
  cds_sequence_start(&seq, 1, 50, now_ms);
  cds_feed_give_up(&seq, 1, CDS_LOST_FAILING, now_ms, &out);
  cds_feed_settle(&seq, 1, now_ms, &out);
  heed(&out);
  ok(lost_count == 1 && lost.slot == 1 && lost.reason == CDS_LOST_FAILING, "a start is given up");
  ok(lost.from == 50 && lost.open_ended && lost.per_second == 1, "from its second on");
  ok(seq.feeds[1]->release.open && !cds_gap_is_wanting(&seq.feeds[1]->gap), "and the feed begins anew");
  cds_sequence_clear(&seq);
}

/* Owed is what is newer than all that was delivered. */
static void test_owed(void) {
  struct cds_sequence_out out = {0};
  for (int64_t owed = 100; owed <= 101; owed++) {
    set_up(NULL);
    take(A, 100, 100, 1);
    cds_gap_owe(&seq.feeds[0]->gap, owed);
    cds_feed_settle(&seq, 0, now_ms, &out);
    ok(cds_gap_runs(&seq.feeds[0]->gap) == (owed > 100), "%lld of 100", (long long)owed);
    give_up();
    is_number(lost_count, owed > 100, "what is owed is lost");
    cds_sequence_clear(&seq);
  }
}

/* What came over REST and is held is counted when it goes out. */
static void test_backfilled(enum cds_order order) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  struct cds_sequence_out out = {0};
  limits.order = order;
  set_up(&limits);
  take(A, 100, 100, 1);
  struct cds_candidate report = candidate(110, 110, 2);
  report.node->report->backfilled = true;
  struct cds_held *held = cds_feed_hold(&seq, &report, NULL, &out);
  ok(held != NULL && (held->node == NULL) == (order == CDS_ORDER_ARRIVAL), "held");
  is_number(seq.counts.backfilled, order == CDS_ORDER_ARRIVAL, "counted, if it went out");
  cds_feed_release(&seq, held, &out);
  cds_feed_settle(&seq, 0, now_ms, &out);
  heed(&out);
  is_number(seq.counts.backfilled, 1, "and once");
  is_delivered("1 2b", "delivered");
  cds_sequence_clear(&seq);
}

/* What cannot be remembered is not delivered, and is given back. */
static void test_no_memory(void) {
  struct cds_sequence_out out = {0};
  size_t count = 0;
  set_up(NULL);
  take(A, 100, 100, 1);
  reconnect(A);
  for (unsigned i = 0; i < 60; i++) take(A, 110, 110, 10 + i);
  delivered[0] = 0;
  cds_alloc_fail_after(0);
  cds_feed_give_up(&seq, 0, CDS_LOST_FAILING, now_ms, &out);
  cds_feed_settle(&seq, 0, now_ms, &out);
  cds_alloc_fail_after(-1);
  heed(&out);
  for (const char *at = delivered; *at != 0; at++) count += *at == ' ';
  ok(count < 59, "%zu of sixty could be remembered", count + 1);
  ok(lost_count == 2 && lost.reason == CDS_LOST_NO_MEMORY && lost.from == 110 && lost.to == 110, "which is told");
  is_number(seq.index.count, 0, "nothing is held");
  cds_sequence_clear(&seq);
}

/* ---- who wants pages ---- */

static void wants(size_t slot, bool is_wanted) {
  struct cds_sequence_out out = {0};
  if (is_wanted) cds_gap_run(&seq.feeds[slot]->gap, now_ms);
  else cds_gap_stop_running(&seq.feeds[slot]->gap);
  cds_feed_settle(&seq, slot, now_ms, &out);
}

static void list_is(const char *expected, const char *name) {
  char list[16] = "";
  size_t before = 0, count = 0;
  bool is_linked = true;
  for (size_t at = seq.wanting; at != 0 && count < sizeof list - 1; at = seq.feeds[at - 1]->wanting_next) {
    list[count++] = (char)('0' + at - 1);
    is_linked = is_linked && seq.feeds[at - 1]->wanting_prev == before;
    before = at;
  }
  is_string(list, expected, name);
  ok(is_linked, "in both directions");
}

static void test_list(void) {
  set_up(NULL);
  ok(cds_sequence_grow(&seq, 5), "five feeds");
  list_is("", "none wants pages");
  for (size_t slot = 0; slot < 5; slot++) wants(slot, true);
  list_is("43210", "the latest first");
  wants(2, true);
  list_is("43210", "none twice");
  wants(2, false);
  list_is("4310", "one of the middle goes");
  wants(4, false);
  list_is("310", "the first");
  wants(0, false);
  list_is("31", "the last");
  wants(0, false);
  list_is("31", "once");
  struct cds_sequence_out out = {0};
  cds_sequence_forget(&seq, 3, &out);
  list_is("1", "one that is forgotten");
  wants(1, false);
  list_is("", "all");
  cds_sequence_clear(&seq);
}

/* What is remembered of a feed, by its unit. */
static void test_units(void) {
  set_up(NULL);
  is_number(seq.feeds[0]->release.per_second, 1, "seconds, at first");
  is_number(seq.feeds[0]->release.memory, 1, "of which one before the newest is remembered");
  cds_sequence_set_unit(&seq, 0, 1000);
  is_number(seq.feeds[0]->release.memory, 1999, "the same in milliseconds");
  seq.limits.order = CDS_ORDER_ARRIVAL;
  cds_sequence_set_unit(&seq, 0, 1000);
  is_number(seq.feeds[0]->release.memory, 10000, "ten seconds, where what comes late goes out");
  struct cds_sequence_out out = {0};
  cds_sequence_forget(&seq, 0, &out);
  ok(seq.feeds[0]->release.per_second == 1000 && seq.feeds[0]->release.memory == 10000, "a feed keeps its unit");
  ok(seq.feeds[0]->release.open, "and begins anew");
  cds_gap_run(&seq.feeds[0]->gap, 0);
  cds_gap_end_run(&seq.feeds[0]->gap);
  ok(!cds_gap_runs(&seq.feeds[0]->gap), "with nothing that was wanted before");
  seq.limits.order = CDS_ORDER_FEED;
  cds_sequence_clear(&seq);
}

int main(void) {
  test_check();
  test_full();
  test_room();
  test_without_backfill();
  test_room_by_arrival();
  test_long_gap();
  test_long_start();
  test_start_of_time();
  test_validities();
  test_counted_gaps();
  test_habits();
  test_backfilled(CDS_ORDER_FEED);
  test_backfilled(CDS_ORDER_ARRIVAL);
  test_no_memory();
  test_lost_of_single();
  test_lost_up_to();
  test_lost_up_to_validity();
  test_lost_of_multi();
  test_lost_start();
  test_owed();
  test_list();
  test_units();
  return done();
}
