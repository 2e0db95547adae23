/* SPDX-License-Identifier: MIT
 * The sequence, rule by rule. Random histories are in test_sequence_random.c. */
#include "order_fixture.h"

static void test_one_connection(void) {
  set_up(NULL);
  is_number(take(A, 90, 100, 1), CDS_VERDICT_ACCEPT, "the first report is next");
  is_number(take(A, 90, 100, 1), CDS_VERDICT_DUPLICATE, "the same again is a duplicate");
  is_number(take(A, 100, 100, 2), CDS_VERDICT_ACCEPT, "a different one of the same second is delivered");
  is_number(take(A, 101, 101, 3), CDS_VERDICT_ACCEPT, "the next second");
  is_number(take(A, 99, 99, 9), CDS_VERDICT_OUT_OF_ORDER, "a late one not seen before is out of order");
  ok(peek(A, 3) && !peek(A, 4), "a text seen is known, another is not");
  is_delivered("1 2 3", "each once, in order");
  cds_sequence_clear(&seq);
}

static void test_copy_joins(void) {
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  take(A, 101, 101, 2);
  is_number(take(B, 104, 104, 5), CDS_VERDICT_HELD, "a second connection's report waits: it may be ahead");
  take(A, 102, 102, 3);
  take(A, 103, 103, 4);
  is_delivered("1 2 3 4", "what the first brings goes on");
  is_number(take(A, 104, 104, 5), CDS_VERDICT_DUPLICATE, "its copy of the held one is a duplicate");
  is_delivered("5", "and lets it go");
  reconnect(A);
  is_number(take(B, 105, 105, 6), CDS_VERDICT_ACCEPT, "the second connection has joined, and goes on alone");
  ok(!next_fill(&fill), "REST is not needed");
  cds_sequence_clear(&seq);
}

static void test_doubt(void) {
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  take(A, 100, 100, 2);
  cds_sequence_doubt(&seq, A, now_ms);
  is_number(take(A, 100, 100, 4), CDS_VERDICT_HELD, "after a message nobody could read the next report waits");
  ok(next_fill(&fill) && fill.start == 100, "what it may have been is asked for");
  page(&fill, 100, 1);
  page(&fill, 100, 2);
  page(&fill, 100, 3);
  page(&fill, 100, 4);
  page_of(&fill, 0);
  is_delivered("1 2 3b 4", "and comes first");
  cds_sequence_doubt(&seq, A, now_ms);
  ok(next_fill(&fill), "it is asked for also when no report follows");
  page(&fill, 101, 5);
  page_of(&fill, 0);
  is_delivered("5b", "and comes");
  cds_sequence_clear(&seq);
}

/* A page moves the watermark into a second that a joined connection leaves out. */
static void test_skipped_second(void) {
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  take(A, 100, 100, 2);
  is_number(take(B, 101, 101, 6), CDS_VERDICT_HELD, "a connection begins within the next second");
  now_ms += 2000;
  ok(next_fill(&fill), "what lies before is asked for");
  page(&fill, 100, 1);
  page(&fill, 100, 2);
  page(&fill, 101, 3);
  page(&fill, 101, 4);
  page_of(&fill, 0);
  is_delivered("1 2 3b 4b", "REST has not all of it yet");
  is_number(take(A, 102, 102, 7), CDS_VERDICT_HELD, "the joined one left that second out: it proves nothing");
  is_number(take(B, 102, 102, 7), CDS_VERDICT_DUPLICATE, "the other brings the same");
  is_delivered("", "and nothing leaves before it is known what lies between");
  ok(next_fill(&fill) && fill.start == 101, "REST is asked again");
  page(&fill, 101, 5);
  page(&fill, 101, 6);
  page_of(&fill, 0);
  is_delivered("5b 6 7", "in order");
  cds_sequence_clear(&seq);
}

/* After reports up to 104, and one connection's skipped second: how long until REST is asked? */
static int64_t patience(uint32_t other_reached) {
  struct cds_fill fill;
  set_up(NULL);
  for (unsigned i = 0; i < 5; i++) {
    take(A, 100 + i, 100 + i, 1 + i);
    if (100 + i <= other_reached) take(B, 100 + i, 100 + i, 1 + i);
  }
  is_number(take(A, 106, 106, 7), CDS_VERDICT_HELD, "a second is skipped");
  int64_t from_ms = now_ms;
  ok(next_fill(&fill), "REST is asked");
  cds_sequence_clear(&seq);
  return now_ms - from_ms;
}

