/* SPDX-License-Identifier: MIT
 * The merge: the rules one by one, then random histories against a model that remembers everything. */
#include <stdlib.h>

#include "base/alloc.h"
#include "client/feed_set.h"
#include "client/merge.h"
#include "sample.h"
#include "tap.h"

#define NOBODY 4000000000 /* latest possible time, beyond every test's */

static struct cds_candidate candidate(size_t slot, uint32_t valid_from, uint32_t second, uint64_t blob) {
  return (struct cds_candidate){.slot = slot,
                                .has_observations_timestamp = true,
                                .observations_timestamp = second,
                                .has_valid_from_timestamp = true,
                                .valid_from_timestamp = valid_from,
                                .blob_tag = blob,
                                .text_tag = blob ^ 0x5555000000000000u};
}

static enum cds_verdict put(struct cds_merge *merge, struct cds_candidate report, bool *gap) {
  bool ignored;
  return cds_merge_commit(gap != NULL ? gap : &ignored, merge, &report, NOBODY);
}

static void test_rules(void) {
  struct cds_merge merge;
  bool gap;
  ok(cds_merge_init(&merge, 2, 7), "a merge of two feeds");
  is_number(put(&merge, candidate(0, 90, 100, 1), &gap), CDS_VERDICT_ACCEPT, "the first report is next");
  ok(!gap, "and leaves no gap, whatever its validity");
  is_number(put(&merge, candidate(0, 90, 100, 1), NULL), CDS_VERDICT_DUPLICATE, "the same again is a duplicate");
  is_number(put(&merge, candidate(0, 100, 100, 2), NULL), CDS_VERDICT_ACCEPT,
            "a different one of the same second is delivered");
  is_number(put(&merge, candidate(0, 90, 100, 1), NULL), CDS_VERDICT_DUPLICATE, "the first is still known then");
  is_number(put(&merge, candidate(0, 101, 101, 3), &gap), CDS_VERDICT_ACCEPT, "the next second");
  ok(!gap, "valid from the second after the last: no gap");
  is_number(put(&merge, candidate(0, 103, 103, 4), &gap), CDS_VERDICT_ACCEPT, "a second is left out");
  ok(gap, "valid from two after the last: a gap");
  is_number(put(&merge, candidate(0, 104, 110, 5), &gap), CDS_VERDICT_ACCEPT, "a slow feed");
  ok(!gap, "whose report covers the seconds between: no gap");
  is_number(put(&merge, candidate(0, 101, 101, 3), NULL), CDS_VERDICT_DUPLICATE, "a late copy is a duplicate");
  is_number(put(&merge, candidate(0, 105, 105, 6), NULL), CDS_VERDICT_OUT_OF_ORDER,
            "a late report not seen before is out of order");
  is_number(put(&merge, candidate(1, 50, 50, 6), NULL), CDS_VERDICT_ACCEPT, "another feed has a watermark of its own");
  cds_merge_clear(&merge);
}

static void test_peek(void) {
  struct cds_merge merge;
  struct cds_candidate report = candidate(0, 1, 1, 77);
  ok(cds_merge_init(&merge, 1, 7), "a merge of one feed");
  ok(!cds_merge_peek(&merge, 0, report.text_tag), "a text not seen is not known");
  is_number(put(&merge, report, NULL), CDS_VERDICT_ACCEPT, "it is accepted");
  ok(cds_merge_peek(&merge, 0, report.text_tag), "then it is known");
  ok(!cds_merge_peek(&merge, 0, report.text_tag + 1), "another is not");
  cds_merge_clear(&merge);
}

static void test_future(void) {
  struct cds_merge merge;
  bool gap;
  struct cds_candidate far = candidate(0, 1, 5001, 1), near = candidate(0, 1, 5000, 2);
  ok(cds_merge_init(&merge, 1, 7), "a merge of one feed");
  is_number(cds_merge_commit(&gap, &merge, &far, 5000), CDS_VERDICT_FUTURE, "a second beyond the possible is refused");
  is_number(cds_merge_commit(&gap, &merge, &near, 5000), CDS_VERDICT_ACCEPT, "and has not moved the watermark");
  cds_merge_clear(&merge);
}

static void test_without_times(void) {
  struct cds_merge merge;
  struct cds_candidate report = {.slot = 0, .blob_tag = 5};
  ok(cds_merge_init(&merge, 1, 7), "a merge of one feed");
  is_number(put(&merge, report, NULL), CDS_VERDICT_ACCEPT, "a report of unknown version is delivered");
  is_number(put(&merge, report, NULL), CDS_VERDICT_DUPLICATE, "its copy is not");
  report.blob_tag = 6;
  is_number(put(&merge, report, NULL), CDS_VERDICT_ACCEPT, "the next one is");
  cds_merge_clear(&merge);
}

static void test_bound(void) {
  struct cds_merge merge;
  uint64_t accepted = 0, duplicates = 0;
  ok(cds_merge_init(&merge, 1, 7), "a merge of one feed");
  for (uint64_t i = 1; i <= 5000; i++) accepted += put(&merge, candidate(0, 9, 9, i), NULL) == CDS_VERDICT_ACCEPT;
  is_number(accepted, CDS_SEEN_MAX / 2, "one second holds so many different reports and no more");
  for (uint64_t i = 1; i <= accepted; i++)
    duplicates += put(&merge, candidate(0, 9, 9, i), NULL) == CDS_VERDICT_DUPLICATE;
  is_number(duplicates, accepted, "all of which are known again");
  is_number(put(&merge, candidate(0, 10, 10, 6000), NULL), CDS_VERDICT_ACCEPT, "the next second has room");
  cds_merge_clear(&merge);
}

