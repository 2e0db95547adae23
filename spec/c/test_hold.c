/* SPDX-License-Identifier: MIT
 * Held reports: their order, and the index that finds them. */
#include "tap.h"

#include "order/hold.h"

#define MANY 100

static struct cds_hold hold;
static struct cds_hold_index index_of_all;
static struct cds_held entries[MANY];

static size_t buckets_for(size_t expected) {
  struct cds_hold_index made;
  if (!cds_hold_index_init(&made, expected)) return 0;
  size_t buckets = made.mask + 1;
  cds_hold_index_clear(&made);
  ok(made.buckets == NULL && made.mask == 0, "an index that is cleared");
  return buckets;
}

static void test_size(void) {
  is_number(buckets_for(0), 16, "buckets for none");
  is_number(buckets_for(16), 16, "for as many");
  is_number(buckets_for(17), 32, "for one more");
  is_number(buckets_for(CDS_MAX_QUEUE_SIZE), CDS_MAX_QUEUE_SIZE, "for the longest queue");
  is_number(buckets_for(CDS_MAX_QUEUE_SIZE + 1), CDS_MAX_QUEUE_SIZE, "and no more");
}

static char digit(const struct cds_held *held) {
  return (char)('0' + (held - entries));
}

/* Forwards and backwards. */
static void is_order(const char *expected, const char *name) {
  char forwards[16] = "", backwards[16] = "";
  size_t count = 0, most = sizeof forwards - 1;
  for (const struct cds_held *at = hold.head; at != NULL && count < most; at = at->next) forwards[count++] = digit(at);
  size_t left = count;
  for (const struct cds_held *at = hold.tail; at != NULL && left > 0; at = at->prev) backwards[--left] = digit(at);
  is_string(forwards, expected, name);
  is_string(backwards, expected, "backwards too");
  is_number(hold.count, count, "counted");
  is_number(index_of_all.count, count, "in the index");
  is_number(hold.bytes, count * sizeof(struct cds_held), "with their bytes");
  is_number(index_of_all.bytes, count * sizeof(struct cds_held), "there as well");
}

static void put(size_t i, int64_t time, struct cds_held *after) {
  entries[i] = (struct cds_held){.time = time, .slot = i % 2, .tags = {{.tag = i + 1}, {.tag = i + 1001}}};
  cds_hold_put(&hold, &index_of_all, &entries[i], after);
}

static void take(size_t i) {
  cds_hold_remove(&hold, &index_of_all, &entries[i]);
}

static void test_order(void) {
  put(1, 20, NULL);
  is_order("1", "one");
  put(2, 20, NULL);
  put(3, 30, NULL);
  put(4, 10, NULL);
  is_order("4123", "by time, then as they came");
  put(5, 20, &entries[1]);
  is_order("41523", "directly behind another");
  put(6, 35, &entries[3]);
  is_order("415236", "behind the last");
  take(5);
  is_order("41236", "one of the middle goes");
  take(4);
  is_order("1236", "the first");
  take(6);
  is_order("123", "the last");
  take(1), take(2), take(3);
  is_order("", "all");
  ok(hold.head == NULL && hold.tail == NULL, "nothing is held");
}

static void test_find(void) {
  for (size_t i = 0; i < MANY; i++) put(i, (int64_t)i, NULL);
  size_t found = 0, foreign = 0;
  for (size_t i = 0; i < MANY; i++) {
    found += cds_hold_find(&index_of_all, i % 2, i + 1) == &entries[i];
    found += cds_hold_find(&index_of_all, i % 2, i + 1001) == &entries[i];
    foreign += cds_hold_find(&index_of_all, 1 - i % 2, i + 1) != NULL;
  }
  is_number(found, 2 * MANY, "each is found by either tag, many to a bucket");
  is_number(foreign, 0, "and for its feed only");
  ok(cds_hold_find(&index_of_all, 0, MANY + 1) == NULL, "none by another tag");
  for (size_t i = 0; i < MANY; i += 3) take(i);
  found = 0;
  for (size_t i = 0; i < MANY; i++) {
    found += (cds_hold_find(&index_of_all, i % 2, i + 1) == &entries[i]) == (i % 3 != 0);
    found += (cds_hold_find(&index_of_all, i % 2, i + 1001) == &entries[i]) == (i % 3 != 0);
  }
  is_number(found, 2 * MANY, "those that went are not found");
  for (size_t i = 0; i < MANY; i++)
    if (i % 3 != 0) take(i);
  is_order("", "all went");
}

/* Without a text there is a tag less. */
static void test_no_tag(void) {
  entries[0] = (struct cds_held){.tags = {{.tag = 16}, {.tag = 0}}};
  cds_hold_put(&hold, &index_of_all, &entries[0], NULL);
  ok(cds_hold_find(&index_of_all, 0, 0) == NULL, "tag 0 finds nothing");
  ok(cds_hold_find(&index_of_all, 0, 16) == &entries[0], "the other one does");
  ok(entries[0].tags[0].next == NULL, "and is alone in its bucket");
  take(0);
  ok(cds_hold_find(&index_of_all, 0, 16) == NULL, "until it goes");
}

static void test_bytes(void) {
  struct cds_report report = {.refs = 1, .length = 700};
  struct cds_queue_node node = {.report = &report};
  entries[0] = (struct cds_held){.node = &node, .tags = {{.tag = 1}}};
  is_number(cds_held_bytes(&entries[0]), sizeof(struct cds_held) + cds_queue_node_bytes(&node), "with its report");
  ok(cds_queue_node_bytes(&node) > 700, "whose bytes count");
  cds_hold_put(&hold, &index_of_all, &entries[0], NULL);
  is_number(hold.bytes, cds_held_bytes(&entries[0]), "are held");
  is_number(index_of_all.bytes, cds_held_bytes(&entries[0]), "of all");
  take(0);
  is_order("", "and are not any more");
}

static void test_position(void) {
  put(0, 1, NULL), put(1, 2, NULL), put(2, 3, NULL);
  entries[0].at = 1 | 2;
  entries[1].at = 4;
  ok(cds_hold_position(&hold, 1) == &entries[0] && cds_hold_position(&hold, 2) == &entries[0], "two at the first");
  ok(cds_hold_position(&hold, 4) == &entries[1], "one at the second");
  ok(cds_hold_position(&hold, 8) == NULL, "one nowhere");
  take(0), take(1), take(2);
}

int main(void) {
  test_size();
  ok(cds_hold_index_init(&index_of_all, 16), "an index");
  test_order();
  test_find();
  test_no_tag();
  test_bytes();
  test_position();
  cds_hold_index_clear(&index_of_all);
  return done();
}
