/* SPDX-License-Identifier: MIT
 * Reports as they come: each once, held back by nothing, and gaps are filled behind them. */
#include "order_fixture.h"

static struct cds_sequence_limits by_arrival(void) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  limits.order = CDS_ORDER_ARRIVAL;
  return limits;
}

static void begin(void) {
  const struct cds_sequence_limits limits = by_arrival();
  set_up(&limits);
}

/* Reports of each second from 100 on, whose blobs are 0, 1, … */
static void take_seconds(unsigned link, unsigned count) {
  for (unsigned i = 0; i < count; i++) take(link, 100 + i, 100 + i, i + 1);
}

static void test_gap(void) {
  struct cds_fill fill;
  begin();
  take_seconds(A, 6);
  reconnect(A);
  is_number(take(A, 109, 109, 10), CDS_VERDICT_HELD, "a report behind a gap");
  is_number(take(A, 110, 110, 11), CDS_VERDICT_HELD, "and the next one");
  is_delivered("1 2 3 4 5 6 10 11", "go out as they come");
  is_number(take(B, 110, 110, 11), CDS_VERDICT_DUPLICATE, "once");
  ok(peek(B, 10), "and their texts are known");
  is_number(seq.counts.gaps, 1, "the gap is counted");
  ok(next_fill(&fill) && fill.start == 105, "and asked for");
  page(&fill, 105, 6);
  is_number(page(&fill, 106, 7), CDS_VERDICT_ACCEPT, "what was missing comes over REST");
  is_number(take(A, 111, 111, 12), CDS_VERDICT_HELD, "others go out meanwhile");
  page(&fill, 108, 9);
  is_number(page(&fill, 109, 10), CDS_VERDICT_DUPLICATE, "what went out is known to the page");
  page(&fill, 110, 11);
  page(&fill, 111, 12);
  page_of(&fill, 6);
  is_delivered("7b 12 9b", "each report once");
  is_number(seq.index.count, 0, "nothing more is remembered of the gap");
  is_number(lost_count, 0, "nothing is lost");
  is_number(take(A, 112, 112, 13), CDS_VERDICT_ACCEPT, "and the connection has joined again");
  cds_sequence_clear(&seq);
}

/* One passes another on the only connection. */
static void test_reordered(void) {
  struct cds_fill fill;
  begin();
  take_seconds(A, 6);
  take(A, 107, 107, 8);
  is_number(take(A, 106, 106, 7), CDS_VERDICT_OUT_OF_ORDER, "the one that was passed is out of order");
  is_delivered("1 2 3 4 5 6 8 7", "and delivered");
  ok(!next_fill(&fill), "REST is not needed");
  take(A, 108, 108, 9);
  is_number(take(A, 106, 106, 70), CDS_VERDICT_OUT_OF_ORDER,
            "a report of a past time that nothing showed to be missing");
  is_delivered("9 70", "is delivered as well");
  is_number(take(A, 106, 106, 70), CDS_VERDICT_DUPLICATE, "once");
  is_number(take(A, 100, 100, 71), CDS_VERDICT_OUT_OF_ORDER, "but not from before the first");
  is_delivered("", "as that is the stream's beginning");
  is_number(lost_count, 0, "nothing is lost that came");
  cds_sequence_clear(&seq);
}

static void test_forgotten(void) {
  begin();
  take_seconds(A, 100);
  delivered[0] = 0;
  is_number(take(A, 150, 150, 500), CDS_VERDICT_OUT_OF_ORDER, "what is too old to be told from a copy");
  is_delivered("", "is not delivered");
  is_number(lost_count, 0, "or told as lost");
  is_number(take(A, 190, 190, 501), CDS_VERDICT_OUT_OF_ORDER, "one of ten seconds ago");
  is_delivered("501", "is delivered");
  is_number(take(B, 195, 195, 96), CDS_VERDICT_DUPLICATE, "copies of that age are known");
  cds_sequence_clear(&seq);
}

/* A page has a report that the connection brings late, or the other way round. */
static void test_page_or_late(void) {
  struct cds_fill fill;
  begin();
  take_seconds(A, 6);
  reconnect(A);
  take(A, 110, 110, 11);
  ok(next_fill(&fill), "a gap is asked for");
  is_number(page(&fill, 105, 60), CDS_VERDICT_ACCEPT, "another report of the second before it comes");
  is_number(page(&fill, 107, 8), CDS_VERDICT_ACCEPT, "and what lies in it");
  is_number(take(A, 107, 107, 8), CDS_VERDICT_DUPLICATE, "which a connection brings late");
  is_number(take(A, 106, 106, 7), CDS_VERDICT_OUT_OF_ORDER, "one of before, that the page left out, is late");
  page(&fill, 106, 7);
  page(&fill, 110, 11);
  page_of(&fill, 4);
  is_delivered("1 2 3 4 5 6 11 60b 8b 7", "all once");
  cds_sequence_clear(&seq);
}

