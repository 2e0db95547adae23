/* SPDX-License-Identifier: MIT
 * The two clocks, from clock_gettime. */
#include "base/clock.h"

#include <time.h>

static int64_t now_ns(clockid_t clock) {
  struct timespec now = {0, 0};
  clock_gettime(clock, &now); /* cannot fail for the two clocks below */
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cds_clock_mono_ns(void) {
  return now_ns(CLOCK_MONOTONIC);
}

int64_t cds_clock_mono_ms(void) {
  return now_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t cds_clock_wall_ms(void) {
  return now_ns(CLOCK_REALTIME) / 1000000;
}
