/* SPDX-License-Identifier: MIT
 * Pages that do not help: of other seconds than were asked for, or with a report that finds no memory. */
#include <stdlib.h>

#include "base/alloc.h"
#include "order/sequence.h"
#include "tap.h"

#define LATEST_POSSIBLE 5000

static struct cds_sequence seq;
static size_t delivered; /* so many reports, by the last call */
static struct cds_lost lost;
static size_t lost_count;
static int64_t now_ms;

static struct cds_candidate candidate(uint32_t second, unsigned blob) {
  struct cds_queue_node *node = calloc(1, sizeof *node);
  struct cds_report *report = calloc(1, sizeof *report);
  if (node == NULL || report == NULL) abort();
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
  enum cds_verdict verdict = cds_sequence_page_report(&seq, fill, &report, now_ms, LATEST_POSSIBLE, &out);
  heed(&out);
  return verdict;
}

static void page_done(const struct cds_fill *fill) {
  struct cds_sequence_out out = {0};
  cds_sequence_page_done(&seq, fill, now_ms, &out);
  heed(&out);
}

/* Moves the clock to the next question. */
static bool next_fill(struct cds_fill *fill) {
  int64_t wait_ms = 0;
  if (cds_sequence_next_fill(&seq, now_ms, fill, &wait_ms)) return true;
  if (wait_ms < 0) return false;
  now_ms += wait_ms;
  return cds_sequence_next_fill(&seq, now_ms, fill, &wait_ms);
}

/* 100 was delivered, 110 is held, and what lies between is asked for. */
static void begin_with_gap(struct cds_fill *fill) {
  const struct cds_sequence_limits limits = cds_sequence_default_limits();
  now_ms = 1000;
  lost_count = 0;
  ok(cds_sequence_init(&seq, 1, 7, &limits), "a sequence of one feed");
  take(100, 1);
  cds_sequence_link_down(&seq, 0, now_ms);
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
  cds_alloc_fail_after(0);
  for (; verdict == CDS_VERDICT_ACCEPT && blob < 10000; blob++) verdict = page(&fill, 105, blob);
  cds_alloc_fail_after(-1);
  is_number(verdict, CDS_VERDICT_TOO_MANY, "a report that cannot be remembered is not delivered");
  is_number(delivered, 0, "so that it cannot come twice");
  ok(lost_count == 1 && lost.reason == CDS_LOST_NO_MEMORY && lost.from == 105 && lost.to == 105, "but told as lost");
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

int main(void) {
  test_old_pages();
  test_no_memory();
  test_times();
  return done();
}