static void test_patience(void) {
  is_number(patience(104), 1500, "after a while, as the other connection may bring it");
  is_number(patience(103), 1500, "also when that one is a bit behind");
  is_number(patience(102), 100, "soon, when the other one is silent, dead perhaps");
}

static void test_single_is_proven(void) {
  set_up(NULL);
  for (unsigned i = 0; i < 6; i++) take(A, 100 + i, 100 + i, 1 + i);
  reconnect(A);
  is_number(take(A, 106, 106, 7), CDS_VERDICT_ACCEPT, "one report a second: the validity shows that none is missing");
  is_delivered("1 2 3 4 5 6 7", "all without REST");
  cds_sequence_clear(&seq);
}

static void test_fill(void) {
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  reconnect(A);
  is_number(take(A, 103, 103, 5), CDS_VERDICT_HELD, "after a reconnect reports may be missing");
  is_number(take(A, 104, 104, 6), CDS_VERDICT_HELD, "the next waits behind it");
  is_delivered("1", "neither is delivered");
  ok(next_fill(&fill), "a page is asked for");
  is_number(fill.start, 100, "from the newest second, which may be incomplete");
  is_number(page(&fill, 100, 1), CDS_VERDICT_DUPLICATE, "what was delivered is skipped");
  page(&fill, 100, 2);
  page(&fill, 101, 3);
  page_of(&fill, 0);
  is_delivered("2b 3b", "what is new is backfilled");
  ok(next_fill(&fill) && fill.start == 101, "the next page is asked for from the second reached");
  page(&fill, 101, 3);
  page(&fill, 102, 4);
  is_number(page(&fill, 103, 5), CDS_VERDICT_DUPLICATE, "the page reaches the held report");
  page_of(&fill, 0);
  is_delivered("4b 5 6", "which goes on as live, with all behind it");
  ok(!next_fill(&fill), "and nothing more is asked for");
  is_number(take(A, 105, 105, 7), CDS_VERDICT_ACCEPT, "the connection has joined");
  is_number(seq.counts.backfilled, 3, "three are counted");
  is_number(seq.index.count, 0, "none is held");
  cds_sequence_clear(&seq);
}

/* Of one second a page may have them in any order, and what was held has a place in it. */
static void test_within_a_second(void) {
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  take(A, 100, 100, 2);
  reconnect(A);
  take(A, 103, 103, 4);
  take(A, 103, 103, 5);
  take(A, 104, 104, 6);
  is_delivered("1 2", "a second that is not whole, and a later one, are held");
  ok(next_fill(&fill), "a page is asked for");
  page(&fill, 103, 4);
  is_number(page(&fill, 103, 3), CDS_VERDICT_ACCEPT, "what belongs before the held one comes after it");
  page(&fill, 103, 5);
  page_of(&fill, 0);
  is_delivered("3b 4 5 6", "nothing of a later second goes before it");
  reconnect(A);
  take(A, 105, 105, 7);
  ok(next_fill(&fill), "another gap");
  page(&fill, 104, 6);
  page(&fill, 105, 7);
  page(&fill, 105, 8);
  page_of(&fill, 0);
  is_delivered("7 8b", "REST may be ahead of the connection");
  reconnect(A);
  take(A, 106, 106, 9);
  reconnect(A);
  take(A, 106, 106, 11);
  ok(next_fill(&fill), "two gaps in a second");
  page(&fill, 106, 9);
  page(&fill, 106, 10);
  page(&fill, 106, 11);
  page_of(&fill, 0);
  is_delivered("9 10b 11", "each is filled at its place");
  cds_sequence_clear(&seq);
}

static void test_rest_lacks_one(void) {
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  reconnect(A);
  take(A, 103, 103, 5);
  take(B, 104, 104, 6);
  ok(next_fill(&fill), "two connections hold a report each");
  page(&fill, 104, 6);
  page_of(&fill, 0);
  is_delivered("1 5 6", "one that REST does not show goes before the next one that it shows");
  ok(!next_fill(&fill), "and nothing is left to ask for");
  cds_sequence_clear(&seq);
}

