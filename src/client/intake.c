/* SPDX-License-Identifier: MIT
 * A message's way in: envelope, peek, decode, then merge and queue in one critical section. Memory is had before the
 * lock and given back after it. */
#include <string.h>

#include "base/clock.h"
#include "client/stream_internal.h"
#include "codec/message.h"

#define COMPLAINT_INTERVAL_MS 1000 /* bad messages may come by the thousand; log lines need not */

/* What is to be freed or told once the lock is released. */
struct leftover {
  struct cds_queue_node *node;
  struct cds_report *report; /* the feed's latest until now */
};

static void complain(struct cds_stream *stream, size_t link, const char *what, const char *why) {
  int64_t now = cds_clock_mono_ms();
  if (stream->config.log_level > CDS_LOG_WARN) return;
  pthread_mutex_lock(&stream->mu);
  bool held = stream->complained_at_ms != 0 && now - stream->complained_at_ms < COMPLAINT_INTERVAL_MS;
  uint64_t more = stream->complaints_held;
  stream->complaints_held = held ? more + 1 : 0;
  if (!held) stream->complained_at_ms = now;
  const char *host = stream->connections[link].stats.host; /* written by this thread only */
  pthread_mutex_unlock(&stream->mu);
  if (held) return;
  struct cds_event *event = cds_event_log(CDS_LOG_WARN, "%s: %s: %s (and %llu more since the last such line)", host,
                                          what, why, (unsigned long long)more);
  if (event == NULL) return;
  pthread_mutex_lock(&stream->mu);
  cds_event_push(&stream->events, event);
  cds_stream_settle(stream);
  pthread_mutex_unlock(&stream->mu);
}

static void undecodable(struct cds_stream *stream, size_t link, const struct cds_error *err) {
  pthread_mutex_lock(&stream->mu);
  stream->counts.decode_errors++;
  stream->connections[link].stats.errors_count++;
  pthread_mutex_unlock(&stream->mu);
  complain(stream, link, "a message was not understood", err->message);
}

static void reject(struct cds_stream *stream, size_t link, const char *why) {
  pthread_mutex_lock(&stream->mu);
  stream->counts.rejected++;
  stream->connections[link].stats.errors_count++;
  pthread_mutex_unlock(&stream->mu);
  complain(stream, link, "a report was rejected", why);
}

/* Counts the message; true when its report was seen lately, in these very letters. */
static bool known_already(struct cds_stream *stream, size_t slot, uint64_t text_tag) {
  pthread_mutex_lock(&stream->mu);
  bool known = cds_merge_peek(&stream->merge, slot, text_tag);
  if (known) {
    stream->counts.total_received++;
    stream->counts.deduplicated++;
  }
  pthread_mutex_unlock(&stream->mu);
  return known;
}

static void count_latency(struct cds_stream *stream, const struct cds_report *report) {
  struct cds_stream_stats *counts = &stream->counts;
  if (!report->has_observations_timestamp) return;
  double latency = (double)(report->received_at_ms - (int64_t)report->observations_timestamp * 1000);
  if (counts->latency_count == 0 || latency < counts->latency_min_ms) counts->latency_min_ms = latency;
  if (counts->latency_count == 0 || latency > counts->latency_max_ms) counts->latency_max_ms = latency;
  counts->latency_count++;
  stream->latency_sum_ms += latency;
}

/* mu is held. Takes the node. */
static struct leftover accept(struct cds_stream *stream, struct cds_queue_node *node, bool gap) {
  struct leftover gone = {.report = stream->latest[node->slot]};
  stream->latest[node->slot] = cds_report_ref(node->report);
  stream->counts.accepted++;
  if (gap) stream->counts.gaps++;
  count_latency(stream, node->report);
  gone.node = cds_queue_push(&stream->queue, node);
  if (cds_queue_is_full(&stream->queue)) atomic_store(&stream->paused, true);
  cds_stream_settle(stream);
  return gone;
}