static void test_no_memory(void) {
  struct cds_merge merge;
  ok(cds_merge_init(&merge, 1, 7), "a merge of one feed");
  cds_alloc_fail_after(0);
  enum cds_verdict verdict = put(&merge, candidate(0, 9, 9, 1), NULL);
  cds_alloc_fail_after(-1);
  is_number(verdict, CDS_VERDICT_TOO_MANY, "without memory a report is refused");
  is_number(put(&merge, candidate(0, 9, 9, 1), NULL), CDS_VERDICT_ACCEPT, "and accepted when it comes again");
  cds_merge_clear(&merge);
}

/* ---- random histories ---- */

#define FEEDS 3
#define STEPS 60000
#define SECONDS 40 /* reports are drawn from the last so many seconds, so that copies and latecomers abound */

struct past {
  uint32_t second;
  uint64_t blob;
};

static struct past history[FEEDS][STEPS];
static size_t accepted_count[FEEDS];

static bool was_accepted(size_t slot, uint64_t blob) {
  for (size_t i = accepted_count[slot];
       i-- > 0 && history[slot][i].second + 2 * SECONDS > history[slot][accepted_count[slot] - 1].second;)
    if (history[slot][i].blob == blob) return true;
  return false;
}

/* The rule, said with an unbounded memory. Which of the two refusals an old copy gets depends on how long the merge
 * remembers, so both count as one here. */
static bool model_accepts(size_t slot, uint32_t second, uint64_t blob) {
  size_t count = accepted_count[slot];
  if (was_accepted(slot, blob)) return false;
  return count == 0 || second >= history[slot][count - 1].second;
}

static void test_random(void) {
  struct cds_merge merge;
  size_t wrong = 0, taken = 0, refused = 0;
  ok(cds_merge_init(&merge, FEEDS, 12345), "a merge of three feeds");
  for (size_t step = 0; step < STEPS; step++) {
    size_t slot = sample_random() % FEEDS;
    uint32_t second = (uint32_t)(1000 + step / 200 + sample_random() % SECONDS);
    uint64_t blob = (uint64_t)second * 100 + slot * 1000000000u + sample_random() % 3 + 1; /* up to three a second */
    struct cds_candidate report = candidate(slot, second, second, blob);
    bool expected = model_accepts(slot, second, blob);
    bool got = put(&merge, report, NULL) == CDS_VERDICT_ACCEPT;
    wrong += expected != got;
    taken += got;
    refused += !got;
    if (got) history[slot][accepted_count[slot]++] = (struct past){second, blob};
  }
  is_number(wrong, 0, "60000 random reports are judged as the model judges them");
  ok(taken > 500 && refused > 500, "of which %zu were accepted and %zu refused", taken, refused);
  cds_merge_clear(&merge);
}

/* ---- tags and feeds ---- */

static void test_tags(void) {
  static uint8_t bytes[300];
  size_t equal = 0;
  sample_random_bytes(bytes, sizeof bytes);
  uint64_t whole = cds_seen_tag(1, bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) {
    bytes[i] ^= 1;
    equal += cds_seen_tag(1, bytes, sizeof bytes) == whole;
    bytes[i] ^= 1;
    equal += cds_seen_tag(1, bytes, i) == whole;
  }
  is_number(equal, 0, "one bit or one byte less gives another tag");
  ok(cds_seen_tag(1, bytes, sizeof bytes) == whole, "the same bytes give the same tag");
  ok(cds_seen_tag(2, bytes, sizeof bytes) != whole, "another seed does not");
}

static void test_feed_set(void) {
  enum { COUNT = 1000 };
  static struct cds_feed_id ids[COUNT + 2];
  struct cds_feed_set set;
  size_t wrong = 0;
  for (size_t i = 0; i < COUNT; i++) {
    ids[i].bytes[1] = 3;
    ids[i].bytes[30] = (uint8_t)(i >> 8);
    ids[i].bytes[31] = (uint8_t)i;
  }
  ids[COUNT] = ids[5];
  ids[COUNT + 1] = ids[0];
  ok(cds_feed_set_init(&set, ids, COUNT + 2) == CDS_OK, "a set of 1002 feeds, two of them twice");
  is_number(set.count, COUNT, "has 1000");
  for (size_t i = 0; i < COUNT; i++) wrong += cds_feed_set_find(&set, &ids[i]) != i;
  is_number(wrong, 0, "each is found at its place");
  ids[0].bytes[0] = 1;
  ok(cds_feed_set_find(&set, &ids[0]) == CDS_NO_SLOT, "one that is not there is not found");
  cds_feed_set_clear(&set);
}

int main(void) {
  test_rules();
  test_peek();
  test_future();
  test_without_times();
  test_bound();
  test_no_memory();
  test_random();
  test_tags();
  test_feed_set();
  return done();
}
