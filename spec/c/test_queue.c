/* SPDX-License-Identifier: MIT
 * The queue and its overflow policies. */
#include "base/alloc.h"
#include "order/queue.h"
#include "tap.h"

#define PLENTY ((size_t)1 << 30) /* bytes */
#define ITEM (sizeof(struct cds_queue_node) + sizeof(struct cds_report))

/* A report that is only its number. */
static struct cds_queue_node *item(size_t slot, uint32_t number) {
  struct cds_report *report = cds_calloc(1, sizeof *report);
  report->refs = 1;
  report->has_observations_timestamp = true;
  report->observations_timestamp = number;
  report->observations_time = number;
  return cds_queue_node_new(report, slot);
}

static long long popped(struct cds_queue *queue) {
  struct cds_queue_node *node = cds_queue_pop(queue);
  long long number = node != NULL ? (long long)node->report->observations_timestamp : -1;
  cds_queue_node_free(node);
  return number;
}

/* The numbers of these, summed, or -1 when there are none; frees them. */
static long long sum_of(struct cds_queue_node *gone) {
  long long sum = gone != NULL ? 0 : -1;
  for (struct cds_queue_node *next; gone != NULL; gone = next) {
    next = gone->next;
    sum += gone->report->observations_timestamp;
    cds_queue_node_free(gone);
  }
  return sum;
}

static long long pushed(struct cds_queue *queue, size_t slot, uint32_t number) {
  return sum_of(cds_queue_push(queue, item(slot, number)));
}

/* A report of so many bytes beyond an item's. */
static long long pushed_large(struct cds_queue *queue, size_t slot, uint32_t number, size_t bytes) {
  struct cds_queue_node *node = item(slot, number);
  node->report->length = bytes;
  return sum_of(cds_queue_push(queue, node));
}

static void test_block(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_BLOCK, 4, PLENTY, 2), "a blocking queue of 4");
  for (uint32_t i = 0; i < 3; i++) pushed(&queue, i % 2, i);
  ok(!cds_queue_is_full(&queue), "three do not fill it");
  pushed(&queue, 1, 3);
  ok(cds_queue_is_full(&queue), "the fourth does");
  is_number(pushed(&queue, 0, 4), -1, "a fifth, already under way, pushes nothing out");
  is_number(queue.length, 5, "five wait");
  for (int i = 0; i < 3; i++) {
    ok(!cds_queue_is_drained(&queue), "%zu waiting is not drained", queue.length);
    is_number(popped(&queue), i, "in order");
  }
  ok(cds_queue_is_drained(&queue), "half is drained");
  is_number(popped(&queue), 3, "in order");
  is_number(popped(&queue), 4, "in order");
  is_number(popped(&queue), -1, "empty");
  is_number(queue.dropped, 0, "nothing was dropped");
  pushed(&queue, 0, 9);
  is_number(popped(&queue), 9, "it works on after having been empty");
  cds_queue_clear(&queue);
}

static void test_drop_oldest(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_DROP_OLDEST, 3, PLENTY, 1), "a queue of 3 that drops the oldest");
  for (uint32_t i = 0; i < 3; i++) is_number(pushed(&queue, 0, i), -1, "room for it");
  is_number(pushed(&queue, 0, 3), 0, "the fourth pushes the first out");
  is_number(pushed(&queue, 0, 4), 1, "the fifth the second");
  ok(!cds_queue_is_full(&queue), "it never asks its sources to stop");
  cds_alloc_fail_after(0);
  ok(cds_queue_grow(&queue, 1000), "nor has to grow for more feeds");
  cds_alloc_fail_after(-1);
  is_number(queue.dropped, 2, "two were dropped");
  is_number(popped(&queue), 2, "the rest is in order");
  is_number(queue.length, 2, "two are left");
  cds_queue_clear(&queue);
  ok(queue.head == NULL, "clearing frees what waits");
}

