/* SPDX-License-Identifier: MIT
 * The two clocks. What is pure takes the time as an argument instead, so that tests can hold it still. */
#ifndef CDS_CLOCK_H
#define CDS_CLOCK_H

#include "base/cds.h"

int64_t cds_clock_mono_ms(void); /* timers; never jumps */
int64_t cds_clock_mono_ns(void);
int64_t cds_clock_wall_ms(void); /* signatures, latency; Unix time */

#endif
