/* SPDX-License-Identifier: MIT
 * The way of reports into the queue. */
#include "stream/dispatch.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"

/* mu is held. A backfilled report is late by nature: its latency says nothing. */
static void count_latency(struct cds_stream *stream, const struct cds_report *report) {
  struct cds_stream_stats *counts = &stream->counts;
  if (!report->has_observations_timestamp || report->backfilled) return;
  double latency = report->latency_ms;
  if (counts->latency_count == 0 || latency < counts->latency_min_ms) counts->latency_min_ms = latency;
  if (counts->latency_count == 0 || latency > counts->latency_max_ms) counts->latency_max_ms = latency;
  counts->latency_count++;
  stream->latency_sum_ms += latency;
}

static void give_back(struct cds_leftover *leftover, struct cds_report *report) {
  if (leftover->report_count < CDS_LEFTOVER_REPORTS) leftover->reports[leftover->report_count++] = report;
  else cds_report_unref(report); /* of many at once most wait in the queue, and nothing is freed here */
}

static void give_back_node(struct cds_leftover *leftover, struct cds_queue_node *node) {
  node->next = leftover->nodes;
  leftover->nodes = node;
}

static void give_back_nodes(struct cds_leftover *leftover, struct cds_queue_node *nodes) {
  for (struct cds_queue_node *next; nodes != NULL; nodes = next) {
    next = nodes->next;
    give_back_node(leftover, nodes);
  }
}

static void note_beginning(struct cds_stream *stream, const struct cds_queue_node *node) {
  struct cds_beginning *beginning = &stream->places[node->slot].beginning;
  if (beginning->tag != 0 || !node->report->has_observations_timestamp) return;
  beginning->second = node->report->observations_timestamp;
  beginning->tag = cds_stream_blob_tag(stream, node->report);
}

static void deliver(struct cds_stream *stream, struct cds_queue_node *node, struct cds_leftover *leftover) {
  note_beginning(stream, node);
  struct cds_place *place = &stream->places[node->slot];
  if (place->latest != NULL) give_back(leftover, place->latest);
  place->latest = cds_report_ref(node->report);
  stream->counts.accepted++;
  count_latency(stream, node->report);
  give_back_nodes(leftover, cds_queue_push(&stream->queue, node));
}

void cds_dispatch(struct cds_stream *stream, struct cds_sequence_out *out, struct cds_leftover *leftover) {
  struct cds_queue_node *node;
  bool is_over = stream->ended || stream->stopping;
  while ((node = out->deliver) != NULL) {
    out->deliver = node->next;
    if (is_over) give_back_node(leftover, node);
    else deliver(stream, node, leftover);
  }
  give_back_nodes(leftover, out->drop);
  out->drop = NULL;
  for (size_t i = 0; i < out->lost_count; i++) {
    leftover->lost_feeds[leftover->lost_count] = stream->feeds.ids[out->lost[i].slot];
    leftover->lost[leftover->lost_count++] = out->lost[i];
  }
  if (cds_queue_is_full(&stream->queue)) atomic_store(&stream->paused, true);
  cds_stream_settle(stream);
}

void cds_dispatch_forget(struct cds_stream *stream, size_t slot, struct cds_leftover *leftover) {
  struct cds_place *place = &stream->places[slot];
  struct cds_sequence_out out = {0};
  cds_sequence_forget(&stream->sequence, slot, &out);
  cds_dispatch(stream, &out, leftover);
  if (place->latest != NULL) give_back(leftover, place->latest);
  place->latest = NULL;
  place->beginning = (struct cds_beginning){0};
}

static bool is_wanted(const void *context, size_t slot) {
  const struct cds_stream *stream = context;
  return stream->places[slot].is_wanted;
}

void cds_dispatch_sift(struct cds_stream *stream, struct cds_leftover *leftover) {
  give_back_nodes(leftover, cds_queue_sift(&stream->queue, is_wanted, stream));
  cds_stream_settle(stream);
}

void cds_stream_tell_range(struct cds_stream *stream, enum cds_event_kind kind, const struct cds_feed_id *feed,
                           int64_t from, int64_t to, const char *reason) {
  struct cds_event *event = cds_event_new(kind);
  if (event == NULL) return;
  event->level = kind == CDS_EVENT_LOST ? CDS_LOG_ERROR : CDS_LOG_INFO;
  event->feed_id = *feed;
  event->from = (uint32_t)from;
  event->to = (uint32_t)to;
  snprintf(event->message, sizeof event->message, "%s", reason);
  cds_stream_emit(stream, event);
}

void cds_leftover_settle(struct cds_stream *stream, struct cds_leftover *leftover) {
  struct cds_queue_node *node;
  while ((node = leftover->nodes) != NULL) {
    leftover->nodes = node->next;
    cds_queue_node_free(node);
  }
  for (size_t i = 0; i < leftover->report_count; i++) cds_report_unref(leftover->reports[i]);
  for (size_t i = 0; i < leftover->lost_count; i++) {
    const struct cds_lost *lost = &leftover->lost[i];
    cds_stream_tell_range(stream, CDS_EVENT_LOST, &leftover->lost_feeds[i], lost->from, lost->open_ended ? 0 : lost->to,
                          cds_lost_reason_text(lost->reason));
  }
}

uint64_t cds_stream_blob_tag(const struct cds_stream *stream, const struct cds_report *report) {
  return cds_seen_tag(stream->seed, report->bytes + report->blob.offset, report->blob.length);
}

int64_t cds_stream_latest_possible(const struct cds_stream *stream) {
  int64_t wall_ms = cds_clock_wall_ms(), steady_ms = cds_clock_mono_ms() + stream->wall_ahead_ms;
  return (wall_ms > steady_ms ? wall_ms : steady_ms) / 1000 + CDS_MAX_FUTURE_SECONDS;
}

struct cds_candidate cds_stream_describe(const struct cds_stream *stream, struct cds_queue_node *node,
                                         uint64_t text_tag) {
  const struct cds_report *report = node->report;
  return (struct cds_candidate){
    .node = node,
    .has_observations_timestamp = report->has_observations_timestamp,
    .observations_timestamp = report->observations_timestamp,
    .has_valid_from_timestamp = report->has_valid_from_timestamp,
    .valid_from_timestamp = report->valid_from_timestamp,
    .blob_tag = cds_stream_blob_tag(stream, report),
    .text_tag = text_tag,
  };
}
