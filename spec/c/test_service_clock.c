/* SPDX-License-Identifier: MIT
 * What answers tell of the service's clock, and what is signed by. */
#include "tap.h"

#include "base/clock.h"
#include "net/service_clock.h"

static void is_described(const struct cds_service_clock *clock, const char *expected) {
  char words[CDS_SERVICE_CLOCK_TEXT];
  cds_service_clock_describe(words, clock);
  is_string(words, expected, "in words");
}

/* An answer by a service that is ahead by so much, as a Date of whole seconds and a request of half a second tell. */
static bool note(struct cds_service_clock *clock, int64_t ahead_ms) {
  return cds_service_clock_note(clock, ahead_ms - 700, ahead_ms + 800);
}

static void test_agreement(void) {
  struct cds_service_clock clock = {.is_followed = true};
  ok(!note(&clock, 0), "the same time");
  ok(!note(&clock, 1600) && !note(&clock, -1700), "what may be within a second is none");
  is_number(cds_service_clock_ahead_ms(&clock), 0, "signed by this clock");
}

static void test_followed(void) {
  struct cds_service_clock clock = {.is_followed = true};
  ok(note(&clock, 6000), "six seconds behind");
  is_number(cds_service_clock_ahead_ms(&clock), 6050, "the middle of what it may be");
  is_described(&clock, "the local clock is 6 s behind the service's: requests are signed by the service's time");
  int64_t before = cds_clock_wall_ms(), signed_by = cds_service_clock_now_ms(&clock), after = cds_clock_wall_ms();
  ok(signed_by >= before + 6050 && signed_by <= after + 6050, "signed by the service's time");
  ok(!note(&clock, 6500) && !note(&clock, 5000), "told once");
  is_number(cds_service_clock_ahead_ms(&clock), 6050, "and kept");
  ok(note(&clock, -6000), "set too far");
  is_described(&clock, "the local clock is 6 s ahead of the service's: requests are signed by the service's time");
  ok(note(&clock, 200), "set right");
  is_number(cds_service_clock_ahead_ms(&clock), 0, "by this clock again");
  is_described(&clock, "the local clock and the service's agree again");
}

static void test_told_only(void) {
  struct cds_service_clock clock = {0};
  ok(note(&clock, 3000), "three seconds behind");
  is_number(cds_service_clock_ahead_ms(&clock), 0, "not followed");
  is_described(&clock, "the local clock is 3 s behind the service's, which accepts 5 s: set the clock, or give clock = "
                       "\"auto\"");
  int64_t before = cds_clock_wall_ms();
  ok(cds_service_clock_now_ms(NULL) >= before, "without one: this clock");
}

static void test_too_far(void) {
  const int64_t day_ms = 24 * 60 * 60 * 1000;
  struct cds_service_clock clock = {.is_followed = true};
  ok(cds_service_clock_note(&clock, day_ms, day_ms), "a day");
  is_number(cds_service_clock_ahead_ms(&clock), day_ms, "is followed");
  ok(note(&clock, 2 * day_ms), "two days");
  is_number(cds_service_clock_ahead_ms(&clock), 0, "are not");
  is_described(&clock,
               "the local clock is 172800 s behind the service's, which is too far to follow it: set the clock");
}

/* A second is what may be off, and no more; a day what is followed. */
static void test_bounds(void) {
  const int64_t day_ms = 24 * 60 * 60 * 1000;
  struct cds_service_clock clock = {.is_followed = true};
  ok(!cds_service_clock_note(&clock, 1000, 2000) && !cds_service_clock_note(&clock, -2000, -1000), "within a second");
  ok(cds_service_clock_note(&clock, 1001, 2001), "and a millisecond more");
  is_number(cds_service_clock_ahead_ms(&clock), 1501, "which is followed");
  ok(cds_service_clock_note(&clock, -2001, -1001), "the other way");
  is_number(cds_service_clock_ahead_ms(&clock), -1501, "too");
  ok(cds_service_clock_note(&clock, 1000, 1000), "what is a second in its middle");
  is_number(cds_service_clock_ahead_ms(&clock), 0, "is none");
  ok(cds_service_clock_note(&clock, 1001, 1001), "what is more");
  is_number(cds_service_clock_ahead_ms(&clock), 1001, "is");
  ok(cds_service_clock_note(&clock, day_ms + 1, day_ms + 1), "more than a day");
  is_number(cds_service_clock_ahead_ms(&clock), 0, "is not followed");
  ok(cds_service_clock_note(&clock, -day_ms, -day_ms), "a day back");
  is_number(cds_service_clock_ahead_ms(&clock), -day_ms, "is");
  int late = 0;
  for (int i = 0; i < 1000; i++) {
    int64_t before = cds_clock_wall_ms(), now = cds_service_clock_now_ms(NULL), after = cds_clock_wall_ms();
    late += now < before || now > after;
  }
  is_number(late, 0, "without one it is this clock, to the millisecond");
}

int main(void) {
  test_bounds();
  test_agreement();
  test_followed();
  test_told_only();
  test_too_far();
  return done();
}
