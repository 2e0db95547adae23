/* SPDX-License-Identifier: MIT
 * A message's way in: envelope, peek, decode, then sequence and queue in one critical section. Memory is had before the
 * lock and given back after it. */
#include "stream/intake.h"

#include <string.h>

#include "base/clock.h"
#include "base/trace.h"
#include "codec/message.h"
#include "stream/connections.h"
#include "stream/core.h"
#include "stream/dispatch.h"
#include "stream/outlet.h"
#include "stream/parts.h"
#include "stream/places.h"
#include "stream/screen.h"

#define COMPLAINT_INTERVAL_MS 1000 /* bad messages may come by the thousand; log lines need not */

/* What has become of a message, for a trace. */
static void trace(const struct cds_stream *stream, size_t link, size_t length, const struct cds_envelope *envelope,
                  const char *what) {
  char feed[CDS_FEED_ID_TEXT + 1] = "";
  if (!cds_trace_is_on()) return;
  const char *origin = cds_connections_origin(stream, link); /* written by this thread only, as the host is */
  if (envelope != NULL) cds_feed_id_format(feed, &envelope->feed_id);
  cds_trace("< %s%s%s, %zu bytes%s%s: %s", cds_connections_host(stream, link), *origin != 0 ? " origin " : "", origin,
            length, *feed != 0 ? ", feed " : "", feed, what);
}

static const char *trace_words(enum cds_verdict verdict) {
  switch (verdict) {
  case CDS_VERDICT_ACCEPT: return "taken";
  case CDS_VERDICT_HELD: return "taken, something before it is missing";
  case CDS_VERDICT_DUPLICATE: return "discarded, it has come before";
  case CDS_VERDICT_OUT_OF_ORDER: return "discarded, a later one was delivered already";
  case CDS_VERDICT_FUTURE: return "discarded, its time lies in the future";
  case CDS_VERDICT_TOO_MANY: return "discarded, too many different reports of one time";
  }
  return "";
}

static void complain(struct cds_stream *stream, size_t link, const char *what, const char *why) {
  int64_t now = cds_clock_mono_ms();
  if (cds_core_config(stream)->log_level > CDS_LOG_WARN) return;
  cds_stream_lock(stream);
  bool held = stream->intake.complained_at_ms != 0 && now - stream->intake.complained_at_ms < COMPLAINT_INTERVAL_MS;
  uint64_t more = stream->intake.complaints_held;
  stream->intake.complaints_held = held ? more + 1 : 0;
  if (!held) stream->intake.complained_at_ms = now;
  const char *host = cds_connections_host(stream, link); /* written by this thread only */
  cds_stream_unlock(stream);
  if (held) return;
  struct cds_event *event = cds_event_log(CDS_LOG_WARN, "%s: %s: %s (and %llu more since the last such line)", host,
                                          what, why, (unsigned long long)more);
  cds_stream_emit(stream, event);
}

/* mu is held. */
static void count_bad(struct cds_stream *stream, size_t link) {
  cds_connections_count_error(stream, link);
  cds_sequence_doubt(cds_dispatch_sequence(stream), (unsigned)link, cds_clock_mono_ms());
}

static void undecodable(struct cds_stream *stream, size_t link, const struct cds_error *err) {
  cds_stream_lock(stream);
  stream->intake.decode_errors++;
  count_bad(stream, link);
  cds_stream_unlock(stream);
  if (cds_trace_is_on()) cds_trace("x %s: %s", cds_connections_host(stream, link), err->message);
  complain(stream, link, "a message was not understood", err->message);
}

static void reject(struct cds_stream *stream, size_t link, const char *why) {
  cds_stream_lock(stream);
  stream->intake.rejected++;
  count_bad(stream, link);
  cds_stream_unlock(stream);
  complain(stream, link, "a report was rejected", why);
}

/* The script wakes once for all that one read of the connection brings. Where signatures are verified, which takes long,
 * it does so for each report. */
static void unlock(struct cds_stream *stream) {
  if (cds_core_config(stream)->signers == NULL) cds_stream_unlock_quietly(stream);
  else cds_stream_unlock(stream);
}