static void test_latest(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_LATEST, 2, PLENTY, 3), "a queue of 2 that keeps the latest of 3 feeds");
  pushed(&queue, 0, 10);
  pushed(&queue, 1, 20);
  is_number(pushed(&queue, 0, 11), 10, "a newer report replaces the feed's waiting one");
  is_number(queue.length, 2, "and takes its place");
  is_number(queue.dropped, 1, "which counts as dropped");
  is_number(pushed(&queue, 0, 9), 9, "an older one, as comes in order of arrival, does not");
  is_number(pushed(&queue, 2, 30), 11, "a third feed pushes the first in line out");
  is_number(popped(&queue), 20, "the second is next");
  is_number(pushed(&queue, 1, 21), -1, "once taken, a feed's report is not replaced any more");
  is_number(popped(&queue), 30, "in order");
  is_number(popped(&queue), 21, "in order");
  is_number(popped(&queue), -1, "empty");
  is_number(queue.dropped, 3, "three were dropped in all");
  cds_queue_clear(&queue);
}

static void test_latest_of_one_time(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_LATEST, 2, PLENTY, 1), "a queue that keeps the latest of a feed");
  pushed(&queue, 0, 10);
  struct cds_queue_node *node = item(0, 10);
  const struct cds_report *second = node->report;
  is_number(sum_of(cds_queue_push(&queue, node)), 10, "of two of one time");
  ok(queue.head->report == second, "the second is the latest");
  node = item(0, 9);
  node->report->has_observations_timestamp = false;
  is_number(sum_of(cds_queue_push(&queue, node)), 10, "and one without a time is");
  is_number(queue.length, 1, "one waits");
  cds_queue_clear(&queue);
}

static void test_room(void) {
  static const long long rooms[] = {3, 2, 1, 0, 0};
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_BLOCK, 3, PLENTY, 1), "a queue of 3");
  for (uint32_t i = 0; i < 5; i++) {
    is_number(cds_queue_room(&queue), rooms[i], "room for more");
    pushed(&queue, 0, i);
  }
  cds_queue_clear(&queue);
}

/* ---- taking out what is not wanted any more ---- */

static bool is_even(const void *context, size_t slot) {
  (void)context;
  return slot % 2 == 0;
}

static bool is_in_list(const void *context, size_t slot) {
  return strchr(context, (int)('0' + slot)) != NULL;
}

static void test_sift(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_BLOCK, 5, PLENTY, 3), "a blocking queue of 5, of three feeds");
  ok(cds_queue_sift(&queue, is_even, NULL) == NULL, "nothing is taken out of an empty one");
  for (uint32_t i = 1; i <= 5; i++) pushed(&queue, i % 3, i); /* slots 1 2 0 1 2 */
  is_number(sum_of(cds_queue_sift(&queue, is_in_list, "02")), 1 + 4, "the second feed's two are taken out");
  is_number(queue.length, 3, "three are left");
  is_number(queue.dropped, 2, "two were dropped");
  ok(!cds_queue_is_full(&queue), "there is room again");
  is_number(pushed(&queue, 0, 6), -1, "which another one takes");
  for (const uint32_t *next = (const uint32_t[]){2, 3, 5, 6, 0}; *next != 0; next++)
    is_number(popped(&queue), *next, "the rest is in order");
  is_number(popped(&queue), -1, "and that is all");
  for (uint32_t i = 1; i <= 3; i++) pushed(&queue, 1, i);
  is_number(sum_of(cds_queue_sift(&queue, is_even, NULL)), 1 + 2 + 3, "everything is taken out");
  is_number(popped(&queue), -1, "nothing is left");
  pushed(&queue, 0, 7);
  is_number(popped(&queue), 7, "it works on after having been emptied");
  cds_queue_clear(&queue);
}

