/* SPDX-License-Identifier: MIT
 * The way of reports into the queue. */
#include "stream/dispatch.h"

#include <openssl/rand.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "stream/core.h"
#include "stream/outlet.h"
#include "stream/parts.h"
#include "stream/places.h"

#define FARTHEST (INT64_MAX / 4) /* later than any report can be: nothing that is reckoned with such a time overflows */

/* Times of a feed in a second: order/ knows what is in milliseconds and takes the rest as seconds. */
static int64_t per_second(enum cds_resolution resolution) {
  return resolution == CDS_RESOLUTION_MILLISECONDS ? 1000 : 1;
}

static uint64_t random_seed(void) {
  uint64_t seed;
  if (RAND_bytes((unsigned char *)&seed, sizeof seed) != 1) seed = (uint64_t)cds_clock_mono_ns();
  return seed;
}

bool cds_dispatch_init(struct cds_stream *stream, size_t slots, const struct cds_sequence_limits *limits) {
  struct cds_dispatch *dispatch = &stream->dispatch;
  dispatch->seed = random_seed();
  dispatch->wall_ahead_ms = cds_clock_wall_ms() - cds_clock_mono_ms();
  if (!cds_sequence_init(&dispatch->sequence, slots, dispatch->seed, limits)) return false;
  dispatch->delivered = cds_calloc(slots, sizeof *dispatch->delivered);
  return dispatch->delivered != NULL;
}

void cds_dispatch_clear(struct cds_stream *stream) {
  struct cds_dispatch *dispatch = &stream->dispatch;
  for (size_t i = 0; dispatch->delivered != NULL && i < dispatch->sequence.count; i++)
    cds_report_unref(dispatch->delivered[i].latest);
  cds_free(dispatch->delivered);
  cds_sequence_clear(&dispatch->sequence);
}

struct cds_sequence *cds_dispatch_sequence(struct cds_stream *stream) {
  return &stream->dispatch.sequence;
}

uint64_t cds_dispatch_gaps(const struct cds_stream *stream) {
  return stream->dispatch.sequence.counts.gaps;
}

size_t cds_dispatch_slots(const struct cds_stream *stream) {
  return stream->dispatch.sequence.count;
}

bool cds_dispatch_grow(struct cds_stream *stream, size_t slots) {
  struct cds_dispatch *dispatch = &stream->dispatch;
  struct cds_delivered *delivered = cds_realloc(dispatch->delivered, slots * sizeof *delivered);
  if (delivered == NULL) return false;
  dispatch->delivered = delivered;
  for (size_t slot = dispatch->sequence.count; slot < slots; slot++) delivered[slot] = (struct cds_delivered){0};
  return cds_sequence_grow(&dispatch->sequence, slots);
}

void cds_dispatch_measure(struct cds_stream *stream, size_t slot) {
  struct cds_feed_id feed = cds_places_feed(stream, slot);
  cds_sequence_set_unit(&stream->dispatch.sequence, slot, per_second(cds_feed_id_resolution(&feed)));
}

void cds_dispatch_start(struct cds_stream *stream, size_t slot, int64_t second, int64_t now_ms) {
  stream->dispatch.delivered[slot].has_start = true;
  cds_sequence_start(&stream->dispatch.sequence, slot, second, now_ms);
}

/* ---- the way into the queue ---- */

static int64_t bounded(uint64_t time) {
  return time < FARTHEST ? (int64_t)time : FARTHEST;
}

/* mu is held. A backfilled report is late by nature: its latency says nothing. */
static void count_latency(struct cds_stream *stream, const struct cds_report *report) {
  if (!report->has_observations_timestamp || report->backfilled) return;
  cds_histogram_add(&stream->dispatch.latency, report->latency_ms);
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
  struct cds_delivered *delivered = &stream->dispatch.delivered[node->slot];
  struct cds_beginning *beginning = &delivered->beginning;
  if (delivered->has_start || beginning->tag != 0 || !node->report->has_observations_timestamp) return;
  beginning->time = bounded(node->report->observations_time);
  beginning->tag = cds_stream_blob_tag(stream, node->report);
}

static bool is_newest(const struct cds_report *latest, const struct cds_report *report) {
  bool is_timed = latest != NULL && latest->has_observations_timestamp && report->has_observations_timestamp;
  return !is_timed || report->observations_time >= latest->observations_time;
}

static void deliver(struct cds_stream *stream, struct cds_queue_node *node, struct cds_leftover *leftover) {
  note_beginning(stream, node);
  struct cds_delivered *delivered = &stream->dispatch.delivered[node->slot];
  if (is_newest(delivered->latest, node->report)) {
    if (delivered->latest != NULL) give_back(leftover, delivered->latest);
    delivered->latest = cds_report_ref(node->report);
  }
  stream->dispatch.accepted++;
  count_latency(stream, node->report);
  give_back_nodes(leftover, cds_outlet_push(stream, node));
}

