/* SPDX-License-Identifier: MIT
 * The stream as its connections see it. Lua includes client.h only.
 *
 * Threads: the script's, one for each link, and the client's REST thread, which answers the stream's own calls. `mu`
 * covers everything marked so; no call of libwebsockets is made under it. Each link's thread, each call under way and a
 * timer that is set hold a reference of the stream, so that what close could not wait for (a thread may be stuck in
 * the resolver) finds its memory valid when it comes back to end.
 *
 * The feeds are spread over shards, and each shard has one connection per origin. */
#ifndef CDS_STREAM_INTERNAL_H
#define CDS_STREAM_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "context/notify.h"
#include "order/feed_set.h"
#include "order/queue.h"
#include "order/sequence.h"
#include "stream/backfill.h"
#include "stream/change.h"
#include "stream/discovery.h"
#include "stream/link.h"
#include "stream/stream.h"

#define CDS_NO_LINK SIZE_MAX

enum cds_role {
  CDS_ROLE_FREE,    /* no link here */
  CDS_ROLE_TRIAL,   /* of a changed set of feeds: until it is up, what was before it goes on */
  CDS_ROLE_SERVING, /* one of the configured connections */
  CDS_ROLE_LEAVING  /* another has taken over, or it has failed */
};

/* Guarded by mu; a role leaves FREE and comes back to it under start_mu as well. */
struct cds_connection {
  enum cds_role role;
  struct cds_link *link;
  size_t shard;
  struct cds_link_stats stats;
  int64_t connected_at_ms; /* monotonic; 0: never was */
  int64_t wall_ahead_ms;   /* of the monotonic clock, when it last connected; written by the link's thread only */
};

/* Where a feed's delivery began, in the middle of a second perhaps: what that second had before was not asked for. */
struct cds_beginning {
  uint32_t second;
  uint64_t tag; /* of the first report's blob; 0: none yet */
};

/* A place for a feed. It is free when nobody wants it and no connection carries it: another feed may get it then. */
struct cds_place {
  size_t shard;
  bool is_wanted; /* by the script: only then its reports are delivered */
  bool is_served; /* SERVING connections carry it */
  bool is_tried;  /* TRIAL connections carry it; of meaning while its shard changes */
  struct cds_beginning beginning;
  struct cds_report *latest; /* one reference, or NULL */
};

struct cds_stream {
  atomic_uint refs;
  struct cds_client *client;                   /* one reference */
  const struct cds_link_handler *link_handler; /* of its connections */
  struct cds_stream_hook hook;
  struct cds_stream_config config; /* read-only */
  uint64_t seed;                   /* of the tags; read-only */
  int64_t wall_ahead_ms;           /* of the monotonic clock, when the stream was opened; read-only */
  atomic_bool closed;

  pthread_mutex_t start_mu; /* held while connections are added or removed; taken before mu */

  pthread_mutex_t mu;
  /* guarded by mu */
  struct cds_feed_set feeds;
  struct cds_place *places; /* owned; by slot */
  size_t shard_count;       /* at most CDS_MAX_CONNECTIONS; one may be without feeds */
  struct cds_change change;
  struct cds_connection connections[CDS_MAX_LINKS];
  struct cds_discovery discovery;
  bool stopping, ended;
  struct cds_error end; /* why, once ended */
  atomic_bool paused;   /* the links are to stop reading; written under mu, read anywhere */
  struct cds_sequence sequence;
  struct cds_backfill backfill;
  struct cds_queue queue;
  struct cds_notify notify;
  struct cds_event_queue events;
  struct cds_stream_stats counts; /* what concerns queue and connections is filled in by cds_stream_stats */
  double latency_sum_ms;
  int64_t complained_at_ms;   /* monotonic; of the last warning about a message */
  uint64_t complaints_held;   /* warnings not given since */
  int64_t unverified_told_ms; /* monotonic; of the last event about a report that does not verify */
};

void cds_stream_ref(struct cds_stream *stream);
void cds_stream_unref(struct cds_stream *stream);

/* mu is held: brings the descriptor in step with what waits. */
void cds_stream_settle(struct cds_stream *stream);

/* No lock is held. Reports were taken out of the queue: the links may read on, when there is room again. */
void cds_stream_resume(struct cds_stream *stream);

/* Any thread, no lock held: an event for the script (NULL is ignored), or a log line. */
void cds_stream_emit(struct cds_stream *stream, struct cds_event *event);
void cds_stream_log(struct cds_stream *stream, enum cds_log_level level, const char *format, ...) CDS_PRINTF(3, 4);

/* The stream is over for this reason, unless it is over already; the links are woken to end. No lock is held. */
void cds_stream_fail(struct cds_stream *stream, const struct cds_error *why);

/* mu is held: the feed's slot, or CDS_NO_SLOT when it is not wanted. */
size_t cds_stream_find(const struct cds_stream *stream, const struct cds_feed_id *feed);

/* ---- a link's handler (link.h); context is the stream ---- */

bool cds_stream_link_is_over(void *context, size_t link); /* the stream is, or this connection is not wanted any more */
bool cds_stream_is_paused(void *context);
enum cds_status cds_stream_link_sign(void *context, struct cds_auth *auth, const char *target, struct cds_error *err);
void cds_stream_link_origin(void *context, size_t link, unsigned failures, char out[CDS_MAX_ORIGIN_TEXT]);
void cds_stream_link_host(void *context, size_t link, const struct cds_url *url);
void cds_stream_link_state(void *context, size_t link, enum cds_link_state state, const struct cds_error *why,
                           unsigned failures, double delay);
bool cds_stream_receive(void *context, size_t link, const char *data, size_t length, bool *is_report);
void cds_stream_link_alarm(void *context, const char *text);

/* Final: the stream ends; otherwise it ends when the shard has no other link left. */
void cds_stream_link_failed(void *context, size_t link, const struct cds_error *err, bool final);
void cds_stream_link_gone(void *context, size_t link);

#endif
