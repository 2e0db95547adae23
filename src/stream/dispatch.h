/* SPDX-License-Identifier: MIT
 * From the sequence to the script: reports into the queue, ranges that are lost into events. In two steps, as nothing
 * is allocated or freed under the stream's lock. */
#ifndef CDS_DISPATCH_H
#define CDS_DISPATCH_H

#include "stream/stream_internal.h"

#define CDS_LEFTOVER_REPORTS 8

/* Starts as {0}. */
struct cds_leftover {
  struct cds_queue_node *nodes;
  struct cds_report *reports[CDS_LEFTOVER_REPORTS]; /* the feeds' latest until now */
  size_t report_count;
  struct cds_lost lost[CDS_OUTCOME_LOST];
  struct cds_feed_id lost_feeds[CDS_OUTCOME_LOST];
  size_t lost_count;
};

/* mu is held. Takes what out holds; one out for each leftover. */
void cds_dispatch(struct cds_stream *stream, struct cds_sequence_out *out, struct cds_leftover *leftover);

/* mu is held. The feed is not wanted any more: its next report, if ever, is a first one. */
void cds_dispatch_forget(struct cds_stream *stream, size_t slot, struct cds_leftover *leftover);

/* mu is held. Takes what waits of feeds that are not wanted out of the queue. */
void cds_dispatch_sift(struct cds_stream *stream, struct cds_leftover *leftover);

/* No lock is held: frees and tells. */
void cds_leftover_settle(struct cds_stream *stream, struct cds_leftover *leftover);

/* No lock is held. An event about a feed's seconds; to < from: the end is not known. */
void cds_stream_tell_range(struct cds_stream *stream, enum cds_event_kind kind, const struct cds_feed_id *feed,
                           int64_t from, int64_t to, const char *reason);

uint64_t cds_stream_blob_tag(const struct cds_stream *stream, const struct cds_report *report);

/* The last second that a report can be of. A wall clock that is set back while the stream runs does not make its
 * reports impossible: the service accepted the signature of the time it told at first. */
int64_t cds_stream_latest_possible(const struct cds_stream *stream);

/* What the sequence is to know of a report. */
struct cds_candidate cds_stream_describe(const struct cds_stream *stream, struct cds_queue_node *node,
                                         uint64_t text_tag);

#endif
