/* SPDX-License-Identifier: MIT
 * Keeps requests to so many per second: in any span of N / rate seconds at most N begin. Stricter than a token bucket,
 * which lets twice its rate through after a pause, and so earns a 429 from a service that counts. Pure: the time
 * comes in as a number. */
#ifndef CDS_RATE_H
#define CDS_RATE_H

#include "base/cds.h"

#define CDS_RATE_SLOTS 64

struct cds_rate {
  size_t slots;      /* N; 0: no limit */
  int64_t window_ms; /* N / rate */
  size_t next;       /* the slot that holds the oldest start, once all are in use */
  size_t used;
  int64_t starts[CDS_RATE_SLOTS]; /* monotonic milliseconds */
};

void cds_rate_init(struct cds_rate *rate, double per_second); /* 0: no limit */

/* Milliseconds until a request may begin, 0: now. Changes nothing. */
int64_t cds_rate_wait(const struct cds_rate *rate, int64_t now_ms);

void cds_rate_take(struct cds_rate *rate, int64_t now_ms); /* a request begins */

#endif