static void test_sift_latest(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_LATEST, 8, PLENTY, 2), "a queue that keeps the latest of 2 feeds");
  pushed(&queue, 0, 10);
  pushed(&queue, 1, 20);
  is_number(sum_of(cds_queue_sift(&queue, is_even, NULL)), 20, "the second's is taken out");
  is_number(pushed(&queue, 1, 21), -1, "a feed that comes back waits behind, and replaces nothing");
  is_number(pushed(&queue, 0, 11), 10, "a feed that stayed is replaced at its place in line");
  ok(cds_queue_grow(&queue, 3), "room for a third feed");
  is_number(pushed(&queue, 2, 30), -1, "which waits behind them");
  is_number(pushed(&queue, 2, 31), 30, "and is replaced like them");
  for (const uint32_t *next = (const uint32_t[]){11, 21, 31, 0}; *next != 0; next++)
    is_number(popped(&queue), *next, "in order");
  is_number(queue.dropped, 3, "one was dropped by the sift, two by newer ones");
  cds_alloc_fail_after(0);
  ok(!cds_queue_grow(&queue, 1000), "it does not grow without memory");
  cds_alloc_fail_after(-1);
  is_number(pushed(&queue, 2, 32), -1, "but works on as it was");
  cds_queue_clear(&queue);
}

/* ---- bytes ---- */

static void test_block_by_bytes(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_BLOCK, 100, 4 * ITEM, 2), "a blocking queue of 100, and of four items' bytes");
  for (uint32_t i = 0; i < 3; i++) pushed(&queue, 0, i);
  ok(!cds_queue_is_full(&queue), "three do not fill it");
  is_number(pushed_large(&queue, 0, 3, 5 * ITEM), -1, "a large one pushes nothing out");
  ok(cds_queue_is_full(&queue), "but fills it");
  is_number((long long)queue.bytes, 9 * (long long)ITEM, "what waits is counted");
  for (int i = 0; i < 3; i++) is_number(popped(&queue), i, "in order");
  ok(!cds_queue_is_drained(&queue), "the large one alone is not drained");
  is_number(popped(&queue), 3, "it comes too");
  ok(cds_queue_is_drained(&queue) && queue.bytes == 0, "then all is");
  for (uint32_t i = 0; i < 2; i++) pushed(&queue, 0, i);
  ok(cds_queue_is_drained(&queue), "with half of its bytes");
  pushed(&queue, 0, 2);
  ok(!cds_queue_is_drained(&queue), "but not with more");
  pushed(&queue, 0, 3);
  ok(cds_queue_is_full(&queue), "all of them fill it");
  cds_queue_clear(&queue);
}

static void test_drop_by_bytes(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_DROP_OLDEST, 100, 4 * ITEM, 1), "one that drops the oldest");
  for (uint32_t i = 1; i <= 4; i++) is_number(pushed(&queue, 0, i), -1, "room for it");
  is_number(pushed_large(&queue, 0, 5, ITEM), 1 + 2, "one of two items' bytes pushes two out");
  is_number(pushed_large(&queue, 0, 6, 9 * ITEM), 3 + 4 + 5, "one too large for all pushes all out");
  is_number((long long)queue.length, 1, "and waits alone");
  is_number((long long)queue.dropped, 5, "five were dropped");
  is_number(popped(&queue), 6, "it comes");
  cds_queue_clear(&queue);

  ok(cds_queue_init(&queue, CDS_OVERFLOW_LATEST, 100, 4 * ITEM, 4), "one that keeps the latest");
  for (uint32_t i = 0; i < 4; i++) pushed(&queue, i, 1 + i);
  is_number(pushed_large(&queue, 3, 10, ITEM), 4 + 1, "a larger one in a feed's place pushes the first in line out");
  is_number(sum_of(cds_queue_sift(&queue, is_in_list, "3")), 2 + 3, "two are taken out");
  is_number((long long)queue.bytes, 2 * (long long)ITEM, "and not counted any more");
  cds_queue_clear(&queue);
}

int main(void) {
  test_block_by_bytes();
  test_drop_by_bytes();
  test_block();
  test_drop_oldest();
  test_latest();
  test_latest_of_one_time();
  test_room();
  test_sift();
  test_sift_latest();
  return done();
}
