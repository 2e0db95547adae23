/* SPDX-License-Identifier: MIT
 * Pages that do not help: of other seconds than were asked for, or with a report that finds no memory. */
#include <stdlib.h>

#include "base/alloc.h"
#include "blocks.h"
#include "order/fill.h"
#include "order/sequence.h"
#include "tap.h"

#define LATEST_POSSIBLE 5000

static struct cds_sequence seq;
static size_t delivered; /* so many reports, by the last call */
static struct cds_lost lost;
static size_t lost_count;
static int64_t now_ms;

static struct cds_candidate candidate(uint32_t second, unsigned blob) {
  struct cds_queue_node *node = blocks_new(sizeof *node);
  struct cds_report *report = blocks_new(sizeof *report);
  report->refs = 1;
  node->report = report;
  return (struct cds_candidate){.node = node,
                                .has_observations_timestamp = second != 0,
                                .observations_timestamp = second,
                                .has_valid_from_timestamp = second != 0,
                                .valid_from_timestamp = second,
                                .blob_tag = blob};
}

static size_t free_all(struct cds_queue_node *nodes) {
  size_t count = 0;
  for (struct cds_queue_node *next; nodes != NULL; nodes = next, count++) {
    next = nodes->next;
    cds_queue_node_free(nodes);
  }
  return count;
}

static void heed(struct cds_sequence_out *out) {
  const char *wrong = cds_sequence_check(&seq);
  if (wrong != NULL) ok(false, "an invariant is broken: %s", wrong);
  delivered = free_all(out->deliver);
  free_all(out->drop);
  lost_count += out->lost_count;
  if (out->lost_count > 0) lost = out->lost[0];
}

static enum cds_verdict take(uint32_t second, unsigned blob) {
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate(second, blob);
  enum cds_verdict verdict = cds_sequence_take(&seq, &report, 0, now_ms, LATEST_POSSIBLE, &out);
  heed(&out);
  return verdict;
}

static enum cds_verdict page(const struct cds_fill *fill, uint32_t second, unsigned blob) {
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate(second, blob);
  enum cds_verdict verdict = cds_fill_report(&seq, fill, &report, now_ms, LATEST_POSSIBLE, &out);
  heed(&out);
  return verdict;
}

static void page_done(const struct cds_fill *fill) {
  struct cds_sequence_out out = {0};
  cds_fill_done(&seq, fill, 0, now_ms, &out);
  heed(&out);
}

/* Moves the clock to the next question. */
static bool next_fill(struct cds_fill *fill) {
  int64_t wait_ms = 0;
  if (cds_fill_next(&seq, now_ms, fill, &wait_ms)) return true;
  if (wait_ms < 0) return false;
  now_ms += wait_ms;
  return cds_fill_next(&seq, now_ms, fill, &wait_ms);
}

static void set_up(void) {
  const struct cds_sequence_limits limits = cds_sequence_default_limits();
  now_ms = 1000;
  lost_count = 0;
  ok(cds_sequence_init(&seq, 1, 7, &limits), "a sequence of one feed");
}

/* 100 was delivered, 110 is held, and what lies between is asked for. */
static void begin_with_gap(struct cds_fill *fill) {
  set_up();
  take(100, 1);
  cds_sequence_link_down(&seq, 0);
  is_number(take(110, 2), CDS_VERDICT_HELD, "a report after a gap is held");
  ok(next_fill(fill) && fill->start == 100, "and the gap asked for");
}

static void test_old_pages(void) {
  struct cds_fill fill;
  size_t asked = 0, refused = 0;
  begin_with_gap(&fill);
  int64_t began_ms = now_ms;
  do {
    refused += page(&fill, 90, 90 + (unsigned)asked) == CDS_VERDICT_OUT_OF_ORDER;
    page_done(&fill);
    asked++;
  } while (lost_count == 0 && asked < 100 && next_fill(&fill));
  is_number((long long)refused, (long long)asked, "reports from before what was asked for are not taken");
  ok(now_ms - began_ms >= seq.limits.max_failing_ms, "pages of old reports alone are asked again like failed ones");
  ok(lost.reason == CDS_LOST_FAILING && lost.from == 100 && lost.to == 110, "and show nothing: the range is lost");
  is_number(delivered, 1, "then the held report goes on");
  cds_sequence_clear(&seq);
}

