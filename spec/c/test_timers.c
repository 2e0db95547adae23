/* SPDX-License-Identifier: MIT
 * Timers: order, bringing forward, cancelling. */
#include "rest/timers.h"
#include "tap.h"

int main(void) {
  struct cds_timers timers = {0};
  struct cds_timer a = {0}, b = {0};
  bool added;
  int64_t wait_ms;
  ok(cds_timers_take_due(&timers, 5, &wait_ms) == NULL && wait_ms == -1, "none is set");
  ok(cds_timers_set(&timers, &a, 100, &added) && added, "set");
  ok(!cds_timers_set(&timers, &a, 200, &added) && !added, "a later time does not put it off");
  ok(cds_timers_set(&timers, &a, 50, &added) && !added, "a sooner one brings it forward");
  ok(cds_timers_set(&timers, &b, 40, &added) && added, "another");
  ok(cds_timers_take_due(&timers, 10, &wait_ms) == NULL && wait_ms == 30, "the time until the first");
  ok(cds_timers_take_due(&timers, 60, &wait_ms) == &b, "the sooner one first");
  ok(cds_timers_take_due(&timers, 60, &wait_ms) == &a && !a.is_set, "then the other");
  ok(cds_timers_take_due(&timers, 60, &wait_ms) == NULL && wait_ms == -1, "no more");
  cds_timers_set(&timers, &a, 1, &added);
  cds_timers_set(&timers, &b, 2, &added);
  ok(cds_timers_cancel(&timers, &a) && !cds_timers_cancel(&timers, &a), "cancelled once");
  ok(cds_timers_take_due(&timers, 9, &wait_ms) == &b, "the other stays");
  return done();
}
