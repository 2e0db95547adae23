/* SPDX-License-Identifier: MIT
 * How often times of which length were seen, in milliseconds. */
#ifndef CDS_HISTOGRAM_H
#define CDS_HISTOGRAM_H

#include "base/cds.h"

#define CDS_HISTOGRAM_BOUNDS 14

struct cds_histogram {
  uint64_t buckets[CDS_HISTOGRAM_BOUNDS]; /* by the smallest bound that is not exceeded; longer ones are in none */
  uint64_t count;
  double sum, min, max; /* 0 when count is 0 */
};

extern const double cds_histogram_bounds[CDS_HISTOGRAM_BOUNDS]; /* ascending */

void cds_histogram_add(struct cds_histogram *histogram, double ms);
double cds_histogram_mean(const struct cds_histogram *histogram); /* 0 when count is 0 */

#endif