static void test_empty_gap(void) {
  struct cds_fill fill;
  size_t asked = 0;
  set_up(NULL);
  take(A, 100, 100, 1);
  is_number(take(A, 105, 105, 2), CDS_VERDICT_HELD, "a validity that leaves seconds out");
  while (asked < 20 && next_fill(&fill)) {
    page(&fill, 100, 1);
    page_of(&fill, 0);
    asked++;
  }
  is_number(asked, 5, "REST may lag: it is asked again four times");
  is_number(now_ms, 1000 + 100 + 300 + 600 + 1200 + 2400, "after growing delays");
  is_delivered("1 2", "then nothing is missing");
  is_number(seq.counts.gaps, 1, "a gap");
  is_number(seq.counts.empty_gaps, 1, "that was empty");
  is_number(lost_count, 0, "and nothing is lost");
  cds_sequence_clear(&seq);
}

static void test_normal_gaps(void) {
  struct cds_fill fill;
  size_t held = 0;
  set_up(NULL);
  take(A, 100, 100, 1);
  for (unsigned i = 1; i <= 12; i++) {
    held += take(A, 100 + 3 * i, 100 + 3 * i, 1 + i) == CDS_VERDICT_HELD;
    if (!next_fill(&fill)) continue;
    page(&fill, 100 + 3 * i, 1 + i);
    page_of(&fill, 0);
  }
  is_number(held, 3, "after three empty gaps a feed's gaps are taken for normal");
  is_number(seq.counts.empty_gaps, 12, "and still counted");
  cds_sequence_clear(&seq);
}

static void test_failures(void) {
  struct cds_fill fill;
  size_t asked = 0;
  set_up(NULL);
  take(A, 100, 100, 1);
  reconnect(A);
  take(A, 110, 110, 2);
  for (; lost_count == 0 && asked < 1000 && next_fill(&fill); asked++) page_failed(&fill, true);
  ok(asked > 30 && asked < 50, "a page that fails is asked for again, %zu times", asked);
  ok(now_ms >= 300000, "for five minutes");
  is_delivered("1 2", "then the held report goes on");
  ok(lost.from == 100 && lost.to == 110 && lost.reason == CDS_LOST_FAILING, "and the range is told as lost");
  reconnect(A);
  take(A, 120, 120, 3);
  ok(next_fill(&fill), "the next gap is asked for");
  page_failed(&fill, false);
  is_delivered("3", "a refusal is final");
  ok(lost.from == 110 && lost.to == 120 && lost.reason == CDS_LOST_REFUSED, "and told");
  is_number(seq.counts.lost.ranges, 2, "two ranges are counted");
  is_number(seq.counts.lost.ms, 22000, "with their seconds");
  cds_sequence_clear(&seq);
}

/* Two feeds with a gap: one feed's page is under way, the other one's failed five times, the last time just now. */
static void one_fails(struct cds_fill *fails, struct cds_fill *under_way, int64_t at_least_ms) {
  int64_t wait_ms;
  set_up(NULL);
  for (size_t slot = 0; slot < 2; slot++) take_of(slot, A, 100, 100, 1);
  reconnect(A);
  for (size_t slot = 0; slot < 2; slot++) take_of(slot, A, 110, 110, 2);
  ok(next_fill(under_way) && cds_fill_next(&seq, now_ms, fails, &wait_ms), "two feeds are asked for");
  for (int times = 1; times < 5; times++) {
    page_failed(fails, true);
    ok(next_fill(fails) && fails->slot != under_way->slot, "one of them again, after failure %d", times);
  }
  page_failed_for(fails, true, at_least_ms);
}

/* Answers the other feed's pages, without news, until this one is asked for: when? */
static int64_t asked_at(struct cds_fill *fails) {
  struct cds_fill fill;
  while (next_fill(&fill) && fill.slot != fails->slot) page_of(&fill, 0);
  *fails = fill;
  return now_ms;
}

static void test_rest_is_back(void) {
  struct cds_fill fails, answered;
  one_fails(&fails, &answered, 0);
  int64_t failed_ms = now_ms;
  now_ms += 100;
  page_of(&answered, 0);
  is_number(asked_at(&fails) - failed_ms, 500, "when another feed's page is answered, no feed need wait for long");
  page_failed(&fails, true);
  failed_ms = now_ms;
  is_number(asked_at(&fails) - failed_ms, 10000, "but when it fails again, as its own pages may be to blame");
  page_of(&fails, 0);
  cds_sequence_clear(&seq);

  one_fails(&fails, &answered, 3000);
  failed_ms = now_ms;
  page_of(&answered, 0);
  is_number(asked_at(&fails) - failed_ms, 3000, "and never sooner than REST said");
  cds_sequence_clear(&seq);
}