static void test_failing(void) {
  struct cds_fill fill;
  begin();
  take_seconds(A, 6);
  reconnect(A);
  take(A, 110, 110, 11);
  for (unsigned asked = 0; lost_count == 0 && asked < 100 && next_fill(&fill); asked++) page_failed(&fill, true);
  ok(lost_count == 1 && lost.from == 106 && lost.to == 109, "what REST has no answer for is lost, and no more");
  is_number(take(B, 110, 110, 11), CDS_VERDICT_DUPLICATE, "what went out behind it is remembered");
  is_number(take(A, 108, 108, 9), CDS_VERDICT_OUT_OF_ORDER, "what comes of it even so");
  is_delivered("1 2 3 4 5 6 11 9", "is delivered");
  cds_sequence_clear(&seq);
}

/* What is remembered is bounded; then the gap is given up, as the reports behind it would come twice. */
static void test_bound(void) {
  struct cds_sequence_limits limits = by_arrival();
  struct cds_fill fill;
  limits.max_held_bytes = 10 * sizeof(struct cds_held);
  set_up(&limits);
  take_seconds(A, 6);
  reconnect(A);
  for (unsigned i = 0; i < 10; i++) take(A, 110 + i, 110 + i, 11 + i);
  ok(next_fill(&fill), "a gap is asked for");
  is_number(lost_count, 0, "ten reports behind it are remembered");
  take(A, 120, 120, 21);
  ok(lost_count == 1 && lost.reason == CDS_LOST_NO_MEMORY && lost.from == 106 && lost.to == 109,
     "with the eleventh the gap is given up");
  is_number(page(&fill, 107, 8), CDS_VERDICT_ACCEPT, "what its page has even so is delivered");
  is_number(take(B, 115, 115, 16), CDS_VERDICT_DUPLICATE, "what came behind it is known as ever");
  is_delivered("1 2 3 4 5 6 11 12 13 14 15 16 17 18 19 20 21 8b", "and was delivered");
  cds_sequence_clear(&seq);
}

static void test_no_memory(void) {
  struct cds_fill fill;
  begin();
  take_seconds(A, 6);
  reconnect(A);
  delivered[0] = 0;
  cds_alloc_fail_after(0);
  is_number(take(A, 110, 110, 11), CDS_VERDICT_TOO_MANY, "a report that cannot be remembered is not delivered");
  cds_alloc_fail_after(-1);
  is_delivered("", "so that it does not come twice");
  ok(next_fill(&fill) && fill.start == 105, "REST is asked for it");
  page(&fill, 110, 11);
  is_delivered("11b", "and has it");
  cds_sequence_clear(&seq);
}

/* All that is remembered is of the newest time. */
static void test_no_memory_for_late(void) {
  begin();
  take(A, 100, 100, 1);
  cds_alloc_fail_after(0);
  for (unsigned blob = 2; blob < 18; blob++) take(A, 101, 105, blob);
  delivered[0] = 0;
  is_number(take(A, 103, 103, 50), CDS_VERDICT_OUT_OF_ORDER, "a late report");
  cds_alloc_fail_after(-1);
  ok(lost_count == 1 && lost.reason == CDS_LOST_NO_MEMORY && lost.from == 103 && lost.to == 103,
     "that cannot be remembered is told as lost");
  is_delivered("", "and not delivered");
  cds_sequence_clear(&seq);
}

/* It is remembered while it waits for its turn, and then not any more. */
static void test_no_memory_at_its_turn(void) {
  begin();
  take_seconds(A, 6);
  reconnect(A);
  for (unsigned i = 0; i < 60; i++) take(A, 110, 110, 100 + i);
  delivered[0] = 0;
  struct cds_fill fill;
  ok(next_fill(&fill), "a gap is asked for");
  cds_alloc_fail_after(0);
  page(&fill, 110, 100);
  for (unsigned i = 1; i < 60; i++) page(&fill, 110, 100 + i);
  page_of(&fill, 60);
  cds_alloc_fail_after(-1);
  ok(lost_count >= 1 && lost.reason == CDS_LOST_NO_MEMORY && lost.from == 110, "that is told");
  is_number(take(B, 110, 110, 130), CDS_VERDICT_OUT_OF_ORDER, "a copy that is not known any more");
  is_delivered("", "does not come twice");
  cds_sequence_clear(&seq);
}

static void test_without_backfill(void) {
  struct cds_sequence_limits limits = by_arrival();
  limits.backfill = false;
  set_up(&limits);
  take_seconds(A, 6);
  take(A, 108, 108, 9);
  ok(lost_count == 1 && lost.from == 106 && lost.to == 107, "without backfill a gap is told at once");
  is_number(take(A, 107, 107, 8), CDS_VERDICT_OUT_OF_ORDER, "what comes of it late");
  is_delivered("1 2 3 4 5 6 9 8", "is delivered");
  cds_sequence_clear(&seq);
}

int main(void) {
  test_gap();
  test_reordered();
  test_forgotten();
  test_page_or_late();
  test_failing();
  test_bound();
  test_no_memory();
  test_no_memory_for_late();
  test_no_memory_at_its_turn();
  test_without_backfill();
  return done();
}
