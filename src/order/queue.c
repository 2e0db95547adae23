/* SPDX-License-Identifier: MIT
 * The queue between the connections and the script. */
#include "order/queue.h"

#include "base/alloc.h"

struct cds_queue_node *cds_queue_node_new(struct cds_report *report, size_t slot) {
  struct cds_queue_node *node = cds_malloc(sizeof *node);
  if (node != NULL) *node = (struct cds_queue_node){.report = report, .slot = slot};
  return node;
}

void cds_queue_node_free(struct cds_queue_node *node) {
  if (node == NULL) return;
  cds_report_unref(node->report);
  cds_free(node);
}

bool cds_queue_init(struct cds_queue *queue, enum cds_overflow policy, size_t limit, size_t feed_count) {
  *queue = (struct cds_queue){.policy = policy, .limit = limit};
  if (policy != CDS_OVERFLOW_LATEST) return true;
  queue->waiting = cds_calloc(feed_count + 1, sizeof *queue->waiting);
  queue->slots = feed_count;
  return queue->waiting != NULL;
}

bool cds_queue_grow(struct cds_queue *queue, size_t feed_count) {
  if (queue->policy != CDS_OVERFLOW_LATEST) return true;
  struct cds_queue_node **waiting = cds_realloc(queue->waiting, (feed_count + 1) * sizeof *waiting);
  if (waiting == NULL) return false;
  for (; queue->slots < feed_count; queue->slots++) waiting[queue->slots] = NULL;
  queue->waiting = waiting;
  return true;
}

void cds_queue_clear(struct cds_queue *queue) {
  struct cds_queue_node *node;
  while ((node = cds_queue_pop(queue)) != NULL) cds_queue_node_free(node);
  cds_free(queue->waiting);
  *queue = (struct cds_queue){0};
}

static void append(struct cds_queue *queue, struct cds_queue_node *node) {
  node->next = NULL;
  if (queue->tail != NULL) queue->tail->next = node;
  else queue->head = node;
  queue->tail = node;
  queue->length++;
  if (queue->waiting != NULL) queue->waiting[node->slot] = node;
}

static void swap_reports(struct cds_queue_node *a, struct cds_queue_node *b) {
  struct cds_report *report = a->report;
  a->report = b->report;
  b->report = report;
}

struct cds_queue_node *cds_queue_push(struct cds_queue *queue, struct cds_queue_node *node) {
  struct cds_queue_node *waiting = queue->waiting != NULL ? queue->waiting[node->slot] : NULL;
  if (waiting != NULL) {
    queue->dropped++;
    swap_reports(waiting, node);
    return node;
  }
  struct cds_queue_node *gone = NULL;
  if (queue->policy != CDS_OVERFLOW_BLOCK && queue->length >= queue->limit) {
    queue->dropped++;
    gone = cds_queue_pop(queue);
  }
  append(queue, node);
  return gone;
}

struct cds_queue_node *cds_queue_pop(struct cds_queue *queue) {
  struct cds_queue_node *node = queue->head;
  if (node == NULL) return NULL;
  queue->head = node->next;
  if (queue->head == NULL) queue->tail = NULL;
  queue->length--;
  if (queue->waiting != NULL) queue->waiting[node->slot] = NULL;
  return node;
}

struct cds_queue_node *cds_queue_sift(struct cds_queue *queue, bool (*is_wanted)(const void *context, size_t slot),
                                      const void *context) {
  struct cds_queue_node *gone = NULL, *node, *next = queue->head;
  queue->head = queue->tail = NULL;
  queue->length = 0;
  while ((node = next) != NULL) {
    next = node->next;
    if (is_wanted(context, node->slot)) {
      append(queue, node);
      continue;
    }
    if (queue->waiting != NULL) queue->waiting[node->slot] = NULL;
    queue->dropped++;
    node->next = gone;
    gone = node;
  }
  return gone;
}

bool cds_queue_is_full(const struct cds_queue *queue) {
  return queue->policy == CDS_OVERFLOW_BLOCK && queue->length >= queue->limit;
}

bool cds_queue_is_drained(const struct cds_queue *queue) {
  return queue->length <= queue->limit / 2;
}
