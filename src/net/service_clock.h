/* SPDX-License-Identifier: MIT
 * How far the service's clock is from this one, as its answers' Date tells. That has whole seconds and was written at
 * some moment before the answer came, so an answer gives a range, and only what lies outside of it by more than a second
 * is known to be wrong. Any thread. */
#ifndef CDS_SERVICE_CLOCK_H
#define CDS_SERVICE_CLOCK_H

#include <stdatomic.h>

#include "base/cds.h"

struct cds_service_clock { /* zeroed at first */
  bool is_followed;        /* by signatures; set before another thread knows it */
  atomic_llong ahead_ms;   /* of this clock, as far as is known; 0: they agree to about a second */
};

/* The service's clock is ahead by this much at least and that much at most. True: what was known is wrong, and has been
 * changed. */
bool cds_service_clock_note(struct cds_service_clock *clock, int64_t least_ms, int64_t most_ms);

/* What signatures are to be ahead of this clock by: 0 where the service's is not followed, or is more than a day off, when
 * it is not the clocks that are at fault. */
int64_t cds_service_clock_ahead_ms(const struct cds_service_clock *clock);

/* The time to sign by, Unix milliseconds; NULL: this clock's. */
int64_t cds_service_clock_now_ms(const struct cds_service_clock *clock);

#define CDS_SERVICE_CLOCK_TEXT 192

/* What is known, and what follows from it, in words. */
void cds_service_clock_describe(char out[CDS_SERVICE_CLOCK_TEXT], const struct cds_service_clock *clock);

#endif
