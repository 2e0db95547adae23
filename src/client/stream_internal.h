/* SPDX-License-Identifier: MIT
 * The stream as its connections see it. Lua includes client.h only.
 *
 * Threads: the script's, and one for each link. `mu` covers everything marked so; no call of libwebsockets is made
 * under it. Each link's thread holds a reference of the stream, so a thread that close could not wait for (it may be
 * stuck in the resolver) finds its memory valid when it comes back to end. */
#ifndef CDS_STREAM_INTERNAL_H
#define CDS_STREAM_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/client_internal.h"
#include "client/feed_set.h"
#include "client/merge.h"
#include "client/notify.h"
#include "client/queue.h"

struct cds_link;

struct cds_stream {
  atomic_uint refs;
  struct cds_client *client; /* one reference */
  struct cds_stream_hook hook;
  struct cds_stream_config config; /* read-only */
  struct cds_feed_set feeds;       /* read-only */
  struct cds_link *links[CDS_MAX_ORIGINS];
  size_t link_count;
  atomic_bool closed;

  pthread_mutex_t mu;
  pthread_cond_t link_exited; /* on the monotonic clock */
  /* guarded by mu */
  bool stopping, ended;
  struct cds_error end; /* why, once ended */
  atomic_bool paused;   /* the links are to stop reading; written under mu, read anywhere */
  struct cds_merge merge;
  struct cds_queue queue;
  struct cds_notify notify;
  struct cds_event_queue events;
  struct cds_report **latest;     /* by slot; one reference each, or NULL */
  struct cds_stream_stats counts; /* queue, latency mean and links' uptime are filled in by cds_stream_stats */
  double latency_sum_ms;
  int64_t connected_at_ms[CDS_MAX_ORIGINS]; /* monotonic; 0 when not connected */
  int64_t complained_at_ms;                 /* monotonic; of the last warning about a message */
  uint64_t complaints_held;                 /* warnings not given since */
};

void cds_stream_unref(struct cds_stream *stream);

/* mu is held: brings the descriptor in step with what waits. */
void cds_stream_settle(struct cds_stream *stream);

/* ---- from a link's thread ---- */

bool cds_stream_is_stopping(struct cds_stream *stream);

/* One whole message. True when the link is to stop reading until woken. */
bool cds_stream_receive(struct cds_stream *stream, size_t link, const char *data, size_t length);

bool cds_stream_is_paused(struct cds_stream *stream);

/* A connection's change of state, with the reason (NULL: none), the consecutive failures and the next delay. */
void cds_stream_link_state(struct cds_stream *stream, size_t link, enum cds_link_state state,
                           const struct cds_error *why, unsigned attempt, double delay);

/* The connection goes to another host from now on. */
void cds_stream_link_host(struct cds_stream *stream, size_t link, const struct cds_url *url);

/* The link has given up for good. The stream ends with the error when no other link is left. */
void cds_stream_link_failed(struct cds_stream *stream, size_t link, const struct cds_error *err);

#endif
