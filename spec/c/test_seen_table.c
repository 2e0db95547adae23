/* SPDX-License-Identifier: MIT
 * What is kept of a feed's tags: found as long as they are kept, and forgotten from the oldest on. */
#include "order/seen.h"
#include "tap.h"

#define FOREVER 0 /* nothing is too old */

static struct cds_seen seen;

/* True when there was room. Tags fall together in the table: the low bits are the same. */
static bool add(uint64_t number, int64_t time, int64_t keep) {
  if (!cds_seen_reserve(&seen, 1, time, keep)) return false;
  cds_seen_add(&seen, number << 16 | 3, time);
  return true;
}

static bool has(uint64_t number) {
  return cds_seen_has(&seen, number << 16 | 3);
}

static size_t count_known(uint64_t first, uint64_t last) {
  size_t known = 0;
  for (uint64_t number = first; number <= last; number++) known += has(number);
  return known;
}

static void begin(void) {
  cds_seen_clear(&seen);
  seen = (struct cds_seen){0};
}

static void test_empty(void) {
  begin();
  ok(!has(1), "nothing is known at first");
  ok(!cds_seen_covers(&seen, 100), "nor is any time covered");
  ok(add(1, 100, FOREVER) && has(1) && !has(2), "what was added is known");
  ok(!cds_seen_covers(&seen, 100) && cds_seen_covers(&seen, 101), "and all times after the first");
  is_number((long long)seen.count, 1, "one tag");
  cds_seen_add(&seen, 1 << 16 | 3, 101);
  is_number((long long)seen.count, 1, "which is kept once");
}

static void test_grows(void) {
  size_t steps = 0, capacity;
  begin();
  ok(add(1, 1, FOREVER), "one");
  is_number((long long)seen.capacity, CDS_SEEN_START, "a small start");
  capacity = seen.capacity;
  for (uint64_t number = 2; number <= CDS_SEEN_MAX; number++) {
    if (!add(number, 1, FOREVER)) break;
    if (seen.capacity != capacity) {
      ok(seen.capacity == 2 * capacity && seen.count == capacity + 1, "twice as many when it is full: %zu",
         seen.capacity);
      steps++;
    }
    capacity = seen.capacity;
  }
  ok(steps > 0 && seen.capacity == CDS_SEEN_MAX && seen.count == CDS_SEEN_MAX, "to the most");
  is_number((long long)count_known(1, CDS_SEEN_MAX), CDS_SEEN_MAX, "all of which are known");
  ok(!add(CDS_SEEN_MAX + 1, 1, FOREVER), "no more of one second");
  is_number((long long)seen.count, CDS_SEEN_MAX, "nothing is forgotten for it");
  ok(add(CDS_SEEN_MAX + 1, 2, FOREVER) && !has(1) && has(2) && has(CDS_SEEN_MAX + 1), "the oldest for a later one");
  is_number((long long)count_known(1, CDS_SEEN_MAX + 1), CDS_SEEN_MAX, "and nothing else");
  ok(!cds_seen_covers(&seen, 1) && cds_seen_covers(&seen, 2), "its second is not covered any more");
}

/* Those of before `keep` go before the table grows, the oldest first. */
static void test_keeps(void) {
  begin();
  for (uint64_t number = 1; number <= CDS_SEEN_START; number++) ok(add(number, (int64_t)number, FOREVER), "filled");
  ok(add(100, 100, 2) && !has(1) && has(2), "one that is too old goes");
  is_number((long long)seen.capacity, CDS_SEEN_START, "and nothing grows");
  ok(!cds_seen_covers(&seen, 1) && cds_seen_covers(&seen, 2), "up to it nothing is covered");
  ok(add(101, 101, 2) && has(2), "one of the time itself is kept");
  is_number((long long)seen.capacity, 2 * CDS_SEEN_START, "by growing");
  ok(!cds_seen_covers(&seen, 1) && cds_seen_covers(&seen, 2), "what is covered stays the same");
  is_number((long long)count_known(1, 101), CDS_SEEN_START + 1, "all others are known");
}

/* In a ring that goes round many times, whatever falls together. */
static void test_round(void) {
  size_t wrong = 0;
  begin();
  for (uint64_t number = 1; number <= 40 * CDS_SEEN_START; number++) {
    wrong += !add(number, (int64_t)number, (int64_t)number);
    size_t known = number < CDS_SEEN_START ? number : CDS_SEEN_START;
    wrong += seen.count != known || count_known(1, number) != known || !has(number + 1 - known);
  }
  is_number((long long)wrong, 0, "the last ones are known, and no others");
  is_number((long long)seen.capacity, CDS_SEEN_START, "in the same room");
}

/* Room for several is made at once. */
static void test_several(void) {
  begin();
  ok(cds_seen_reserve(&seen, CDS_SEEN_START, 1, FOREVER), "room for as many as fit");
  is_number((long long)seen.capacity, CDS_SEEN_START, "exactly");
  ok(cds_seen_reserve(&seen, CDS_SEEN_START + 1, 1, FOREVER), "and for one more");
  is_number((long long)seen.capacity, 2 * CDS_SEEN_START, "in twice the room");
}

static void test_forget_to(void) {
  begin();
  add(1, 50, FOREVER);
  cds_seen_forget_to(&seen, 60);
  ok(!cds_seen_covers(&seen, 60) && cds_seen_covers(&seen, 61), "nothing up to a time is covered");
  cds_seen_forget_to(&seen, 55);
  ok(!cds_seen_covers(&seen, 60) && cds_seen_covers(&seen, 61), "which never goes back");
}

int main(void) {
  test_empty();
  test_grows();
  test_keeps();
  test_round();
  test_several();
  test_forget_to();
  cds_seen_clear(&seen);
  ok(seen.count == 0 && seen.capacity == 0, "cleared");
  return done();
}
