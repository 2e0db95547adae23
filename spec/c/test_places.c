/* SPDX-License-Identifier: MIT
 * Where a stream's feeds are, and what is wanted, served and tried of them. */
#include "stream/parts.h"
#include "tap.h"

static struct cds_stream stream;
static struct cds_feed_id feeds[] = {{{0, 3, [31] = 1}}, {{0, 3, [31] = 2}}, {{0, 3, [31] = 3}},
                                     {{0, 3, [31] = 4}}, {{0, 3, [31] = 5}}, {{0, 3, [31] = 6}}};

/* Five feeds in two shards: three and two. */
static void begin(void) {
  stream = (struct cds_stream){0};
  ok(cds_places_init(&stream, feeds, 5), "five feeds");
  cds_places_spread(&stream, 2);
}

static size_t find(unsigned number) {
  return cds_places_find(&stream, &feeds[number - 1]);
}

static size_t count(size_t shard, enum cds_carried carried) {
  return cds_places_list(NULL, &stream, shard, carried);
}

static void test_arithmetic(void) {
  is_number((long long)cds_places_shards_for(4, 2), 2, "two shards of two feeds");
  is_number((long long)cds_places_shards_for(5, 2), 3, "a third for one more");
  is_number((long long)cds_places_shards_for(1, 2), 1, "one for one");
  const size_t expected[] = {0, 0, 0, 1, 1};
  for (size_t i = 0; i < 5; i++) is_number((long long)cds_places_shard_of(i, 5, 2), (long long)expected[i], "shard");
}

static void test_spread(void) {
  struct cds_feed_id list[5];
  begin();
  is_number((long long)cds_places_count(&stream), 5, "five places");
  is_number((long long)cds_places_shards(&stream), 2, "two shards");
  ok(find(1) == 0 && find(5) == 4 && find(6) == CDS_NO_SLOT, "each feed has its own");
  is_number((long long)cds_places_wanted(&stream), 5, "all are wanted");
  ok(count(0, CDS_CARRIED_SERVED) == 3 && count(1, CDS_CARRIED_SERVED) == 2, "and served");
  ok(count(0, CDS_CARRIED_TRIED) == 0 && count(2, CDS_CARRIED_SERVED) == 0, "none is tried, and no other shard served");
  is_number((long long)cds_places_list(list, &stream, 1, CDS_CARRIED_SERVED), 2, "the second shard's");
  ok(cds_feed_id_compare(&list[0], &feeds[3]) == 0 && cds_feed_id_compare(&list[1], &feeds[4]) == 0, "by name");
  struct cds_feed_id fourth = cds_places_feed(&stream, 3);
  ok(cds_feed_id_compare(&fourth, &feeds[3]) == 0 && cds_places_shard(&stream, 3) == 1, "and by place");
  ok(!cds_places_any_to_come(&stream), "nothing is to come");
  cds_places_clear(&stream);
}

static void test_up(void) {
  bool up[CDS_MAX_CONNECTIONS] = {true, false};
  begin();
  ok(!cds_places_all_served(&stream, up), "one shard of two is not enough");
  up[1] = true;
  ok(cds_places_all_served(&stream, up), "both are");
  up[0] = false;
  ok(!cds_places_all_served(&stream, up), "the first place counts, too");
  up[1] = false;
  for (size_t slot = 0; slot < 5; slot++) cds_places_unwant(&stream, slot);
  ok(cds_places_all_served(&stream, up), "what is not wanted need not be served");
  cds_places_clear(&stream);
}

static void want(unsigned number) {
  ok(cds_places_grow(&stream, cds_places_count(&stream) + 1), "room");
  stream.places.of[cds_places_count(&stream)] = (struct cds_place){3, true, true, true}; /* memory as it may come */
  cds_places_want(&stream, &feeds[number - 1]);
}

static void test_want(void) {
  const bool up[CDS_MAX_CONNECTIONS] = {true, true};
  begin();
  cds_places_unwant(&stream, 0);
  ok(find(1) == CDS_NO_SLOT && cds_places_has(&stream, &feeds[0]), "an unwanted feed keeps its place");
  ok(!cds_places_is_wanted(&stream, 0) && cds_places_wanted(&stream) == 4, "and is not counted");
  want(6);
  is_number((long long)find(6), 5, "a new feed gets a new place");
  is_number((long long)cds_places_shard(&stream, 5), 0, "in the first of the emptiest shards");
  ok(cds_places_any_to_come(&stream) && !cds_places_all_served(&stream, up), "it is to come");
  want(1);
  ok(find(1) == 0 && cds_places_shard(&stream, 0) == 0, "one that is carried still stays where it was, full or not");
  cds_places_unwant(&stream, 5);
  ok(!cds_places_any_to_come(&stream), "nothing is to come");
  want(6);
  is_number((long long)cds_places_shard(&stream, 5), 1, "the emptiest shard is the second now");
  is_number((long long)cds_places_count(&stream), 6, "in the same place");
  cds_places_clear(&stream);
}