static void count_message(struct cds_stream *stream, size_t link, size_t length) {
  cds_stream_lock(stream);
  cds_connections_count_message(stream, link, length);
  cds_stream_unlock(stream);
}

/* Finds the feed's slot, and counts the message when its report was seen lately, in these very letters: *known.
 * *asked: the connection asked for the feed, even if it is not wanted now. length: the message's, 0: it was counted. */
static size_t look_up(struct cds_stream *stream, size_t link, size_t length, const struct cds_feed_id *feed,
                      uint64_t text_tag, bool *known, bool *asked) {
  struct cds_sequence_out out = {0};
  struct cds_leftover leftover;
  cds_stream_lock(stream);
  if (length > 0) cds_connections_count_message(stream, link, length);
  size_t slot = cds_places_find(stream, feed);
  *asked =
    slot != CDS_NO_SLOT || cds_connections_role(stream, link) != CDS_ROLE_SERVING || cds_places_has(stream, feed);
  *known = slot != CDS_NO_SLOT &&
           cds_sequence_peek(cds_dispatch_sequence(stream), slot, text_tag, (unsigned)link, cds_clock_mono_ms(), &out);
  if (*known) {
    stream->intake.total_received++;
    stream->intake.deduplicated++;
    leftover = (struct cds_leftover){0};
    cds_dispatch(stream, &out, &leftover);
  }
  unlock(stream);
  if (*known) cds_leftover_settle(stream, &leftover);
  return slot;
}

/* A gap shows by the report's own validity; where it begins, by what was delivered last. */
struct gap {
  bool found;
  struct cds_feed_id feed;
  int64_t from, to;
};

/* mu is held, and the report was taken. */
static void note_gap(struct gap *gap, const struct cds_stream *stream, const struct cds_candidate *candidate,
                     size_t slot, uint64_t gaps_before, const struct cds_report *latest_before) {
  gap->found = cds_core_config(stream)->backfill && cds_dispatch_gaps(stream) > gaps_before && latest_before != NULL;
  if (!gap->found) return;
  gap->feed = cds_places_feed(stream, slot);
  gap->from = (int64_t)latest_before->observations_time + 1;
  gap->to = candidate->valid_from_timestamp - 1;
}

/* mu is held. */
static void count_verdict(struct cds_stream *stream, enum cds_verdict verdict) {
  stream->intake.total_received++;
  if (verdict == CDS_VERDICT_DUPLICATE) stream->intake.deduplicated++;
  if (verdict == CDS_VERDICT_OUT_OF_ORDER) stream->intake.out_of_order++;
}

/* Takes the node; returns the verdict. */
static enum cds_verdict commit(struct cds_stream *stream, size_t link, struct cds_queue_node *node, uint64_t text_tag) {
  struct cds_candidate candidate = cds_stream_describe(stream, node, text_tag);
  int64_t latest_possible = cds_stream_latest_possible(stream, node->report->resolution);
  size_t slot = node->slot;
  struct cds_sequence_out out = {0};
  struct cds_leftover leftover = {0};
  struct gap gap;
  cds_stream_lock(stream);
  candidate.on_trial = cds_connections_role(stream, link) == CDS_ROLE_TRIAL;
  if (!cds_places_is_home(stream, slot, &node->report->feed_id)) { /* it has changed hands meanwhile */
    cds_stream_unlock(stream);
    cds_queue_node_free(node);
    return CDS_VERDICT_DUPLICATE;
  }
  uint64_t gaps_before = cds_dispatch_gaps(stream);
  enum cds_verdict verdict = cds_sequence_take(cds_dispatch_sequence(stream), &candidate, (unsigned)link,
                                               cds_clock_mono_ms(), latest_possible, &out);
  count_verdict(stream, verdict);
  note_gap(&gap, stream, &candidate, slot, gaps_before, cds_dispatch_latest(stream, slot));
  cds_dispatch(stream, &out, &leftover);
  unlock(stream);
  if (gap.found) cds_stream_tell_range(stream, CDS_EVENT_GAP, &gap.feed, gap.from, gap.to, "");
  cds_leftover_settle(stream, &leftover);
  return verdict;
}

