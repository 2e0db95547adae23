/* SPDX-License-Identifier: MIT
 * A stream as its script uses it. Nothing here blocks on the network; a stream has a descriptor to wait on, readable
 * exactly while there is something to take. Used by one thread at a time, the script's. */
#ifndef CDS_STREAM_H
#define CDS_STREAM_H

#include "base/histogram.h"
#include "codec/report.h"
#include "context/context.h"

struct cds_stream_life { /* stream.c's own */
  struct cds_stream_hook hook;
  atomic_bool is_closed;
};

CDS_MUST_CHECK enum cds_status cds_stream_open(struct cds_stream **out, struct cds_client *client,
                                               const struct cds_feed_id *feeds, size_t feed_count,
                                               const struct cds_stream_config *config, struct cds_error *err);

/* Readable while a report, an event or the end waits. The first is for waits of the caller's own: -1 once the stream is
 * closed. The second is for others to wait on: it stays until the stream is freed. */
int cds_stream_fd(struct cds_stream *stream);
CDS_MUST_CHECK enum cds_status cds_stream_share_fd(int *fd, struct cds_stream *stream, struct cds_error *err);

enum cds_pop { CDS_POP_REPORT, CDS_POP_EMPTY, CDS_POP_END };

/* Never waits. REPORT: *report belongs to the caller. END: the stream is over and its queue empty; *err says why
 * (CDS_E_CLOSED after a close, else what made it fail), the same at every later call. */
enum cds_pop cds_stream_pop(struct cds_report **report, struct cds_stream *stream, struct cds_error *err);

struct cds_event *cds_stream_take_event(struct cds_stream *stream); /* NULL when none; caller frees */

/* The newest report accepted for the feed, with a reference for the caller, or NULL. */
struct cds_report *cds_stream_latest(struct cds_stream *stream, const struct cds_feed_id *feed);

bool cds_stream_is_subscribed(struct cds_stream *stream); /* every feed has at least one connection that is up */

struct cds_link_stats {
  char origin[CDS_MAX_ORIGIN_TEXT];
  char host[256];
  enum cds_link_state state;
  uint64_t messages_received, bytes_received, errors_count, reconnect_count;
  double connection_uptime;  /* seconds, 0 when not connected */
  int64_t last_message_time; /* Unix ms, 0 when none yet */
  double ping_latency_ms;    /* last ping to pong, negative when not known */
};

struct cds_stream_stats {
  uint64_t total_received; /* reports that decoded, from all connections */
  uint64_t accepted;       /* delivered or waiting in the queue */
  uint64_t deduplicated, out_of_order, dropped, rejected, decode_errors;
  uint64_t unverified;         /* decoded, and not signed as they should be: not delivered */
  uint64_t gaps, empty_gaps;   /* where reports could be missing; where none were */
  uint64_t backfilled;         /* reports that came over REST */
  uint64_t lost, lost_seconds; /* ranges that could not be had, and their seconds as far as known */
  uint64_t partial_reconnects, full_reconnects;
  uint64_t configured_connections, active_connections;
  uint64_t queue_length;
  uint64_t feeds;                             /* that are wanted */
  struct cds_histogram latency;               /* arrival minus observation */
  struct cds_link_stats links[CDS_MAX_LINKS]; /* by the first link_count */
  size_t link_count;
};
void cds_stream_stats(struct cds_stream_stats *out, struct cds_stream *stream);

void cds_stream_close(struct cds_stream *stream); /* idempotent, joins the threads, returns within a second */
bool cds_stream_is_closed(const struct cds_stream *stream);
void cds_stream_free(struct cds_stream *stream);

#endif