void cds_dispatch(struct cds_stream *stream, struct cds_sequence_out *out, struct cds_leftover *leftover) {
  struct cds_queue_node *node;
  bool is_over = cds_core_is_over(stream);
  while ((node = out->deliver) != NULL) {
    out->deliver = node->next;
    if (is_over) give_back_node(leftover, node);
    else deliver(stream, node, leftover);
  }
  give_back_nodes(leftover, out->drop);
  out->drop = NULL;
  for (size_t i = 0; i < out->lost_count; i++) {
    leftover->lost_feeds[leftover->lost_count] = cds_places_feed(stream, out->lost[i].slot);
    leftover->lost[leftover->lost_count++] = out->lost[i];
  }
  cds_outlet_settle(stream);
}

void cds_dispatch_forget(struct cds_stream *stream, size_t slot, struct cds_leftover *leftover) {
  struct cds_delivered *delivered = &stream->dispatch.delivered[slot];
  struct cds_sequence_out out = {0};
  cds_sequence_forget(&stream->dispatch.sequence, slot, &out);
  cds_dispatch(stream, &out, leftover);
  if (delivered->latest != NULL) give_back(leftover, delivered->latest);
  *delivered = (struct cds_delivered){0};
}

static bool is_wanted(const void *context, size_t slot) {
  return cds_places_is_wanted(context, slot);
}

void cds_dispatch_sift(struct cds_stream *stream, struct cds_leftover *leftover) {
  give_back_nodes(leftover, cds_outlet_sift(stream, is_wanted));
}

const struct cds_report *cds_dispatch_latest(const struct cds_stream *stream, size_t slot) {
  return stream->dispatch.delivered[slot].latest;
}

struct cds_report *cds_dispatch_share_latest(const struct cds_stream *stream, size_t slot) {
  struct cds_report *latest = stream->dispatch.delivered[slot].latest;
  return latest != NULL ? cds_report_ref(latest) : NULL;
}

struct cds_beginning cds_dispatch_beginning(const struct cds_stream *stream, size_t slot) {
  return stream->dispatch.delivered[slot].beginning;
}

void cds_dispatch_stats(struct cds_stream_stats *out, const struct cds_stream *stream) {
  const struct cds_dispatch *dispatch = &stream->dispatch;
  const struct cds_sequence_counts *counts = &dispatch->sequence.counts;
  out->accepted = dispatch->accepted;
  out->gaps = counts->gaps;
  out->empty_gaps = counts->empty_gaps;
  out->backfilled = counts->backfilled;
  out->lost = counts->lost.ranges;
  out->lost_seconds = (counts->lost.ms + 999) / 1000;
  out->latency = dispatch->latency;
}

/* ---- telling ---- */

static uint32_t whole_second(int64_t time, int64_t unit) {
  int64_t second = time / unit;
  return second < UINT32_MAX ? (uint32_t)second : UINT32_MAX;
}

void cds_stream_tell_range(struct cds_stream *stream, enum cds_event_kind kind, const struct cds_feed_id *feed,
                           int64_t from, int64_t to, const char *reason) {
  struct cds_event *event = cds_event_new(kind);
  if (event == NULL) return;
  event->level = kind == CDS_EVENT_LOST ? CDS_LOG_ERROR : CDS_LOG_INFO;
  event->feed_id = *feed;
  int64_t unit = per_second(cds_feed_id_resolution(feed));
  event->has_end = to >= from;
  event->from = whole_second(from, unit);
  event->from_ms = from * (1000 / unit);
  event->to = whole_second(to, unit);
  event->to_ms = to * (1000 / unit);
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

/* ---- what a report is to the sequence ---- */

uint64_t cds_stream_text_tag(const struct cds_stream *stream, const char *text, size_t length) {
  return cds_seen_tag(stream->dispatch.seed, text, length);
}

uint64_t cds_stream_blob_tag(const struct cds_stream *stream, const struct cds_report *report) {
  return cds_seen_tag(stream->dispatch.seed, report->bytes + report->blob.offset, report->blob.length);
}

int64_t cds_stream_latest_possible(const struct cds_stream *stream, enum cds_resolution resolution) {
  int64_t wall_ms = cds_clock_wall_ms(), steady_ms = cds_clock_mono_ms() + stream->dispatch.wall_ahead_ms;
  int64_t latest_ms = (wall_ms > steady_ms ? wall_ms : steady_ms) + CDS_MAX_FUTURE_SECONDS * 1000;
  int64_t ahead_ms = cds_service_clock_ahead_ms(&cds_core_client(stream)->clock);
  if (ahead_ms > 0) latest_ms += ahead_ms;
  return resolution == CDS_RESOLUTION_MILLISECONDS ? latest_ms : latest_ms / 1000;
}

struct cds_candidate cds_stream_describe(const struct cds_stream *stream, struct cds_queue_node *node,
                                         uint64_t text_tag) {
  const struct cds_report *report = node->report;
  return (struct cds_candidate){
    .node = node,
    .has_observations_timestamp = report->has_observations_timestamp,
    .observations_timestamp = bounded(report->observations_time),
    .has_valid_from_timestamp = report->has_valid_from_timestamp,
    .valid_from_timestamp = bounded(report->valid_from_time),
    .blob_tag = cds_stream_blob_tag(stream, report),
    .text_tag = text_tag,
  };
}
