/* SPDX-License-Identifier: MIT
 * The sequence and the way from it to the script: reports into the queue, ranges that are lost into events. In two
 * steps, as nothing is allocated or freed under the stream's lock. */
#ifndef CDS_DISPATCH_H
#define CDS_DISPATCH_H

#include "base/histogram.h"
#include "context/event.h"
#include "order/sequence.h"
#include "stream/stream.h"

#define CDS_LEFTOVER_REPORTS 8

/* Where a feed's delivery began, in the middle of a second perhaps: what that second had before was not asked for. */
struct cds_beginning {
  int64_t time; /* in the feed's unit */
  uint64_t tag; /* of the first report's blob; 0: none */
};

struct cds_delivered { /* of a feed */
  bool has_start;      /* it has no beginning: its first report may be a live one, before what REST still brings */
  struct cds_beginning beginning;
  struct cds_report *latest; /* one reference, or NULL */
};

struct cds_dispatch {    /* dispatch.c's own; guarded by mu but for what is read-only */
  uint64_t seed;         /* of the tags; read-only */
  int64_t wall_ahead_ms; /* of the monotonic clock, when the stream was opened; read-only */
  struct cds_sequence sequence;
  struct cds_delivered *delivered; /* owned; by slot */
  uint64_t accepted;
  struct cds_histogram latency;
};

/* Starts as {0}. */
struct cds_leftover {
  struct cds_queue_node *nodes;
  struct cds_report *reports[CDS_LEFTOVER_REPORTS]; /* the feeds' latest until now */
  size_t report_count;
  struct cds_lost lost[CDS_OUTCOME_LOST];
  struct cds_feed_id lost_feeds[CDS_OUTCOME_LOST];
  size_t lost_count;
};

/* Before another thread knows the stream. */
CDS_MUST_CHECK bool cds_dispatch_init(struct cds_stream *stream, size_t slots,
                                      const struct cds_sequence_limits *limits); /* false: no memory */
void cds_dispatch_clear(struct cds_stream *stream);

/* ---- mu is held ---- */

/* For order/'s functions, whose outs go to cds_dispatch. */
struct cds_sequence *cds_dispatch_sequence(struct cds_stream *stream);
uint64_t cds_dispatch_gaps(const struct cds_stream *stream); /* so far */
size_t cds_dispatch_slots(const struct cds_stream *stream);
CDS_MUST_CHECK bool cds_dispatch_grow(struct cds_stream *stream, size_t slots); /* false: no memory */

/* The slot has got a feed: its times are in that feed's unit. */
void cds_dispatch_measure(struct cds_stream *stream, size_t slot);

/* cds_sequence_start, of a stream with backfill. */
void cds_dispatch_start(struct cds_stream *stream, size_t slot, int64_t second, int64_t now_ms);

/* Takes what out holds; one out for each leftover. */
void cds_dispatch(struct cds_stream *stream, struct cds_sequence_out *out, struct cds_leftover *leftover);

/* The feed is not wanted any more: its next report, if ever, is a first one. */
void cds_dispatch_forget(struct cds_stream *stream, size_t slot, struct cds_leftover *leftover);

/* Takes what waits of feeds that are not wanted out of the queue. */
void cds_dispatch_sift(struct cds_stream *stream, struct cds_leftover *leftover);

const struct cds_report *cds_dispatch_latest(const struct cds_stream *stream, size_t slot); /* delivered; NULL: none */
struct cds_report *cds_dispatch_share_latest(const struct cds_stream *stream, size_t slot); /* a reference, or NULL */
struct cds_beginning cds_dispatch_beginning(const struct cds_stream *stream, size_t slot);
void cds_dispatch_stats(struct cds_stream_stats *out, const struct cds_stream *stream);

/* ---- no lock is held ---- */

void cds_leftover_settle(struct cds_stream *stream, struct cds_leftover *leftover); /* frees and tells */

/* An event about a range of a feed's times, in its unit, both included; to < from: the end is not known. */
void cds_stream_tell_range(struct cds_stream *stream, enum cds_event_kind kind, const struct cds_feed_id *feed,
                           int64_t from, int64_t to, const char *reason);

/* A message's text, to know it again. */
uint64_t cds_stream_text_tag(const struct cds_stream *stream, const char *text, size_t length);
uint64_t cds_stream_blob_tag(const struct cds_stream *stream, const struct cds_report *report);

/* The last time, in the feed's unit, that a report can be of. A wall clock that is set back while the stream runs does not make its
 * reports impossible: the service accepted the signature of the time it told at first. */
int64_t cds_stream_latest_possible(const struct cds_stream *stream, enum cds_resolution resolution);

/* What the sequence is to know of a report. */
struct cds_candidate cds_stream_describe(const struct cds_stream *stream, struct cds_queue_node *node,
                                         uint64_t text_tag);

#endif
