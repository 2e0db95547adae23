/* SPDX-License-Identifier: MIT
 * The engine's face: a client, its REST calls and its streams. Nothing here blocks on the network; everything
 * that takes time is a call or a stream with a descriptor to wait on (readable exactly while there is something to
 * take). A call, stream and client are used by one thread at a time (the script's); the engine's own threads work
 * behind them. A process that forked gets CDS_E_CLOSED with the reason from every function but the _free ones. */
#ifndef CDS_CLIENT_H
#define CDS_CLIENT_H

#include "codec/report.h"
#include "context/config.h"

struct cds_client;
struct cds_call;
struct cds_stream;

/* Takes the contents of *config (it is left cleared), also when it fails. Starts no thread and opens no socket. */
CDS_MUST_CHECK enum cds_status cds_client_new(struct cds_client **out, struct cds_config *config,
                                              struct cds_error *err);

/* Ends every call (CDS_E_CLOSED) and stream, joins the threads, wipes the secret. Idempotent; returns within a second. */
void cds_client_close(struct cds_client *client);
bool cds_client_is_closed(const struct cds_client *client);

/* Closes, then drops the caller's reference; calls and streams still alive keep their memory valid. */
void cds_client_free(struct cds_client *client);

struct cds_client_stats {
  uint64_t requests; /* attempts sent, retries included */
  uint64_t retries;
  uint64_t failures;    /* calls that ended in an error */
  uint64_t connections; /* TCP connections opened; requests - connections were reused */
  const char *circuit;  /* "closed", "open", "half_open" */
};
void cds_client_stats(struct cds_client_stats *out, struct cds_client *client);

/* ---- REST calls ---- */

enum cds_operation {
  CDS_GET_FEEDS,
  CDS_GET_LATEST_REPORT, /* feeds[0] */
  CDS_GET_REPORT,        /* feeds[0], timestamp */
  CDS_GET_REPORTS,       /* feeds, timestamp */
  CDS_GET_REPORT_PAGE,   /* feeds[0], timestamp = start, limit (0: the service's default) */
  CDS_HEAD_ORIGINS,      /* the engine's own: which origins the WebSocket service has */
  CDS_POST_JSON          /* cds_call_post's */
};

struct cds_call_args {
  enum cds_operation operation;
  const struct cds_feed_id *feeds;
  size_t feed_count;
  uint32_t timestamp;
  uint32_t limit;
};

CDS_MUST_CHECK enum cds_status cds_call_start(struct cds_call **out, struct cds_client *client,
                                              const struct cds_call_args *args, struct cds_error *err);

/* POSTs JSON to the client's REST endpoint itself, not signed. The question must be idempotent: it may be sent again.
 * Copies the body. */
CDS_MUST_CHECK enum cds_status cds_call_post(struct cds_call **out, struct cds_client *client, const char *body,
                                             size_t length, struct cds_error *err);

int cds_call_fd(const struct cds_call *call); /* readable once the call is done or an event waits */
bool cds_call_is_done(struct cds_call *call);

/* After done: CDS_OK or the call's error. */
enum cds_status cds_call_error(struct cds_call *call, struct cds_error *err);

/* After done and CDS_OK. The reports, at most once each: gives ownership away, NULL past the last. */
struct cds_report *cds_call_take_report(struct cds_call *call);
/* The answer's body (CDS_GET_FEEDS and CDS_POST_JSON only, else NULL); belongs to the call. */
const char *cds_call_body(const struct cds_call *call, size_t *length);
int cds_call_http_status(const struct cds_call *call);                    /* 200, 206 */
bool cds_call_next_page(const struct cds_call *call, int64_t *timestamp); /* as the service gave it */

struct cds_event *cds_call_take_event(struct cds_call *call); /* any time; NULL when none; caller frees */
void cds_call_free(struct cds_call *call);                    /* cancels it when it is not done */

/* ---- Streams ---- */

CDS_MUST_CHECK enum cds_status cds_stream_open(struct cds_stream **out, struct cds_client *client,
                                               const struct cds_feed_id *feeds, size_t feed_count,
                                               const struct cds_stream_config *config, struct cds_error *err);

int cds_stream_fd(const struct cds_stream *stream); /* readable while a report, an event or the end waits */

enum cds_pop { CDS_POP_REPORT, CDS_POP_EMPTY, CDS_POP_END };

/* Never waits. REPORT: *report belongs to the caller. END: the stream is over and its queue empty; *err says why
 * (CDS_E_CLOSED after a close, else what made it fail), the same at every later call. */
enum cds_pop cds_stream_pop(struct cds_report **report, struct cds_stream *stream, struct cds_error *err);

struct cds_event *cds_stream_take_event(struct cds_stream *stream); /* NULL when none; caller frees */

/* The newest report accepted for the feed, with a reference for the caller, or NULL. */
struct cds_report *cds_stream_latest(struct cds_stream *stream, const struct cds_feed_id *feed);

bool cds_stream_is_subscribed(struct cds_stream *stream); /* every feed has at least one connection that is up */

/* Changes the feeds without loss for those that stay. Ids that are there (not there) already are passed over. New feeds
 * begin with their next report. Reports of feeds that go are not delivered any more, those that wait are dropped and
 * counted so. The connections follow in the background; when the service refuses them, the old ones go on, the feeds
 * that were added since are taken out again, and events tell. What is asked for while that is under way comes next.
 * CDS_E_CONFIG, and nothing changed: too many feeds or connections, or none left. The error of a stream that is over. */
CDS_MUST_CHECK enum cds_status cds_stream_subscribe(struct cds_stream *stream, const struct cds_feed_id *feeds,
                                                    size_t feed_count, struct cds_error *err);
CDS_MUST_CHECK enum cds_status cds_stream_unsubscribe(struct cds_stream *stream, const struct cds_feed_id *feeds,
                                                      size_t feed_count, struct cds_error *err);

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
  uint64_t feeds; /* that are wanted */
  uint64_t latency_count;
  double latency_min_ms, latency_mean_ms, latency_max_ms; /* arrival minus observation; 0 when count is 0 */
  struct cds_link_stats links[CDS_MAX_LINKS];             /* by the first link_count */
  size_t link_count;
};
void cds_stream_stats(struct cds_stream_stats *out, struct cds_stream *stream);

void cds_stream_close(struct cds_stream *stream); /* idempotent, joins the threads, returns within a second */
bool cds_stream_is_closed(const struct cds_stream *stream);
void cds_stream_free(struct cds_stream *stream);

#endif