static void test_no_memory(void) {
  struct cds_fill fill;
  begin_with_gap(&fill);
  unsigned blob = 10;
  enum cds_verdict verdict = CDS_VERDICT_ACCEPT;
  cds_gap_owe(&seq.feeds[0]->gap, 120);
  cds_alloc_fail_after(0);
  for (; verdict == CDS_VERDICT_ACCEPT && blob < 10000; blob++) verdict = page(&fill, 105, blob);
  cds_alloc_fail_after(-1);
  is_number(verdict, CDS_VERDICT_TOO_MANY, "a report that cannot be remembered is not delivered");
  is_number(delivered, 0, "so that it cannot come twice");
  ok(lost_count == 1 && lost.reason == CDS_LOST_NO_MEMORY && lost.from == 105 && lost.to == 105, "but told as lost");
  is_number(cds_gap_owed(&seq.feeds[0]->gap), 0, "and not asked for again");
  is_number(page(&fill, 106, blob), CDS_VERDICT_ACCEPT, "the page goes on");
  page_done(&fill);
  cds_sequence_clear(&seq);
}

static void test_times(void) {
  struct cds_fill fill, other;
  begin_with_gap(&fill);
  is_number(page(&fill, 103, 3), CDS_VERDICT_ACCEPT, "a report that was missing");
  is_number(page(&fill, 102, 4), CDS_VERDICT_OUT_OF_ORDER, "one before it, too late");
  is_number(page(&fill, LATEST_POSSIBLE + 1, 5), CDS_VERDICT_FUTURE, "one of a time that cannot be");
  is_number(page(&fill, 0, 6), CDS_VERDICT_ACCEPT, "one without a time, of a schema that is not known");
  is_number(delivered, 1, "which is delivered as it comes");
  other = fill;
  other.ticket++;
  is_number(page(&other, 104, 7), CDS_VERDICT_DUPLICATE, "a page that is not the one asked for has no say");
  page_done(&other);
  is_number(page(&fill, 104, 8), CDS_VERDICT_ACCEPT, "nor does it end the one that is");
  page_done(&fill);
  is_number((long long)lost_count, 0, "nothing is lost");
  cds_sequence_clear(&seq);
}

/* A page whose reports are in no order: what it shows of later ones does not let those go before the rest. */
static void test_back_and_forth(void) {
  struct cds_fill fill;
  begin_with_gap(&fill);
  is_number(page(&fill, 110, 2), CDS_VERDICT_DUPLICATE, "a page has the held report first");
  is_number(page(&fill, 105, 3), CDS_VERDICT_ACCEPT, "and then one from before it");
  is_number((long long)delivered, 1, "which is delivered alone");
  is_number(page(&fill, 106, 4), CDS_VERDICT_ACCEPT, "and the next");
  page_done(&fill);
  is_number((long long)lost_count, 0, "nothing is lost");
  cds_sequence_clear(&seq);
}

/* ---- how long a feed can be silent ---- */

static bool expire(void) {
  struct cds_sequence_out out = {0};
  bool gave_up = cds_fill_expire(&seq, now_ms, &out);
  heed(&out);
  return gave_up;
}

static void failed(const struct cds_fill *fill, int64_t at_least_ms) {
  struct cds_sequence_out out = {0};
  cds_fill_failed(&seq, fill, true, at_least_ms, now_ms, &out);
  heed(&out);
}

static void refused(const struct cds_fill *fill) {
  struct cds_sequence_out out = {0};
  cds_fill_failed(&seq, fill, false, 0, now_ms, &out);
  heed(&out);
}

static void test_retry_after(void) {
  struct cds_fill fill;
  begin_with_gap(&fill);
  int64_t asked_ms = now_ms;
  failed(&fill, 3600000);
  ok(next_fill(&fill), "REST asks for an hour's delay");
  is_number(now_ms - asked_ms, 60000, "and is asked again after a minute");
  while (now_ms - asked_ms < 240000) {
    failed(&fill, 50000);
    ok(next_fill(&fill), "fifty seconds are heeded");
  }
  is_number(now_ms - asked_ms, 260000, "again and again");
  failed(&fill, 50000);
  is_number(cds_fill_expires_ms(&seq) - asked_ms, 300000, "but not past five minutes");
  ok(next_fill(&fill), "REST is asked once more");
  is_number(now_ms - asked_ms, 300000, "at their end");
  is_number((long long)lost_count, 0, "nothing is lost before");
  failed(&fill, 50000);
  is_number((long long)delivered, 1, "then what is held goes on");
  ok(lost_count == 1 && lost.reason == CDS_LOST_FAILING && lost.from == 100 && lost.to == 110, "and is told");
  is_number(cds_fill_expires_ms(&seq), INT64_MAX, "nothing waits");
  cds_sequence_clear(&seq);
}

static void test_no_answer(void) {
  struct cds_fill fill;
  begin_with_gap(&fill);
  now_ms += 299999;
  ok(!expire() && cds_fill_is_asked(&seq, &fill), "an answer is waited for");
  now_ms++;
  ok(expire() && delivered == 1 && lost_count == 1, "for five minutes, then the range is lost");
  ok(!cds_fill_is_asked(&seq, &fill) && !expire(), "and nobody waits for the page");
  is_number(page(&fill, 105, 3), CDS_VERDICT_DUPLICATE, "which has no effect when it comes");
  is_number((long long)delivered, 0, "at all");
  cds_sequence_clear(&seq);
}

