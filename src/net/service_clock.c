/* SPDX-License-Identifier: MIT
 * One number, which answers correct. */
#include "net/service_clock.h"

#include <stdio.h>

#include "base/clock.h"

#define TOLERANCE_MS 1000
#define MAX_FOLLOWED_MS (24 * 60 * 60 * 1000)

static int64_t size_of(int64_t ms) {
  return ms < 0 ? -ms : ms;
}

bool cds_service_clock_note(struct cds_service_clock *clock, int64_t least_ms, int64_t most_ms) {
  int64_t known_ms = atomic_load(&clock->ahead_ms);
  if (known_ms >= least_ms - TOLERANCE_MS && known_ms <= most_ms + TOLERANCE_MS) return false;
  int64_t ahead_ms = least_ms + (most_ms - least_ms) / 2;
  atomic_store(&clock->ahead_ms, size_of(ahead_ms) <= TOLERANCE_MS ? 0 : ahead_ms);
  return true;
}

static bool can_be_followed(int64_t ahead_ms) {
  return size_of(ahead_ms) <= MAX_FOLLOWED_MS;
}

int64_t cds_service_clock_ahead_ms(const struct cds_service_clock *clock) {
  int64_t ahead_ms = clock->is_followed ? atomic_load(&clock->ahead_ms) : 0;
  return can_be_followed(ahead_ms) ? ahead_ms : 0;
}

int64_t cds_service_clock_now_ms(const struct cds_service_clock *clock) {
  return cds_clock_wall_ms() + (clock != NULL ? cds_service_clock_ahead_ms(clock) : 0);
}

void cds_service_clock_describe(char out[CDS_SERVICE_CLOCK_TEXT], const struct cds_service_clock *clock) {
  int64_t ahead_ms = atomic_load(&clock->ahead_ms);
  bool follows = clock->is_followed && can_be_followed(ahead_ms);
  if (ahead_ms == 0) {
    snprintf(out, CDS_SERVICE_CLOCK_TEXT, "the local clock and the service's agree again");
    return;
  }
  snprintf(out, CDS_SERVICE_CLOCK_TEXT, "the local clock is %.0f s %s the service's%s",
           (double)size_of(ahead_ms) / 1000, ahead_ms < 0 ? "ahead of" : "behind",
           follows              ? ": requests are signed by the service's time"
           : clock->is_followed ? ", which is too far to follow it: set the clock"
                                : ", which accepts 5 s: set the clock, or give clock = \"auto\"");
}