static void test_long_gap(void) {
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  reconnect(A);
  take(A, 10000, 10000, 2);
  ok(lost_count == 1 && lost.from == 100 && lost.to == 6399 && lost.reason == CDS_LOST_TOO_LONG,
     "of a long gap the older part is lost");
  ok(next_fill(&fill) && fill.start == 6400, "the newest hour is asked for");
  cds_sequence_clear(&seq);
}

static void test_start(void) {
  struct cds_fill fill;
  int64_t wait_ms;
  set_up(NULL);
  cds_sequence_start(&seq, 0, 50, now_ms);
  ok(cds_fill_next(&seq, now_ms, &fill, &wait_ms) && fill.start == 50, "a start is asked for at once");
  ok(!cds_fill_next(&seq, now_ms, &fill, &wait_ms) && wait_ms < 0, "and once");
  is_number(take(A, 53, 53, 4), CDS_VERDICT_HELD, "a live report waits meanwhile");
  page(&fill, 50, 1);
  page(&fill, 51, 2);
  page(&fill, 52, 3);
  page_of(&fill, 0);
  is_delivered("1b 2b 3b", "the past comes first");
  ok(next_fill(&fill) && fill.start == 52, "page after page");
  page(&fill, 52, 3);
  page(&fill, 53, 4);
  page_of(&fill, 0);
  is_delivered("4", "until the live report");
  ok(!next_fill(&fill), "which ends it");
  is_number(take(A, 54, 54, 5), CDS_VERDICT_ACCEPT, "the connection has joined");
  cds_sequence_clear(&seq);
}

static void test_start_refused(void) {
  struct cds_fill fill;
  set_up(NULL);
  cds_sequence_start(&seq, 0, 50, now_ms);
  ok(next_fill(&fill), "a start is asked for");
  page_failed(&fill, false);
  ok(lost_count == 1 && lost.from == 50 && lost.open_ended && lost.reason == CDS_LOST_REFUSED,
     "when REST refuses, that is told: from its second up to the next report, whichever that will be");
  is_number(take(A, 99, 99, 1), CDS_VERDICT_ACCEPT, "which goes on at once");
  ok(!next_fill(&fill), "and nothing is asked for");
  cds_sequence_clear(&seq);
}

static void test_quiet_reconnect(void) {
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  reconnect(A);
  cds_sequence_link_up(&seq, 0, now_ms);
  ok(next_fill(&fill) && now_ms == 6000, "a feed that is quiet after a reconnect is asked for");
  page(&fill, 104, 2);
  page_of(&fill, 0);
  is_delivered("1 2b", "what was missed comes");
  ok(next_fill(&fill), "a page with news is followed by another");
  page(&fill, 104, 2);
  page_of(&fill, 0);
  ok(!next_fill(&fill), "one without by none");
  cds_sequence_clear(&seq);
}

static void test_hold_limit(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  struct cds_fill fill;
  limits.max_held = 4;
  set_up(&limits);
  take(A, 100, 100, 1);
  reconnect(A);
  for (unsigned i = 0; i < 5; i++) take(A, 110 + i, 110 + i, 10 + i);
  ok(seq.index.count <= 4 && lost_count == 0, "while REST works the newer held reports may go: it has them");
  ok(next_fill(&fill), "a page is asked for");
  page_failed(&fill, true);
  for (unsigned i = 5; i < 9; i++) take(A, 110 + i, 110 + i, 10 + i);
  ok(seq.index.count <= 4 && lost_count == 0, "so they may when it fails: it will have them still");
  cds_sequence_clear(&seq);
}

/* There is nobody to make room for it. */
static void test_alone_too_large(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  limits.max_held_bytes = 1;
  set_up(&limits);
  take(A, 100, 100, 1);
  is_number(take(A, 110, 110, 2), CDS_VERDICT_HELD, "a report larger than all that may be held is held by itself");
  is_delivered("1", "once");
  cds_sequence_clear(&seq);
}