/* The report as a queue node, or NULL, counted and told. */
static struct cds_queue_node *decode(struct cds_stream *stream, size_t link, size_t slot,
                                     const struct cds_envelope *envelope) {
  struct cds_error err;
  struct cds_report *report;
  if (cds_envelope_report(&report, envelope, &err) != CDS_OK) {
    undecodable(stream, link, &err);
    return NULL;
  }
  report->received_at_ms = cds_clock_wall_ms();
  int64_t steady_ms =
    cds_clock_mono_ms() + cds_connections_wall_ahead_ms(stream, link); /* written by this thread only */
  report->latency_ms = (double)steady_ms - (double)cds_report_observed_ms(report);
  strcpy(report->origin, cds_connections_origin(stream, link)); /* same size; written by this thread only */
  struct cds_queue_node *node = cds_queue_node_new(report, slot);
  if (node == NULL) {
    cds_error_set(&err, CDS_E_MEMORY, "out of memory");
    undecodable(stream, link, &err);
    cds_report_unref(report);
  }
  return node;
}

/* Is the report to go on to the sequence? Not the copy of one that was verified: with other signatures, or it would
 * have been known by its text. Otherwise the node is freed. */
static bool screen(struct cds_stream *stream, size_t link, struct cds_queue_node *node) {
  const struct cds_report *report = node->report;
  if (cds_core_config(stream)->signers == NULL) return true;
  uint64_t blob_tag = cds_stream_blob_tag(stream, report);
  bool known, asked;
  (void)look_up(stream, link, 0, &report->feed_id, blob_tag, &known, &asked);
  if (!known && cds_stream_screen(stream, report, cds_connections_host(stream, link))) return true;
  cds_stream_lock(stream);
  stream->intake.total_received += !known; /* a known one was counted */
  if (!known) cds_sequence_doubt(cds_dispatch_sequence(stream), (unsigned)link, cds_clock_mono_ms());
  cds_stream_unlock(stream);
  cds_queue_node_free(node);
  return false;
}

bool cds_intake_message(struct cds_stream *stream, size_t link, const char *data, size_t length) {
  struct cds_envelope envelope;
  struct cds_error err;
  if (cds_envelope_parse(&envelope, data, length, &err) != CDS_OK) {
    count_message(stream, link, length);
    undecodable(stream, link, &err);
    trace(stream, link, length, NULL, "discarded, it is not understood");
    return false;
  }
  uint64_t text_tag = cds_stream_text_tag(stream, envelope.full_report, envelope.full_report_length);
  bool known, asked;
  size_t slot = look_up(stream, link, length, &envelope.feed_id, text_tag, &known, &asked);
  if (!asked) reject(stream, link, "its feed was not asked for");
  if (slot == CDS_NO_SLOT || known) {
    trace(stream, link, length, &envelope,
          known ? trace_words(CDS_VERDICT_DUPLICATE) : "discarded, its feed is not subscribed to");
    return asked;
  }
  struct cds_queue_node *node = decode(stream, link, slot, &envelope);
  if (node == NULL) {
    trace(stream, link, length, &envelope, "discarded, its report is not understood");
    return false;
  }
  if (!screen(stream, link, node)) {
    trace(stream, link, length, &envelope, "discarded, it does not verify, or one that does has come before");
    return true;
  }
  enum cds_verdict verdict = commit(stream, link, node, text_tag);
  trace(stream, link, length, &envelope, trace_words(verdict));
  if (verdict == CDS_VERDICT_FUTURE) reject(stream, link, "its observations timestamp lies in the future");
  else if (verdict == CDS_VERDICT_TOO_MANY) reject(stream, link, "too many different reports of one time");
  return true;
}

void cds_intake_stats(struct cds_stream_stats *out, const struct cds_stream *stream) {
  const struct cds_intake *intake = &stream->intake;
  out->total_received = intake->total_received;
  out->deduplicated = intake->deduplicated;
  out->out_of_order = intake->out_of_order;
  out->rejected = intake->rejected;
  out->decode_errors = intake->decode_errors;
}
