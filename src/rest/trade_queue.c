/* SPDX-License-Identifier: MIT
 * A ring of trades, and a descriptor in step with it. */
#include "rest/trade_queue.h"

#include "base/alloc.h"

enum cds_status cds_trade_queue_init(struct cds_trade_queue *queue, struct cds_error *err) {
  *queue = (struct cds_trade_queue){0};
  enum cds_status status = cds_notify_init(&queue->notify, err);
  if (status != CDS_OK) return status;
  queue->ring = cds_calloc(CDS_MAX_TRADES, sizeof *queue->ring);
  if (queue->ring != NULL && pthread_mutex_init(&queue->mu, NULL) == 0) return CDS_OK;
  cds_free(queue->ring);
  cds_notify_close(&queue->notify);
  return cds_error_set(err, CDS_E_MEMORY, "out of memory");
}

void cds_trade_queue_clear(struct cds_trade_queue *queue) {
  cds_event_clear(&queue->events);
  cds_notify_close(&queue->notify);
  pthread_mutex_destroy(&queue->mu);
  cds_free(queue->ring);
}

/* mu is held. */
static void announce(struct cds_trade_queue *queue) {
  if (queue->count > 0 || queue->events.count > 0 || queue->is_over) cds_notify_raise(&queue->notify);
  else cds_notify_clear(&queue->notify);
}

/* ---- in ---- */

/* mu is held. */
static void drop_oldest(struct cds_trade_queue *queue) {
  queue->first = (queue->first + 1) % CDS_MAX_TRADES;
  queue->count--;
}

void cds_trade_queue_push(struct cds_trade_queue *queue, const struct cds_trade *trade) {
  pthread_mutex_lock(&queue->mu);
  if (!queue->is_over) {
    queue->stats.received++;
    if (queue->count == CDS_MAX_TRADES) {
      drop_oldest(queue);
      queue->stats.dropped++;
    }
    queue->ring[(queue->first + queue->count++) % CDS_MAX_TRADES] = *trade;
    announce(queue);
  }
  pthread_mutex_unlock(&queue->mu);
}

void cds_trade_queue_tell(struct cds_trade_queue *queue, struct cds_event *event) {
  pthread_mutex_lock(&queue->mu);
  cds_event_push(&queue->events, event);
  announce(queue);
  pthread_mutex_unlock(&queue->mu);
}

void cds_trade_queue_count(struct cds_trade_queue *queue, uint64_t *counter) {
  pthread_mutex_lock(&queue->mu);
  ++*counter;
  pthread_mutex_unlock(&queue->mu);
}

void cds_trade_queue_connect(struct cds_trade_queue *queue, bool is_connected) {
  pthread_mutex_lock(&queue->mu);
  queue->stats.is_connected = is_connected;
  pthread_mutex_unlock(&queue->mu);
}

/* ---- its end ---- */

void cds_trade_queue_end(struct cds_trade_queue *queue, const struct cds_error *why) {
  pthread_mutex_lock(&queue->mu);
  if (!queue->is_over) queue->why = *why;
  queue->is_over = true;
  announce(queue);
  pthread_mutex_unlock(&queue->mu);
}

void cds_trade_queue_close(struct cds_trade_queue *queue) {
  pthread_mutex_lock(&queue->mu);
  cds_error_set(&queue->why, CDS_E_CLOSED, "the stream of trades was closed");
  queue->count = 0;
  queue->is_over = true;
  queue->stats.is_connected = false;
  announce(queue);
  pthread_mutex_unlock(&queue->mu);
}

bool cds_trade_queue_is_over(struct cds_trade_queue *queue, enum cds_status *status) {
  pthread_mutex_lock(&queue->mu);
  bool is_over = queue->is_over;
  *status = queue->why.status;
  pthread_mutex_unlock(&queue->mu);
  return is_over;
}

/* ---- out ---- */

enum cds_trades_pop cds_trade_queue_pop(struct cds_trade *out, struct cds_trade_queue *queue, struct cds_error *err) {
  enum cds_trades_pop pop = CDS_TRADES_EMPTY;
  pthread_mutex_lock(&queue->mu);
  if (queue->count > 0) {
    *out = queue->ring[queue->first];
    drop_oldest(queue);
    pop = CDS_TRADES_ONE;
  } else if (queue->is_over) {
    *err = queue->why;
    pop = CDS_TRADES_OVER;
  }
  announce(queue);
  pthread_mutex_unlock(&queue->mu);
  return pop;
}

struct cds_event *cds_trade_queue_take_event(struct cds_trade_queue *queue) {
  pthread_mutex_lock(&queue->mu);
  struct cds_event *event = cds_event_pop(&queue->events);
  announce(queue);
  pthread_mutex_unlock(&queue->mu);
  return event;
}

void cds_trade_queue_stats(struct cds_trades_stats *out, struct cds_trade_queue *queue) {
  pthread_mutex_lock(&queue->mu);
  *out = queue->stats;
  out->waiting = queue->count;
  pthread_mutex_unlock(&queue->mu);
}
