/* SPDX-License-Identifier: MIT
 * What a stream of trades has for its script: trades, events, counters, its end, and the descriptor that tells of them.
 * From any thread. */
#ifndef CDS_TRADE_QUEUE_H
#define CDS_TRADE_QUEUE_H

#include <pthread.h>

#include "codec/trade.h"
#include "context/event.h"
#include "context/notify.h"

struct cds_trades_stats {
  uint64_t received, heartbeats;
  uint64_t ignored;       /* objects of another kind */
  uint64_t dropped;       /* the oldest that waited, for want of room */
  uint64_t decode_errors; /* connections given up for what they told */
  uint64_t reconnects;
  size_t waiting;
  bool is_connected; /* it has told something, and has not ended */
};

enum cds_trades_pop { CDS_TRADES_EMPTY, CDS_TRADES_ONE, CDS_TRADES_OVER };

struct cds_trade_queue {
  pthread_mutex_t mu; /* taken after every other lock; guards all that follows */
  bool is_over;
  struct cds_error why;
  struct cds_trade *ring;
  size_t first, count;
  struct cds_trades_stats stats;
  struct cds_event_queue events;
  struct cds_notify notify;
};

/* After a failure there is nothing to clear. */
CDS_MUST_CHECK enum cds_status cds_trade_queue_init(struct cds_trade_queue *queue, struct cds_error *err);
void cds_trade_queue_clear(struct cds_trade_queue *queue);

/* Drops the oldest beyond CDS_MAX_TRADES, and everything once it is over. */
void cds_trade_queue_push(struct cds_trade_queue *queue, const struct cds_trade *trade);
void cds_trade_queue_tell(struct cds_trade_queue *queue, struct cds_event *event); /* takes event */
void cds_trade_queue_count(struct cds_trade_queue *queue, uint64_t *counter);      /* one of its stats */
void cds_trade_queue_connect(struct cds_trade_queue *queue, bool is_connected);

/* The first reason is the one that counts; what waits stays. */
void cds_trade_queue_end(struct cds_trade_queue *queue, const struct cds_error *why);
/* The same with CDS_E_CLOSED, which counts in any case, and what waits is given up. */
void cds_trade_queue_close(struct cds_trade_queue *queue);
bool cds_trade_queue_is_over(struct cds_trade_queue *queue, enum cds_status *status);

enum cds_trades_pop cds_trade_queue_pop(struct cds_trade *out, struct cds_trade_queue *queue, struct cds_error *err);
struct cds_event *cds_trade_queue_take_event(struct cds_trade_queue *queue);
void cds_trade_queue_stats(struct cds_trades_stats *out, struct cds_trade_queue *queue);

#endif
