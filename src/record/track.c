/* SPDX-License-Identifier: MIT
 * From lines to reports and events. */
#include "record/track.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/message.h"
#include "record/line.h"
#include "record/parse.h"
#include "stream/screen.h"

static void push(struct cds_track *track, struct cds_event *event) {
  if (event) cds_event_push(&track->events, event);
}

/* A line that cannot be used. What it was is missing. */
static void complain(struct cds_track *track, const char *what) {
  track->counts.decode_errors++;
  track->seams++;
  push(track, cds_event_log(CDS_LOG_WARN, "recording %.150s, line %" PRIu64 ": %.180s", cds_lines_path(&track->lines),
                            track->lines.number, what));
}

/* ---- heads and events ---- */

static bool note_feeds(struct cds_track *track, const struct cds_slice *feeds) {
  struct cds_feed_id id;
  for (size_t i = 0; cds_record_feed(&id, feeds, i); i++)
    if (!cds_known_get(&track->known, &id)) return false;
  return true;
}

static enum cds_status take_head(struct cds_track *track, const struct cds_record_line *line, struct cds_error *err) {
  if (!line->continues) track->seams++;
  if (note_feeds(track, &line->feeds)) return CDS_OK;
  return cds_error_set(err, CDS_E_MEMORY, "no memory for the feeds of a recording");
}

static void tell_range(struct cds_track *track, struct cds_event *event, uint64_t from_ms, uint64_t to_ms) {
  if (!event) return;
  event->level = event->kind == CDS_EVENT_LOST ? CDS_LOG_ERROR : CDS_LOG_INFO;
  event->from_ms = (int64_t)from_ms;
  event->to_ms = (int64_t)to_ms;
  event->from = (uint32_t)(from_ms / 1000);
  event->to = (uint32_t)(to_ms / 1000);
  if (event->kind == CDS_EVENT_GAP) track->counts.gaps++;
  if (event->kind == CDS_EVENT_LOST) track->counts.lost++;
  if (event->kind == CDS_EVENT_LOST && event->has_end && to_ms >= from_ms) track->lost_ms += to_ms - from_ms;
  push(track, event);
}

static void take_event(struct cds_track *track, const struct cds_record_line *line) {
  uint64_t to_ms = line->has_end ? line->to_ms : track->to_ms;
  if (!cds_known_wants(&track->known, &line->feed) || line->from_ms > track->to_ms || to_ms < track->from_ms) return;
  struct cds_event *event = cds_event_new(line->event);
  if (!event) return;
  event->feed_id = line->feed;
  event->has_end = line->has_end;
  if (line->time_ms) event->at_ms = (int64_t)line->time_ms;
  cds_record_text(event->message, sizeof event->message, &line->reason);
  tell_range(track, event, line->from_ms, line->to_ms);
}

/* ---- reports ---- */

static bool is_in_time(const struct cds_track *track, const struct cds_envelope *envelope) {
  if (envelope->has_observations_ms)
    return envelope->observations_ms >= track->from_ms && envelope->observations_ms <= track->to_ms;
  if (!envelope->has_observations_timestamp) return true;
  uint64_t ms = (uint64_t)envelope->observations_timestamp * 1000;
  return ms >= track->from_ms && ms <= track->to_ms;
}

static void note_arrival(struct cds_report *report, const struct cds_record_line *line) {
  report->received_at_ms = (int64_t)line->received_at_ms;
  report->latency_ms = (double)line->received_at_ms - (double)cds_report_observed_ms(report);
  report->backfilled = line->backfilled;
  cds_record_text(report->origin, sizeof report->origin, &line->origin);
}

static bool is_verified(struct cds_track *track, const struct cds_report *report) {
  char why[sizeof((struct cds_event *)0)->message];
  if (!track->signers || !cds_screen_refuses(why, sizeof why, track->signers, report)) return true;
  track->counts.unverified++;
  push(track, cds_screen_event(report, "", why));
  return false;
}

/* Behind a seam: does the report follow on the feed's newest? If not, what lies between is told as lost. */
static void check_seam(struct cds_track *track, const struct cds_known_feed *feed, const struct cds_report *report) {
  uint64_t unit = report->resolution == CDS_RESOLUTION_MILLISECONDS ? 1 : 1000;
  uint64_t first = report->has_valid_from_timestamp ? report->valid_from_time : report->observations_time;
  if (!feed->has_newest || feed->seams == track->seams || first <= feed->newest + 1) return;
  struct cds_event *event = cds_event_new(CDS_EVENT_LOST);
  if (!event) return;
  event->feed_id = report->feed_id;
  event->has_end = true;
  snprintf(event->message, sizeof event->message, "the recording was interrupted");
  tell_range(track, event, (feed->newest + 1) * unit, (first - 1) * unit);
}

