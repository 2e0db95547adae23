/* SPDX-License-Identifier: MIT
 * A sequence of two feeds, or more, told what happens to it in single lines. */
#ifndef ORDER_FIXTURE_H
#define ORDER_FIXTURE_H

#include <stdlib.h>

#include "base/alloc.h"
#include "blocks.h"
#include "order/fill.h"
#include "order/sequence.h"
#include "tap.h"

#define NOBODY INT64_C(4000000000000) /* latest possible time, beyond every test's */
#define A 0u                          /* connections */
#define B 1u

static struct cds_sequence seq;
static struct cds_lost lost;  /* the last range told */
static size_t lost_count;     /* since set_up */
static char delivered[32768]; /* the blobs delivered since the last look; b marks backfilled ones */
static int64_t now_ms;

static void set_up_feeds(size_t count, const struct cds_sequence_limits *limits) {
  struct cds_sequence_limits usual = cds_sequence_default_limits();
  now_ms = 1000;
  lost_count = 0;
  delivered[0] = 0;
  ok(cds_sequence_init(&seq, count, 7, limits != NULL ? limits : &usual), "a sequence of %zu feeds", count);
}

__attribute__((unused)) static void set_up(const struct cds_sequence_limits *limits) {
  set_up_feeds(2, limits);
}

static struct cds_candidate candidate(int64_t valid_from, int64_t time, unsigned blob) {
  struct cds_queue_node *node = blocks_new(sizeof *node);
  struct cds_report *report = blocks_new(sizeof *report);
  report->refs = 1;
  report->length = blob;
  node->report = report;
  return (struct cds_candidate){.node = node,
                                .has_observations_timestamp = time != 0,
                                .observations_timestamp = time,
                                .has_valid_from_timestamp = valid_from != 0,
                                .valid_from_timestamp = valid_from,
                                .blob_tag = blob,
                                .text_tag = blob + 100000};
}

static void heed(struct cds_sequence_out *out) {
  const char *wrong = cds_sequence_check(&seq);
  if (wrong != NULL) ok(false, "an invariant is broken: %s", wrong);
  for (struct cds_queue_node *node = out->deliver, *next; node != NULL; node = next) {
    next = node->next;
    size_t at = strlen(delivered);
    snprintf(delivered + at, sizeof delivered - at, "%s%zu%s", at > 0 ? " " : "", node->report->length,
             node->report->backfilled ? "b" : "");
    cds_queue_node_free(node);
  }
  for (struct cds_queue_node *node = out->drop, *next; node != NULL; node = next) {
    next = node->next;
    cds_queue_node_free(node);
  }
  lost_count += out->lost_count;
  if (out->lost_count > 0) lost = out->lost[out->lost_count - 1];
}

static enum cds_verdict take_of(size_t slot, unsigned link, int64_t valid_from, int64_t time, unsigned blob) {
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate(valid_from, time, blob);
  report.node->slot = slot;
  enum cds_verdict verdict = cds_sequence_take(&seq, &report, link, now_ms, NOBODY, &out);
  heed(&out);
  return verdict;
}

__attribute__((unused)) static enum cds_verdict take(unsigned link, int64_t valid_from, int64_t time, unsigned blob) {
  return take_of(0, link, valid_from, time, blob);
}

__attribute__((unused)) static bool peek(unsigned link, unsigned blob) {
  struct cds_sequence_out out = {0};
  bool known = cds_sequence_peek(&seq, 0, blob + 100000, link, now_ms, &out);
  heed(&out);
  return known;
}

__attribute__((unused)) static enum cds_verdict page(const struct cds_fill *fill, int64_t time, unsigned blob) {
  struct cds_sequence_out out = {0};
  struct cds_candidate report = candidate(time, time, blob);
  enum cds_verdict verdict = cds_fill_report(&seq, fill, &report, now_ms, NOBODY, &out);
  heed(&out);
  return verdict;
}

__attribute__((unused)) static void page_of(const struct cds_fill *fill,
                                            size_t count) { /* ends, and had so many reports */
  struct cds_sequence_out out = {0};
  cds_fill_done(&seq, fill, count, now_ms, &out);
  heed(&out);
}

static void page_failed_for(const struct cds_fill *fill, bool retryable, int64_t at_least_ms) {
  struct cds_sequence_out out = {0};
  cds_fill_failed(&seq, fill, retryable, at_least_ms, now_ms, &out);
  heed(&out);
}

__attribute__((unused)) static void page_failed(const struct cds_fill *fill, bool retryable) {
  page_failed_for(fill, retryable, 0);
}

/* Moves the clock to the next fill. False when none is in sight. */
__attribute__((unused)) static bool next_fill(struct cds_fill *fill) {
  int64_t wait_ms = 0;
  if (cds_fill_next(&seq, now_ms, fill, &wait_ms)) return true;
  if (wait_ms < 0) return false;
  now_ms += wait_ms;
  return cds_fill_next(&seq, now_ms, fill, &wait_ms);
}

__attribute__((unused)) static void is_delivered(const char *expected, const char *name) {
  is_string(delivered, expected, name);
  delivered[0] = 0;
}

__attribute__((unused)) static void reconnect(unsigned link) {
  cds_sequence_link_down(&seq, link);
}

#endif
