/* SPDX-License-Identifier: MIT
 * The clocks: they move forward and agree with the system's. */
#include "base/clock.h"

#include <time.h>

#include "tap.h"

int main(void) {
  int64_t before = cds_clock_mono_ns(), ms = cds_clock_mono_ms(), after = cds_clock_mono_ns();
  ok(before > 0 && after >= before, "the monotonic clock does not go back");
  ok(ms >= before / 1000000 && ms <= after / 1000000, "milliseconds and nanoseconds are of one clock");
  time_t early = time(NULL);
  int64_t wall = cds_clock_wall_ms() / 1000;
  time_t late = time(NULL);
  ok(wall >= early - 1 && wall <= late + 1, "the wall clock is Unix time");
  return done();
}