static void test_emptiest(void) {
  begin();
  cds_places_open_shards(&stream, 4);
  want(6);
  is_number((long long)cds_places_shard(&stream, 5), 2, "a shard that was opened is empty");
  cds_places_clear(&stream);
}

/* A change is tried in the shards that it touches, and then served; or not. */
static void test_change(void) {
  bool shards[CDS_MAX_CONNECTIONS] = {false};
  begin();
  ok(!cds_places_try(&stream, shards) && !shards[0] && !shards[1], "nothing has changed");
  cds_places_unwant(&stream, 0);
  want(6);
  cds_places_unwant(&stream, 1);
  ok(cds_places_try(&stream, shards) && shards[0] && !shards[1], "one shard has");
  ok(!cds_places_is_tried(&stream, 0) && cds_places_is_tried(&stream, 2), "what is wanted is tried");
  ok(!cds_places_is_tried(&stream, 3), "where anything has changed");
  is_number((long long)count(0, CDS_CARRIED_TRIED), 2, "two feeds");
  ok(cds_places_is_new(&stream, 5) && !cds_places_is_new(&stream, 2) && !cds_places_is_new(&stream, 0), "one is new");
  cds_places_unwant(&stream, 2);
  ok(!cds_places_is_tried(&stream, 2) && !cds_places_is_new(&stream, 2), "what is unwanted meanwhile is not tried");
  cds_places_take_over(&stream, shards);
  ok(count(0, CDS_CARRIED_SERVED) == 2 && count(1, CDS_CARRIED_SERVED) == 2, "what was tried is served");
  ok(!cds_places_is_new(&stream, 5), "and new no more");
  cds_places_end_trial(&stream);
  is_number((long long)count(0, CDS_CARRIED_TRIED), 0, "the trial is over");
  want(1);
  ok(find(1) == 0 && cds_places_any_to_come(&stream), "the first place's feed is to come again");
  ok(cds_places_try(&stream, shards) && cds_places_is_new(&stream, 0), "and new");
  cds_places_end_trial(&stream);
  ok(!stream.places.of[0].is_tried, "until its trial is over");
  cds_places_clear(&stream);
}

static void test_reuse(void) {
  bool shards[CDS_MAX_CONNECTIONS] = {false};
  begin();
  cds_places_unwant(&stream, 3);
  cds_places_unwant(&stream, 0);
  ok(cds_places_try(&stream, shards), "tried without them");
  cds_places_take_over(&stream, shards);
  cds_places_end_trial(&stream);
  want(6);
  is_number((long long)find(6), 0, "the first free place is used again");
  ok(!cds_places_has(&stream, &feeds[0]), "and is no other's");
  is_number((long long)cds_places_count(&stream), 5, "no place is added");
  want(4);
  is_number((long long)find(4), 3, "a feed that has a place still gets that");
  ok(cds_places_is_home(&stream, 3, &feeds[3]) && !cds_places_is_home(&stream, 3, &feeds[0]), "as its home");
  stream.places.of[0] = (struct cds_place){.is_tried = true};
  want(1);
  is_number((long long)find(1), 5, "a place whose feed is tried is not free");
  cds_places_clear(&stream);
}

/* Before there is any connection, what is wanted is what will be served. */
static void test_serve_all(void) {
  begin();
  cds_places_unwant(&stream, 0);
  want(6);
  cds_places_serve_all(&stream);
  ok(!stream.places.of[0].is_served && stream.places.of[5].is_served && !cds_places_any_to_come(&stream), "at once");
  want(1);
  cds_places_serve_all(&stream);
  ok(stream.places.of[0].is_served, "in the first place, too");
  cds_places_clear(&stream);
}

int main(void) {
  test_arithmetic();
  test_spread();
  test_up();
  test_want();
  test_emptiest();
  test_change();
  test_reuse();
  test_serve_all();
  return done();
}