static void test_refused(void) {
  struct cds_sequence_out out = {0};
  struct cds_candidate far = candidate(5001, 5001, 9);
  set_up(NULL);
  is_number(cds_sequence_take(&seq, &far, A, now_ms, 5000, &out), CDS_VERDICT_FUTURE, "an impossible time is refused");
  heed(&out);
  is_number(take(A, 10, 10, 1), CDS_VERDICT_ACCEPT, "and has moved nothing");
  is_number(take(A, 0, 0, 2), CDS_VERDICT_ACCEPT, "a report without times goes on");
  is_number(take(A, 0, 0, 2), CDS_VERDICT_DUPLICATE, "once");
  cds_sequence_clear(&seq);
}

static void test_no_memory(void) {
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  reconnect(A);
  cds_alloc_fail_after(0);
  enum cds_verdict verdict = take(A, 103, 103, 2);
  cds_alloc_fail_after(-1);
  is_number(verdict, CDS_VERDICT_TOO_MANY, "without memory a report is not held");
  ok(next_fill(&fill), "but asked for");
  page(&fill, 103, 2);
  page_of(&fill, 0);
  is_delivered("1 2b", "and comes over REST");
  cds_sequence_clear(&seq);
}

/* Several reports a second: no validity shows that one is missing. */
static void test_too_late(void) {
  set_up(NULL);
  take(A, 100, 100, 1);
  is_number(take(A, 99, 99, 2), CDS_VERDICT_OUT_OF_ORDER, "a report from before the first one");
  is_number(lost_count, 0, "is not missed");
  take(A, 101, 101, 3);
  take(A, 101, 101, 4);
  take(A, 102, 102, 6);
  is_number(take(B, 101, 101, 4), CDS_VERDICT_DUPLICATE, "a copy of one of the second before is known");
  is_number(lost_count, 0, "and not missed");
  is_number(take(A, 101, 101, 5), CDS_VERDICT_OUT_OF_ORDER, "one that never came before is too late");
  ok(lost_count == 1 && lost.from == 101 && lost.to == 101 && lost.reason == CDS_LOST_LATE, "and told as lost");
  take(A, 101, 101, 7);
  is_number(lost_count, 1, "its second once");
  is_number(seq.counts.lost.ms, 1000, "and counted once");
  for (unsigned i = 0; i < 100; i++) take(A, 103 + i / 50, 103 + i / 50, 100 + i);
  take(A, 101, 101, 8);
  is_number(lost_count, 1, "nothing is said of a second that is forgotten");
  take(A, 103, 103, 9);
  is_number(lost_count, 2, "all of the second before the newest is remembered");
  cds_sequence_clear(&seq);
}

static enum cds_verdict take_on_trial(unsigned link, uint32_t second, unsigned blob) {
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate(second, second, blob);
  report.on_trial = true;
  enum cds_verdict verdict = cds_sequence_take(&seq, &report, link, now_ms, NOBODY, &out);
  heed(&out);
  return verdict;
}

static void stop_waiting(void) {
  struct cds_sequence_out out = {0};
  cds_sequence_stop_waiting(&seq, 0, now_ms, &out);
  heed(&out);
}

static void test_on_trial_without_backfill(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  struct cds_fill fill;
  limits.backfill = false;
  limits.max_held = 3;
  set_up(&limits);
  take(A, 100, 100, 1);
  is_number(take_on_trial(B, 102, 3), CDS_VERDICT_HELD, "one on trial runs ahead: it waits");
  is_number(take_on_trial(B, 103, 4), CDS_VERDICT_HELD, "and so does what follows");
  ok(!next_fill(&fill), "and REST is not asked");
  is_number(take(A, 101, 101, 2), CDS_VERDICT_ACCEPT, "the old one brings what lies before");
  ok(peek(A, 3), "and comes to where the new one began");
  is_delivered("1 2 3 4", "all in order");
  is_number(take_on_trial(B, 104, 5), CDS_VERDICT_ACCEPT, "from there on the new one need not wait");
  reconnect(B);
  take_on_trial(B, 106, 7);
  stop_waiting();
  is_delivered("5 7", "it takes over though the old one stays behind");
  is_number(lost.from, 105, "what neither brought is lost, from here");
  is_number(lost.to, 105, "to here");
  reconnect(B);
  for (unsigned i = 0; i < 4; i++) take_on_trial(B, 108 + i, 10 + i);
  is_delivered("10 11 12 13", "more than may be held goes on");
  reconnect(B);
  take_on_trial(B, 113, 15);
  is_number(take(A, 114, 114, 16), CDS_VERDICT_ACCEPT, "a later report of the old one");
  is_delivered("15 16", "lets all go on that was held before it");
  is_number(seq.index.count, 0, "nothing is left");
  cds_sequence_clear(&seq);
}

