/* SPDX-License-Identifier: MIT
 * The set of a stream's feeds: slots, replacement, growth; random histories against a plain list; memory. */
#include <stdlib.h>

#include "base/alloc.h"
#include "order/feed_set.h"
#include "tap.h"

#define ROOM 64

static struct cds_feed_id feed_number(unsigned number) {
  struct cds_feed_id feed = {{0, 3}};
  feed.bytes[30] = (uint8_t)(number >> 8);
  feed.bytes[31] = (uint8_t)number;
  return feed;
}

static long long slot_of(const struct cds_feed_set *set, unsigned number) {
  struct cds_feed_id feed = feed_number(number);
  size_t slot = cds_feed_set_find(set, &feed);
  return slot == CDS_NO_SLOT ? -1 : (long long)slot;
}

static void put(struct cds_feed_set *set, size_t slot, unsigned number) {
  struct cds_feed_id feed = feed_number(number);
  cds_feed_set_put(set, slot, &feed);
}

static void test_init(void) {
  const struct cds_feed_id ids[] = {feed_number(7), feed_number(8), feed_number(7), feed_number(9)};
  struct cds_feed_set set;
  ok(cds_feed_set_init(&set, ids, 4) == CDS_OK, "a set of four ids");
  is_number(set.count, 3, "of which one is there twice");
  is_number(slot_of(&set, 7), 0, "the first has the first slot");
  is_number(slot_of(&set, 9), 2, "the last the last");
  is_number(slot_of(&set, 10), -1, "one that is not there has none");
  cds_feed_set_clear(&set);
  ok(set.ids == NULL && set.table == NULL && set.count == 0, "clearing frees all");
}

static void test_put(void) {
  const struct cds_feed_id ids[] = {feed_number(1), feed_number(2), feed_number(3)};
  struct cds_feed_set set;
  if (cds_feed_set_init(&set, ids, 3) != CDS_OK) abort();
  put(&set, 1, 20);
  is_number(set.count, 3, "one in place of another leaves the count");
  is_number(slot_of(&set, 20), 1, "the new one has the old one's slot");
  is_number(slot_of(&set, 2), -1, "which is not found any more");
  is_number(slot_of(&set, 1), 0, "the others stay");
  is_number(slot_of(&set, 3), 2, "where they were");
  ok(cds_feed_set_reserve(&set, 4) == CDS_OK, "room for a fourth");
  put(&set, set.count, 2);
  is_number(slot_of(&set, 2), 3, "it is put behind all, though it was there before");
  cds_feed_set_clear(&set);
}

/* As long as the longest search may take. */
static size_t longest_run(const struct cds_feed_set *set) {
  size_t longest = 0, run = 0;
  for (size_t i = 0; i <= set->mask; i++) {
    run = set->table[i] != 0 ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}

static void test_spread(void) {
  static struct cds_feed_id ids[1000];
  struct cds_feed_set set;
  for (unsigned i = 0; i < 1000; i++) ids[i] = feed_number(i);
  if (cds_feed_set_init(&set, ids, 1000) != CDS_OK) abort();
  size_t longest = longest_run(&set);
  ok(longest < 50, "ids that count up lie apart in the table, in runs of %zu at most", longest);
  cds_feed_set_clear(&set);
}

static void test_memory(void) {
  const struct cds_feed_id ids[] = {feed_number(1), feed_number(2)};
  struct cds_feed_set set;
  for (long after = 0; after < 2; after++) {
    cds_alloc_fail_after(after);
    enum cds_status status = cds_feed_set_init(&set, ids, 2);
    cds_alloc_fail_after(-1);
    ok(status == CDS_E_MEMORY && set.count == 0, "no set when allocation %ld fails", after);
    cds_feed_set_clear(&set);
  }
  if (cds_feed_set_init(&set, ids, 2) != CDS_OK) abort();
  for (long after = 0; after < 2; after++) {
    cds_alloc_fail_after(after);
    enum cds_status status = cds_feed_set_reserve(&set, 500);
    cds_alloc_fail_after(-1);
    ok(status == CDS_E_MEMORY && slot_of(&set, 2) == 1, "nothing changes when allocation %ld of growing fails", after);
  }
  ok(cds_feed_set_reserve(&set, 2) == CDS_OK && set.room == 2, "there is no need to grow for what is there");
  cds_feed_set_clear(&set);
}

/* ---- random histories ---- */

static uint32_t random_state;

static uint32_t below(uint32_t limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % limit;
}

/* Entries of feeds that are gone would fill the table, and no search would end. */
static size_t entries(const struct cds_feed_set *set) {
  size_t used = 0;
  for (size_t i = 0; i <= set->mask; i++) used += set->table[i] != 0;
  return used;
}

static bool agrees(const struct cds_feed_set *set, const unsigned *list, size_t count) {
  if (set->count != count || entries(set) != count) return false;
  for (unsigned number = 1; number <= 2 * ROOM; number++) {
    long long expected = -1;
    for (size_t i = 0; i < count; i++)
      if (list[i] == number) expected = (long long)i;
    if (slot_of(set, number) != expected) return false;
  }
  return true;
}

/* Of the feeds 1 to 2 * ROOM, any may take any place, or the one behind all. */
static bool history(uint32_t seed) {
  struct cds_feed_set set;
  unsigned list[ROOM];
  size_t count = 0;
  bool good = cds_feed_set_init(&set, NULL, 0) == CDS_OK;
  random_state = seed;
  for (int step = 0; good && step < 300; step++) {
    unsigned number = 1 + below(2 * ROOM);
    size_t place = below((uint32_t)count + 1);
    if (slot_of(&set, number) >= 0 || place == ROOM) continue;
    if (place == count) good = cds_feed_set_reserve(&set, ++count) == CDS_OK;
    if (good) put(&set, place, number);
    list[place] = number;
    good = good && agrees(&set, list, count);
  }
  cds_feed_set_clear(&set);
  return good;
}

static void test_random(void) {
  uint32_t seed = 1;
  while (seed <= 100 && history(seed)) seed++;
  ok(seed == 101, "a hundred random histories as a list has them (ended at seed %u)", seed);
}

int main(void) {
  test_init();
  test_put();
  test_spread();
  test_memory();
  test_random();
  return done();
}
