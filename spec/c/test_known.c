/* SPDX-License-Identifier: MIT
 * The feeds of a replay: many of them, named or met, wanted or not, and without memory. */
#include "record/known.h"

#include "base/alloc.h"
#include "blocks.h"
#include "recorded.h"

#define MOST 16384

static struct cds_feed_id id_of(unsigned number) {
  return (struct cds_feed_id){{(uint8_t)(number >> 8), (uint8_t)number, 3}};
}

static void test_any(void) {
  struct cds_known known;
  const struct cds_feed_id one = id_of(1), two = id_of(2);
  ok(cds_known_init(&known, NULL, 0) && cds_known_wanted(&known) == 0, "none is known at first");
  ok(cds_known_wants(&known, &one) && !cds_known_find(&known, &one), "though any is wanted");
  struct cds_known_feed *feed = cds_known_get(&known, &one);
  ok(feed && !feed->is_unwanted && !feed->has_newest && !feed->latest && feed == cds_known_find(&known, &one),
     "one that is met is known, with nothing of it");
  feed->seams = 7;
  ok(cds_known_get(&known, &one) == feed && feed->seams == 7 && cds_known_wanted(&known) == 1, "once");
  feed->is_unwanted = true;
  ok(!cds_known_wants(&known, &one) && cds_known_wants(&known, &two) && cds_known_wanted(&known) == 0, "and may go");
  cds_known_clear(&known);
  ok(known.set.count == 0 && !known.feeds && known.room == 0, "all are forgotten");
  cds_known_clear(&known);
}

static void test_named(void) {
  struct cds_known known;
  const struct cds_feed_id ids[] = {id_of(1), id_of(2), id_of(1)}, other = id_of(3);
  for (size_t count = 1; count <= 3; count++) {
    ok(cds_known_init(&known, ids, count) && cds_known_wanted(&known) == (count < 2 ? 1 : 2), "%zu are named", count);
    ok(cds_known_wants(&known, &ids[0]) && cds_known_wants(&known, &ids[1]) == (count > 1), "they are wanted");
    ok(!cds_known_wants(&known, &other), "and no other one");
    struct cds_known_feed *feed = cds_known_get(&known, &other);
    ok(feed && feed->is_unwanted && cds_known_wanted(&known) == (count < 2 ? 1 : 2), "though it is met");
    cds_known_clear(&known);
  }
}

static void test_most(void) {
  struct cds_known known;
  unsigned good = 0;
  if (!cds_known_init(&known, NULL, 0)) abort();
  for (unsigned i = 0; i < MOST; i++) {
    const struct cds_feed_id id = id_of(i);
    struct cds_known_feed *feed = cds_known_get(&known, &id);
    if (!feed) break;
    feed->newest = i;
  }
  for (unsigned i = 0; i < MOST; i++) {
    const struct cds_feed_id id = id_of(i);
    const struct cds_known_feed *feed = cds_known_get(&known, &id);
    good += feed && feed->newest == i;
  }
  is_number(good, MOST, "so many feeds are known");
  const struct cds_feed_id other = id_of(MOST);
  ok(!cds_known_get(&known, &other) && !cds_known_find(&known, &other) && cds_known_wanted(&known) == MOST,
     "no more are");
  cds_known_clear(&known);
}

/* Each allocation of those that 40 feeds need. */
static void test_memory(void) {
  struct cds_known known;
  struct cds_feed_id ids[40];
  bool good = true;
  long before = blocks_alive(), nth = 0, made;
  for (unsigned i = 0; i < 40; i++) ids[i] = id_of(i);
  do {
    cds_alloc_fail_one(nth);
    bool is_init = cds_known_init(&known, ids, 40);
    made = cds_alloc_fail_one(-1);
    good = good && is_init == (made <= nth) && (is_init || blocks_alive() == before);
    if (is_init) cds_known_clear(&known);
    if (!cds_known_init(&known, ids, 16)) abort();
    cds_alloc_fail_one(nth);
    struct cds_known_feed *feed = cds_known_get(&known, &ids[16]);
    cds_alloc_fail_one(-1);
    good = good && (feed != NULL) == (cds_known_find(&known, &ids[16]) != NULL) && cds_known_get(&known, &ids[16]) &&
           cds_known_find(&known, &ids[3]) == &known.feeds[3] && cds_known_wanted(&known) == 16;
    cds_known_clear(&known);
  } while (made > nth++);
  ok(good, "without memory nothing changes, and nothing is kept");
}

static void test_latest(void) {
  struct cds_known known;
  struct cds_report *report = recorded_report(1700000000);
  if (!cds_known_init(&known, NULL, 0)) abort();
  for (unsigned i = 0; i < 3; i++) {
    const struct cds_feed_id id = id_of(i);
    cds_known_get(&known, &id)->latest = i == 1 ? NULL : cds_report_ref(report);
  }
  cds_known_clear(&known);
  cds_report_unref(report); /* the last one, or memory is kept */
}

int main(void) {
  test_any();
  test_named();
  test_most();
  test_memory();
  test_latest();
  return done();
}
