/* SPDX-License-Identifier: MIT
 * Times are counted by the smallest bound that they do not exceed. */
#include "base/histogram.h"
#include "tap.h"

static void test_empty(void) {
  struct cds_histogram histogram = {0};
  ok(cds_histogram_mean(&histogram) == 0, "nothing has no mean");
}

static void test_bounds(void) {
  static const double told[CDS_HISTOGRAM_BOUNDS] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000};
  ok(memcmp(cds_histogram_bounds, told, sizeof told) == 0,
     "the bounds are these: figures of before are compared by them");
  for (size_t i = 0; i < CDS_HISTOGRAM_BOUNDS; i++) {
    struct cds_histogram histogram = {0};
    double bound = cds_histogram_bounds[i];
    ok(i == 0 || bound > cds_histogram_bounds[i - 1], "bound %zu is larger than the one before", i);
    cds_histogram_add(&histogram, bound);
    is_number((int64_t)histogram.buckets[i], 1, "a time of just the bound is in its bucket");
    cds_histogram_add(&histogram, bound + 0.5);
    is_number((int64_t)histogram.buckets[i], 1, "a longer one is not");
    if (i + 1 < CDS_HISTOGRAM_BOUNDS) is_number((int64_t)histogram.buckets[i + 1], 1, "but in the next");
    is_number((int64_t)histogram.count, 2, "both are counted, in a bucket or not");
  }
}

static void test_sums(void) {
  struct cds_histogram histogram = {0};
  const double times[] = {3, -2, 40000, 7};
  for (size_t i = 0; i < 4; i++) cds_histogram_add(&histogram, times[i]);
  ok(histogram.min == -2 && histogram.max == 40000, "the least, of a clock that is ahead say, and the most");
  ok(histogram.sum == 40008 && cds_histogram_mean(&histogram) == 10002, "sum and mean");
  ok(histogram.buckets[0] == 1 && histogram.buckets[2] == 1 && histogram.buckets[3] == 1, "each in its bucket");
  struct cds_histogram late = {0};
  cds_histogram_add(&late, 5);
  ok(late.min == 5 && late.max == 5 && cds_histogram_mean(&late) == 5, "the first is both, and the mean");
  struct cds_histogram ahead = {0};
  cds_histogram_add(&ahead, -5);
  ok(ahead.min == -5 && ahead.max == -5, "also where it is below nothing");
}

int main(void) {
  test_empty();
  test_bounds();
  test_sums();
  return done();
}
