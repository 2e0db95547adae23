/* SPDX-License-Identifier: MIT
 * The bounds, and counting by them. */
#include "base/histogram.h"

const double cds_histogram_bounds[CDS_HISTOGRAM_BOUNDS] = {1,   2,   5,    10,   20,   50,    100,
                                                           200, 500, 1000, 2000, 5000, 10000, 30000};

void cds_histogram_add(struct cds_histogram *histogram, double ms) {
  if (histogram->count == 0 || ms < histogram->min) histogram->min = ms;
  if (histogram->count == 0 || ms > histogram->max) histogram->max = ms;
  histogram->count++;
  histogram->sum += ms;
  for (size_t i = 0; i < CDS_HISTOGRAM_BOUNDS; i++) {
    if (ms > cds_histogram_bounds[i]) continue;
    histogram->buckets[i]++;
    return;
  }
}

double cds_histogram_mean(const struct cds_histogram *histogram) {
  return histogram->count > 0 ? histogram->sum / (double)histogram->count : 0;
}