static struct cds_candidate describe(const struct cds_stream *stream, const struct cds_queue_node *node,
                                     uint64_t text_tag) {
  const struct cds_report *report = node->report;
  return (struct cds_candidate){
    .slot = node->slot,
    .has_observations_timestamp = report->has_observations_timestamp,
    .observations_timestamp = report->observations_timestamp,
    .has_valid_from_timestamp = report->has_valid_from_timestamp,
    .valid_from_timestamp = report->valid_from_timestamp,
    .blob_tag = cds_seen_tag(stream->merge.seed, report->bytes + report->blob.offset, report->blob.length),
    .text_tag = text_tag,
  };
}

/* Takes the node; returns the verdict. */
static enum cds_verdict commit(struct cds_stream *stream, struct cds_queue_node *node, uint64_t text_tag) {
  struct cds_candidate candidate = describe(stream, node, text_tag);
  int64_t latest_possible = node->report->received_at_ms / 1000 + CDS_MAX_FUTURE_SECONDS;
  struct leftover gone = {0};
  bool gap;
  pthread_mutex_lock(&stream->mu);
  enum cds_verdict verdict = cds_merge_commit(&gap, &stream->merge, &candidate, latest_possible);
  stream->counts.total_received++;
  if (verdict == CDS_VERDICT_ACCEPT) gone = accept(stream, node, gap);
  else gone.node = node;
  if (verdict == CDS_VERDICT_DUPLICATE) stream->counts.deduplicated++;
  if (verdict == CDS_VERDICT_OUT_OF_ORDER) stream->counts.out_of_order++;
  pthread_mutex_unlock(&stream->mu);
  cds_queue_node_free(gone.node);
  cds_report_unref(gone.report);
  return verdict;
}

/* The report as a queue node, or NULL, counted and told. */
static struct cds_queue_node *decode(struct cds_stream *stream, size_t link, size_t slot,
                                     const struct cds_envelope *envelope) {
  struct cds_error err = {0};
  struct cds_report *report;
  if (cds_envelope_report(&report, envelope, &err) != CDS_OK) {
    undecodable(stream, link, &err);
    return NULL;
  }
  report->received_at_ms = cds_clock_wall_ms();
  strcpy(report->origin, stream->connections[link].stats.origin); /* same size; written by this thread only */
  struct cds_queue_node *node = cds_queue_node_new(report, slot);
  if (node == NULL) {
    cds_error_set(&err, CDS_E_MEMORY, "out of memory");
    undecodable(stream, link, &err);
    cds_report_unref(report);
  }
  return node;
}

static void take_in(struct cds_stream *stream, size_t link, const char *data, size_t length) {
  struct cds_envelope envelope;
  struct cds_error err = {0};
  if (cds_envelope_parse(&envelope, data, length, &err) != CDS_OK) {
    undecodable(stream, link, &err);
    return;
  }
  size_t slot = cds_feed_set_find(&stream->feeds, &envelope.feed_id);
  if (slot == CDS_NO_SLOT) {
    reject(stream, link, "its feed was not asked for");
    return;
  }
  uint64_t text_tag = cds_seen_tag(stream->merge.seed, envelope.full_report, envelope.full_report_length);
  if (known_already(stream, slot, text_tag)) return;
  struct cds_queue_node *node = decode(stream, link, slot, &envelope);
  if (node == NULL) return;
  enum cds_verdict verdict = commit(stream, node, text_tag);
  if (verdict == CDS_VERDICT_FUTURE) reject(stream, link, "its observations timestamp lies in the future");
  else if (verdict == CDS_VERDICT_TOO_MANY) reject(stream, link, "too many different reports of one second");
}

bool cds_stream_receive(struct cds_stream *stream, size_t link, const char *data, size_t length) {
  pthread_mutex_lock(&stream->mu);
  struct cds_link_stats *stats = &stream->connections[link].stats;
  stats->messages_received++;
  stats->bytes_received += length;
  stats->last_message_time = cds_clock_wall_ms();
  pthread_mutex_unlock(&stream->mu);
  take_in(stream, link, data, length);
  return cds_stream_is_paused(stream);
}