static void test_held_late(void) {
  struct cds_fill fill;
  set_up();
  take(100, 1);
  cds_sequence_link_down(&seq, 0);
  cds_sequence_link_up(&seq, 0, now_ms);
  ok(next_fill(&fill), "a quiet feed is asked for");
  failed(&fill, 0);
  now_ms += 400000;
  ok(!expire(), "a feed of which nothing waits is not given up");
  take(110, 2);
  ok(!expire() && lost_count == 0, "nor at once when something does");
  ok(next_fill(&fill), "REST is asked for it");
  page_done(&fill);
  is_number((long long)lost_count, 0, "and has its chance");
  cds_sequence_clear(&seq);
}

static void test_script_was_behind(void) {
  struct cds_fill fill;
  begin_with_gap(&fill);
  failed(&fill, 0);
  now_ms += 400000;
  cds_fill_resume(&seq, now_ms);
  ok(!expire(), "time in which REST was not asked does not count");
  ok(next_fill(&fill), "it is asked");
  page(&fill, 105, 3);
  struct cds_sequence_out out = {0};
  cds_fill_cut(&seq, &fill, now_ms, &out);
  heed(&out);
  ok(next_fill(&fill) && fill.start == 105, "a page that is cut is asked for again, from where it came to");
  page(&fill, 110, 2);
  page_done(&fill);
  is_number((long long)lost_count, 0, "and nothing is lost");
  cds_sequence_clear(&seq);
}

/* What the connection brought behind the held report could not be read, and the feed is quiet from then on. */
static void test_given_up_in_doubt(void) {
  struct cds_fill fill;
  begin_with_gap(&fill);
  cds_sequence_doubt(&seq, 0, now_ms);
  refused(&fill);
  ok(delivered == 1 && lost_count == 1, "what is held goes on, and the range before it is lost");
  ok(next_fill(&fill) && fill.start == 110, "REST is asked once more, for what may have come behind it");
  is_number(page(&fill, 111, 3), CDS_VERDICT_ACCEPT, "and brings it");
  page_done(&fill);
  ok(next_fill(&fill), "it is asked as long as it brings something");
  refused(&fill);
  ok(!next_fill(&fill), "and not when it refuses again");
  is_number((long long)lost_count, 1, "nothing is known to be lost then");
  cds_sequence_clear(&seq);
}

/* A page that was asked for before a message could not be read does not show what that was. */
static void test_doubt_behind_a_question(void) {
  struct cds_fill fill;
  set_up();
  take(100, 1);
  cds_sequence_link_down(&seq, 0);
  cds_sequence_link_up(&seq, 0, now_ms);
  ok(next_fill(&fill), "a quiet feed is asked for");
  int64_t asked_ms = now_ms;
  cds_sequence_doubt(&seq, 0, now_ms);
  page(&fill, 100, 1);
  page_done(&fill);
  ok(next_fill(&fill) && now_ms == asked_ms + 5000, "and again, for what could not be read meanwhile");
  is_number(page(&fill, 101, 2), CDS_VERDICT_ACCEPT, "which comes");
  page_done(&fill);
  ok(next_fill(&fill), "after news there may be more");
  page_done(&fill);
  ok(!next_fill(&fill), "and without there is not");
  cds_sequence_clear(&seq);
}

/* ---- bytes ---- */

static void test_bytes(void) {
  size_t largest = 0;
  set_up();
  seq.limits.max_held_bytes = 10000;
  take(100, 1);
  cds_sequence_link_down(&seq, 0);
  for (unsigned i = 0; i < 50; i++) {
    struct cds_sequence_out out = {0};
    struct cds_candidate report = candidate(110 + i, 10 + i);
    report.node->report->length = i < 25 ? 10 : 3000;
    cds_sequence_take(&seq, &report, 0, now_ms, LATEST_POSSIBLE, &out);
    heed(&out);
    if (seq.index.bytes > largest) largest = seq.index.bytes;
  }
  ok(largest > 5000 && largest <= 10000, "what is held keeps to its bytes (%zu)", largest);
  is_number((long long)lost_count, 0, "REST has what was let go");
  cds_sequence_clear(&seq);
  is_number((long long)seq.index.bytes, 0, "nothing is held in the end");
}

int main(void) {
  test_retry_after();
  test_no_answer();
  test_held_late();
  test_script_was_behind();
  test_given_up_in_doubt();
  test_doubt_behind_a_question();
  test_bytes();
  test_old_pages();
  test_no_memory();
  test_times();
  test_back_and_forth();
  return done();
}