static void test_backfill_off(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  struct cds_fill fill;
  limits.backfill = false;
  set_up(&limits);
  take(A, 100, 100, 1);
  is_number(take(A, 105, 105, 2), CDS_VERDICT_ACCEPT, "without backfill nothing waits");
  ok(lost_count == 1 && lost.from == 101 && lost.to == 104 && lost.reason == CDS_LOST_BACKFILL_OFF,
     "the gap is told as lost");
  ok(!next_fill(&fill), "and nothing is asked for");
  cds_sequence_clear(&seq);
}

static void test_forget(void) {
  struct cds_sequence_out out = {0};
  struct cds_fill fill;
  set_up(NULL);
  take(A, 100, 100, 1);
  reconnect(A);
  take(A, 110, 110, 2);
  ok(next_fill(&fill), "a page is under way");
  cds_sequence_forget(&seq, 0, &out);
  heed(&out);
  is_delivered("1", "a forgotten feed delivers nothing it held");
  page(&fill, 105, 3);
  page_of(&fill, 0);
  is_delivered("", "nor what the page brings");
  is_number(take(A, 50, 50, 4), CDS_VERDICT_ACCEPT, "and starts anew");
  ok(cds_sequence_grow(&seq, 5) && seq.count == 5, "slots can be added");
  cds_sequence_clear(&seq);
}

/* A connection that breaks, or is in doubt, is so for each feed, and it alone. */
static void test_each_feed(void) {
  for (int is_doubt = 0; is_doubt <= 1; is_doubt++) {
    set_up(NULL);
    for (size_t slot = 0; slot < 2; slot++)
      for (unsigned link = A; link <= B; link++) take_of(slot, link, 100, 100, 1);
    is_number(cds_sequence_joined(&seq, 0) & cds_sequence_joined(&seq, 1), 3, "two connections bring two feeds");
    if (is_doubt) cds_sequence_doubt(&seq, B, now_ms);
    else reconnect(B);
    for (size_t slot = 0; slot < 2; slot++) is_number(cds_sequence_joined(&seq, slot), 1, "one goes on");
    cds_sequence_clear(&seq);
  }
}

/* A feed of several reports a second, of which one behind a gap is held. */
static void multi(unsigned link, int64_t valid_from) {
  set_up(NULL);
  take(A, 100, 100, 1);
  take(A, 100, 100, 2);
  if (link == A) reconnect(A);
  is_number(take(link, valid_from, 110, 11), CDS_VERDICT_HELD, "held");
  delivered[0] = 0;
}

static void test_behind_a_held_one(void) {
  for (int64_t valid_from = 0; valid_from <= 112; valid_from += valid_from == 0 ? 111 : 1) {
    multi(A, 105);
    is_number(take(A, valid_from, 115, 12), CDS_VERDICT_HELD, "its connection goes on");
    ok(seq.feeds[0]->hold.tail->opens_gap == (valid_from == 112), "a validity that begins later shows a gap");
    cds_sequence_clear(&seq);
  }
}

/* A joined connection's copy lets a held report go, if it shows that nothing is missing before. */
static void test_copy_of_a_held_one(void) {
  multi(B, 108);
  is_number(take(A, 108, 110, 11), CDS_VERDICT_DUPLICATE, "a copy with a gap before it");
  is_delivered("", "lets nothing go");
  is_number(seq.index.count, 1, "it is held");
  cds_sequence_clear(&seq);
  multi(B, 101);
  is_number(take(B + 1, 101, 110, 11), CDS_VERDICT_DUPLICATE, "a copy of a connection that has not joined");
  is_delivered("", "neither");
  is_number(take(A, 101, 110, 11), CDS_VERDICT_DUPLICATE, "one that goes on from the last");
  is_delivered("11", "does");
  is_number(cds_sequence_joined(&seq, 0), 7, "and all three are joined");
  cds_sequence_clear(&seq);
  multi(B, 101);
  is_number(take(B + 1, 101, 105, 10), CDS_VERDICT_HELD, "another is held before it");
  is_number(take(A, 101, 110, 11), CDS_VERDICT_DUPLICATE, "the later one's copy");
  is_delivered("10 11", "lets both go");
  cds_sequence_clear(&seq);
}

