/* SPDX-License-Identifier: MIT
 * The queue and its overflow policies. */
#include "base/alloc.h"
#include "client/queue.h"
#include "tap.h"

/* A report that is only its number. */
static struct cds_queue_node *item(size_t slot, uint32_t number) {
  struct cds_report *report = cds_calloc(1, sizeof *report);
  report->refs = 1;
  report->observations_timestamp = number;
  return cds_queue_node_new(report, slot);
}

static long long popped(struct cds_queue *queue) {
  struct cds_queue_node *node = cds_queue_pop(queue);
  long long number = node != NULL ? (long long)node->report->observations_timestamp : -1;
  cds_queue_node_free(node);
  return number;
}

static long long pushed(struct cds_queue *queue, size_t slot, uint32_t number) {
  struct cds_queue_node *gone = cds_queue_push(queue, item(slot, number));
  long long which = gone != NULL ? (long long)gone->report->observations_timestamp : -1;
  cds_queue_node_free(gone);
  return which;
}

static void test_block(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_BLOCK, 4, 2), "a blocking queue of 4");
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
  ok(cds_queue_init(&queue, CDS_OVERFLOW_DROP_OLDEST, 3, 1), "a queue of 3 that drops the oldest");
  for (uint32_t i = 0; i < 3; i++) is_number(pushed(&queue, 0, i), -1, "room for it");
  is_number(pushed(&queue, 0, 3), 0, "the fourth pushes the first out");
  is_number(pushed(&queue, 0, 4), 1, "the fifth the second");
  ok(!cds_queue_is_full(&queue), "it never asks its sources to stop");
  is_number(queue.dropped, 2, "two were dropped");
  is_number(popped(&queue), 2, "the rest is in order");
  is_number(queue.length, 2, "two are left");
  cds_queue_clear(&queue);
  ok(queue.head == NULL, "clearing frees what waits");
}

static void test_latest(void) {
  struct cds_queue queue;
  ok(cds_queue_init(&queue, CDS_OVERFLOW_LATEST, 2, 3), "a queue of 2 that keeps the latest of 3 feeds");
  pushed(&queue, 0, 10);
  pushed(&queue, 1, 20);
  is_number(pushed(&queue, 0, 11), 10, "a newer report replaces the feed's waiting one");
  is_number(queue.length, 2, "and takes its place");
  is_number(queue.dropped, 1, "which counts as dropped");
  is_number(pushed(&queue, 2, 30), 11, "a third feed pushes the first in line out");
  is_number(popped(&queue), 20, "the second is next");
  is_number(pushed(&queue, 1, 21), -1, "once taken, a feed's report is not replaced any more");
  is_number(popped(&queue), 30, "in order");
  is_number(popped(&queue), 21, "in order");
  is_number(popped(&queue), -1, "empty");
  is_number(queue.dropped, 2, "two were dropped in all");
  cds_queue_clear(&queue);
}

int main(void) {
  test_block();
  test_drop_oldest();
  test_latest();
  return done();
}
