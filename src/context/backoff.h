/* SPDX-License-Identifier: MIT
 * How long to wait before trying again: exponential with full jitter, so that many clients do not come back at once. */
#ifndef CDS_BACKOFF_H
#define CDS_BACKOFF_H

#include "base/cds.h"

/* Seconds before retry number `retry` (0 is the first): random * min(max, base * 2^retry), random in [0, 1).
 * Pure: randomness comes in as a number. */
double cds_backoff_delay(unsigned retry, double base, double max, double random);

/* A random number in [0, 1), good enough to spread load; thread-safe. */
double cds_backoff_random(void);

#endif