static void follow(struct cds_track *track, const struct cds_report *report) {
  struct cds_known_feed *feed = cds_known_find(&track->known, &report->feed_id);
  if (!report->has_observations_timestamp || !feed) return;
  check_seam(track, feed, report);
  feed->seams = track->seams;
  if (feed->has_newest && feed->newest >= report->observations_time) return;
  feed->has_newest = true;
  feed->newest = report->observations_time;
}

static enum cds_track_step take_report(struct cds_report **out, struct cds_track *track,
                                       const struct cds_record_line *line, struct cds_error *err) {
  const struct cds_feed_id *id = &line->envelope.feed_id;
  if (!cds_known_wants(&track->known, id) || !is_in_time(track, &line->envelope)) return CDS_TRACK_NOTHING;
  enum cds_status status = cds_envelope_report(out, &line->envelope, err);
  if (status == CDS_E_DECODE) {
    complain(track, err->message);
    return CDS_TRACK_NOTHING;
  }
  if (status == CDS_OK && !cds_known_get(&track->known, id))
    status = cds_error_set(err, CDS_E_MEMORY, "no memory for one more feed of a recording");
  if (status != CDS_OK) {
    cds_report_unref(*out);
    return CDS_TRACK_END;
  }
  note_arrival(*out, line);
  track->counts.total_received++;
  if (is_verified(track, *out)) {
    follow(track, *out);
    return CDS_TRACK_REPORT;
  }
  cds_report_unref(*out);
  return CDS_TRACK_NOTHING;
}

/* ---- lines ---- */

static enum cds_track_step take_line(struct cds_report **out, struct cds_track *track, const char *text, size_t length,
                                     struct cds_error *err) {
  struct cds_record_line line;
  if (cds_record_parse(&line, text, length, err) != CDS_OK) {
    complain(track, err->message);
    return CDS_TRACK_NOTHING;
  }
  if (track->lines.number == 1 && line.kind != CDS_RECORD_HEAD) track->seams++;
  switch (line.kind) {
  case CDS_RECORD_HEAD: return take_head(track, &line, err) == CDS_OK ? CDS_TRACK_NOTHING : CDS_TRACK_END;
  case CDS_RECORD_EVENT: take_event(track, &line); break;
  case CDS_RECORD_REPORT: return take_report(out, track, &line, err);
  default: break;
  }
  return CDS_TRACK_NOTHING;
}

/* A last line that was cut may lack its newline only. */
static enum cds_track_step take_rest(struct cds_report **out, struct cds_track *track, const char *text, size_t length,
                                     struct cds_error *err) {
  struct cds_record_line line;
  if (cds_record_parse(&line, text, length, err) == CDS_OK) return take_line(out, track, text, length, err);
  complain(track, "the file ends within this line, which was cut");
  return CDS_TRACK_NOTHING;
}

enum cds_track_step cds_track_step(struct cds_report **out, struct cds_track *track, struct cds_error *err) {
  const char *text;
  size_t length;
  switch (cds_lines_next(&text, &length, &track->lines, err)) {
  case CDS_NEXT_LINE: return take_line(out, track, text, length, err);
  case CDS_NEXT_CUT: return take_rest(out, track, text, length, err);
  case CDS_NEXT_END: cds_error_set(err, CDS_E_CLOSED, "the recording is over"); break;
  case CDS_NEXT_FAILED: break;
  }
  return CDS_TRACK_END;
}

static enum cds_status read_head(struct cds_track *track, struct cds_error *err) {
  const char *text;
  size_t length;
  struct cds_record_line line;
  switch (cds_lines_next(&text, &length, &track->lines, err)) {
  case CDS_NEXT_FAILED: return err->status;
  case CDS_NEXT_END: break;
  default:
    if (cds_record_parse(&line, text, length, err) == CDS_OK && line.kind == CDS_RECORD_HEAD)
      return take_head(track, &line, err);
  }
  return cds_error_set(err, CDS_E_FILE, "%.250s is no recording, or one of a format that is not known here",
                       cds_lines_path(&track->lines));
}

enum cds_status cds_track_open(struct cds_track *track, const char *const *paths, size_t count,
                               const struct cds_replay_options *options, struct cds_error *err) {
  *track = (struct cds_track){.from_ms = options->from_ms, .to_ms = options->to_ms, .signers = options->signers};
  track->lines.input.fd = -1;
  if (!cds_known_init(&track->known, options->feeds, options->feed_count))
    return cds_error_set(err, CDS_E_MEMORY, "no memory for a replay");
  enum cds_status status = cds_lines_open(&track->lines, paths, count, CDS_RECORD_MAX_LINE, err);
  return status == CDS_OK ? read_head(track, err) : status;
}

void cds_track_clear(struct cds_track *track) {
  cds_lines_close(&track->lines);
  cds_known_clear(&track->known);
  cds_event_clear(&track->events);
}
