/* SPDX-License-Identifier: MIT
 * What happened, as values: made on any thread, taken by the script when it next calls in. */
#ifndef CDS_EVENT_H
#define CDS_EVENT_H

#include "base/error.h"
#include "base/limits.h"
#include "codec/feed_id.h"

enum cds_log_level { CDS_LOG_DEBUG, CDS_LOG_INFO, CDS_LOG_WARN, CDS_LOG_ERROR, CDS_LOG_NONE };

enum cds_event_kind {
  CDS_EVENT_LOG,      /* a line for the logger */
  CDS_EVENT_STATUS,   /* a connection changed state: for on_status, and logged by the layer above */
  CDS_EVENT_RESPONSE, /* one REST answer: for on_response */
  /* of a feed's times, for on_status */
  CDS_EVENT_GAP,        /* reports may be missing; REST is asked */
  CDS_EVENT_BACKFILLED, /* REST had reports */
  CDS_EVENT_LOST,       /* not to be had, or with backfill off not asked for; the reason says why */
  CDS_EVENT_UNVERIFIED  /* a report is not signed as it should be, and was not delivered */
};

enum cds_link_state {
  CDS_LINK_CONNECTING,
  CDS_LINK_CONNECTED,
  CDS_LINK_DISCONNECTED,
  CDS_LINK_RECONNECTING,
  CDS_LINK_FAILED
};

/* "connecting", … */
const char *cds_link_state_name(enum cds_link_state state);

struct cds_event {
  struct cds_event *next;
  enum cds_event_kind kind;
  int64_t at_ms; /* wall clock */
  /* LOG and STATUS */
  enum cds_log_level level;
  char message[384]; /* LOG: the line. STATUS: the reason, "" when there is none */
  /* STATUS */
  enum cds_link_state state;
  char origin[CDS_MAX_ORIGIN_TEXT]; /* "" when the service named none */
  char host[256];                   /* host:port */
  int attempt;                      /* consecutive attempts so far */
  double delay;                     /* seconds until the next attempt, 0 when none */
  /* GAP, BACKFILLED, LOST and UNVERIFIED, with message as the reason */
  struct cds_feed_id feed_id;
  bool has_end;           /* else up to the feed's next report */
  uint32_t from, to;      /* whole seconds, both inclusive */
  int64_t from_ms, to_ms; /* the same in milliseconds: the first and the last time */
  /* RESPONSE: no secrets; owned texts */
  char *method, *url, *headers; /* headers: raw lines "Name: value\r\n"… of the answer */
  int http_status;
  double elapsed; /* seconds */
};

/* A zeroed event with the time set; NULL when memory ran out. */
struct cds_event *cds_event_new(enum cds_event_kind kind);

/* A log line, control characters escaped; NULL when memory ran out (a lost line is no reason to fail). */
struct cds_event *cds_event_log(enum cds_log_level level, const char *format, ...) CDS_PRINTF(2, 3);

void cds_event_free(struct cds_event *event);

/* A bounded FIFO of events, not thread-safe by itself; beyond CDS_MAX_EVENTS the oldest is dropped and counted. */
struct cds_event_queue {
  struct cds_event *head, *tail;
  size_t count, dropped;
};

void cds_event_push(struct cds_event_queue *queue, struct cds_event *event); /* takes event */
struct cds_event *cds_event_pop(struct cds_event_queue *queue);              /* NULL when empty */
void cds_event_clear(struct cds_event_queue *queue);

#endif
