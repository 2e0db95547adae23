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

size_t cds_queue_node_bytes(const struct cds_queue_node *node) {
  return sizeof *node + sizeof *node->report + node->report->length;
}

bool cds_queue_init(struct cds_queue *queue, enum cds_overflow policy, size_t limit, size_t byte_limit,
                    size_t feed_count) {
  *queue = (struct cds_queue){.policy = policy, .limit = limit, .byte_limit = byte_limit};
  if (policy != CDS_OVERFLOW_LATEST) return true;
  queue->waiting = cds_calloc(feed_count, sizeof *queue->waiting);
  queue->slots = feed_count;
  return queue->waiting != NULL;
}

bool cds_queue_grow(struct cds_queue *queue, size_t feed_count) {
  if (queue->policy != CDS_OVERFLOW_LATEST) return true;
  struct cds_queue_node **waiting = cds_realloc(queue->waiting, feed_count * sizeof *waiting);
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
  queue->bytes += cds_queue_node_bytes(node);
  if (queue->waiting != NULL) queue->waiting[node->slot] = node;
}

/* The waiting node has the new report, and the other one the old. */
static void replace(struct cds_queue *queue, struct cds_queue_node *waiting, struct cds_queue_node *node) {
  struct cds_report *report = waiting->report;
  queue->bytes -= cds_queue_node_bytes(waiting);
  waiting->report = node->report;
  node->report = report;
  queue->bytes += cds_queue_node_bytes(waiting);
}

static void let_go(struct cds_queue *queue, struct cds_queue_node *node, struct cds_queue_node **gone) {
  queue->dropped++;
  node->next = *gone;
  *gone = node;
}

/* One is kept, however large. */
static bool has_too_much(const struct cds_queue *queue) {
  bool is_over = queue->length > queue->limit || queue->bytes > queue->byte_limit;
  return is_over && queue->policy != CDS_OVERFLOW_BLOCK && queue->length > 1;
}

static bool is_older(const struct cds_report *report, const struct cds_report *other) {
  return report->has_observations_timestamp && report->observations_time < other->observations_time;
}

struct cds_queue_node *cds_queue_push(struct cds_queue *queue, struct cds_queue_node *node) {
  struct cds_queue_node *waiting = queue->waiting != NULL ? queue->waiting[node->slot] : NULL, *gone = NULL;
  if (waiting == NULL) append(queue, node);
  else {
    if (!is_older(node->report, waiting->report)) replace(queue, waiting, node);
    let_go(queue, node, &gone);
  }
  while (has_too_much(queue)) let_go(queue, cds_queue_pop(queue), &gone);
  return gone;
}

struct cds_queue_node *cds_queue_pop(struct cds_queue *queue) {
  struct cds_queue_node *node = queue->head;
  if (node == NULL) return NULL;
  queue->head = node->next;
  if (queue->head == NULL) queue->tail = NULL;
  queue->length--;
  queue->bytes -= cds_queue_node_bytes(node);
  if (queue->waiting != NULL) queue->waiting[node->slot] = NULL;
  return node;
}

struct cds_queue_node *cds_queue_sift(struct cds_queue *queue, bool (*is_wanted)(const void *context, size_t slot),
                                      const void *context) {
  struct cds_queue_node *gone = NULL, *node, *next = queue->head;
  queue->head = queue->tail = NULL;
  queue->length = queue->bytes = 0;
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

size_t cds_queue_room(const struct cds_queue *queue) {
  return queue->length < queue->limit ? queue->limit - queue->length : 0;
}

bool cds_queue_is_full(const struct cds_queue *queue) {
  bool has_enough = queue->length >= queue->limit || queue->bytes >= queue->byte_limit;
  return has_enough && queue->policy == CDS_OVERFLOW_BLOCK;
}

bool cds_queue_is_drained(const struct cds_queue *queue) {
  return queue->length <= queue->limit / 2 && queue->bytes <= queue->byte_limit / 2;
}