static void is_held(const char *expected, const char *name) {
  char text[64] = "";
  for (const struct cds_held *at = seq.feeds[0]->hold.head; at != NULL; at = at->next)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%zu", text[0] == 0 ? "" : " ",
             at->node->report->length);
  is_string(text, expected, name);
}

/* A connection's reports are held one behind the other, before others of their time. */
static void test_places(void) {
  multi(A, 105);
  take(B, 110, 110, 21);
  is_held("11 21", "another connection's report of the same time is behind");
  take(A, 110, 110, 12);
  is_held("11 12 21", "the same one's is right behind its last");
  take(B, 112, 112, 22);
  take(A, 115, 115, 13);
  is_held("11 12 21 22 13", "later ones are in their order");
  take(A, 111, 111, 14);
  is_held("11 12 21 14 22 13", "whatever its last was");
  take(B, 113, 113, 23);
  is_held("11 12 21 14 22 23 13", "before one that is later");
  cds_sequence_clear(&seq);
}

/* While a joined connection brings what is missing REST is not asked. */
static void test_progress(void) {
  multi(B, 105);
  int64_t held_ms = now_ms;
  now_ms += 700;
  is_number(take(A, 101, 101, 3), CDS_VERDICT_ACCEPT, "what is missing comes");
  struct cds_fill fill;
  ok(next_fill(&fill) && now_ms == held_ms + 700 + 1500, "which begins the wait anew");
  cds_sequence_clear(&seq);
}

/* What cannot be kept is asked for, where that is possible; the connection that brought it follows on nothing. */
static void test_no_room(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  multi(A, 105);
  cds_alloc_fail_after(0);
  is_number(take(A, 111, 111, 12), CDS_VERDICT_TOO_MANY, "no memory for another that is held");
  cds_alloc_fail_after(-1);
  ok(seq.feeds[0]->links.joined == 0 && seq.feeds[0]->links.trailing == 0, "its connection is nowhere");
  is_number(cds_gap_owed(&seq.feeds[0]->gap), 111, "it is owed");
  cds_sequence_clear(&seq);

  set_up(NULL);
  cds_alloc_fail_after(0);
  is_number(take(A, 100, 100, 1), CDS_VERDICT_TOO_MANY, "no memory for the first of all");
  ok(!cds_gap_runs(&seq.feeds[0]->gap), "which the next one replaces");
  cds_alloc_fail_after(-1);
  take(A, 101, 101, 2);
  cds_alloc_fail_after(0);
  unsigned blob = 3;
  while (blob < 200 && take(A, 0, 0, blob) == CDS_VERDICT_ACCEPT) blob++;
  cds_alloc_fail_after(-1);
  ok(blob < 200 && !cds_gap_runs(&seq.feeds[0]->gap), "nobody can be asked for one without a time");
  cds_sequence_clear(&seq);

  limits.backfill = false;
  set_up(&limits);
  take(A, 100, 100, 1);
  cds_alloc_fail_after(0);
  is_number(take_on_trial(B, 110, 2), CDS_VERDICT_TOO_MANY, "no memory, and no backfill");
  cds_alloc_fail_after(-1);
  ok(!cds_gap_runs(&seq.feeds[0]->gap), "nobody is asked");
  cds_sequence_clear(&seq);
}

int main(void) {
  test_places();
  test_progress();
  test_no_room();
  test_each_feed();
  test_behind_a_held_one();
  test_copy_of_a_held_one();
  test_one_connection();
  test_copy_joins();
  test_doubt();
  test_skipped_second();
  test_patience();
  test_single_is_proven();
  test_fill();
  test_within_a_second();
  test_rest_lacks_one();
  test_empty_gap();
  test_normal_gaps();
  test_failures();
  test_rest_is_back();
  test_long_gap();
  test_start();
  test_start_refused();
  test_quiet_reconnect();
  test_hold_limit();
  test_alone_too_large();
  test_refused();
  test_no_memory();
  test_too_late();
  test_backfill_off();
  test_on_trial_without_backfill();
  test_forget();
  return done();
}
