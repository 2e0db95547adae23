/* SPDX-License-Identifier: MIT
 * Lines of a recording, written. */
#include "record/line.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "codec/hex.h"

/* A buffer that a line is appended to; `good` stays false after the first failure. */
struct line {
  struct cds_buf *out;
  size_t start;
  enum cds_status status;
};

static struct line begin(struct cds_buf *out) {
  return (struct line){out, out->length, CDS_OK};
}

static enum cds_status end(struct line *line) {
  if (line->status == CDS_OK) line->status = cds_buf_append(line->out, "}\n", 2);
  if (line->status != CDS_OK) {
    line->out->length = line->start;
    if (line->out->data) line->out->data[line->start] = 0;
  }
  return line->status;
}

static void put(struct line *line, const char *text, size_t length) {
  if (line->status == CDS_OK) line->status = cds_buf_append(line->out, text, length);
}

static void put_text(struct line *line, const char *text) {
  put(line, text, strlen(text));
}

/* ,"name":value */
static void put_number(struct line *line, const char *name, int64_t value) {
  if (line->status == CDS_OK) line->status = cds_buf_printf(line->out, ",\"%s\":%" PRId64, name, value);
}

static void put_escape(struct line *line, unsigned code) {
  if (line->status == CDS_OK) line->status = cds_buf_printf(line->out, "\\u%04x", code);
}

/* Characters between two quotes. What is no UTF-8 becomes U+FFFD. */
static void put_string(struct line *line, const char *text) {
  size_t left = strlen(text);
  put_text(line, "\"");
  while (left > 0) {
    unsigned char c = (unsigned char)*text;
    size_t step = cds_utf8_length((const unsigned char *)text, left);
    if (step == 0 || c < ' ' || c == '"' || c == '\\') {
      put_escape(line, step == 0 ? 0xfffd : c);
      step = 1;
    } else {
      put(line, text, step);
    }
    text += step;
    left -= step;
  }
  put_text(line, "\"");
}

static void put_hex(struct line *line, const uint8_t *bytes, size_t length) {
  char digits[1024];
  put_text(line, "\"0x");
  while (length > 0) {
    size_t step = length < sizeof digits / 2 ? length : sizeof digits / 2;
    cds_hex_encode(digits, bytes, step);
    put(line, digits, 2 * step);
    bytes += step;
    length -= step;
  }
  put_text(line, "\"");
}

enum cds_status cds_record_head(struct cds_buf *out, const struct cds_recording_head *head) {
  struct line line = begin(out);
  put_text(&line, CDS_RECORDING_START);
  put_number(&line, "version", CDS_RECORDING_VERSION);
  put_text(&line, ",\"client\":\"" CDS_VERSION "\"");
  put_number(&line, "begun", head->begun_ms);
  if (head->continues) put_text(&line, ",\"continues\":true");
  put_text(&line, ",\"feeds\":[");
  for (size_t i = 0; i < head->feed_count; i++) {
    if (i > 0) put_text(&line, ",");
    put_hex(&line, head->feeds[i].bytes, sizeof head->feeds[i].bytes);
  }
  put_text(&line, "]");
  return end(&line);
}

/* In seconds, as far as these are defined, and for a feed in milliseconds in these too, as the service's envelope has
 * it. */
static void put_time(struct line *line, const struct cds_report *report, const char *name, const char *name_ms,
                     uint32_t seconds, uint64_t time) {
  if (seconds < UINT32_MAX) put_number(line, name, seconds);
  if (report->resolution == CDS_RESOLUTION_MILLISECONDS && line->status == CDS_OK)
    line->status = cds_buf_printf(line->out, ",\"%s\":%" PRIu64, name_ms, time);
}

enum cds_status cds_record_report(struct cds_buf *out, const struct cds_report *report) {
  struct line line = begin(out);
  put_text(&line, "{\"feedID\":");
  put_hex(&line, report->feed_id.bytes, sizeof report->feed_id.bytes);
  put_text(&line, ",\"fullReport\":");
  put_hex(&line, report->bytes, report->length);
  if (report->has_valid_from_timestamp)
    put_time(&line, report, "validFromTimestamp", "validFromTimestampMs", report->valid_from_timestamp,
             report->valid_from_time);
  if (report->has_observations_timestamp)
    put_time(&line, report, "observationsTimestamp", "observationsTimestampMs", report->observations_timestamp,
             report->observations_time);
  if (report->received_at_ms) put_number(&line, "received_at", report->received_at_ms);
  if (report->origin[0]) {
    put_text(&line, ",\"origin\":");
    put_string(&line, report->origin);
  }
  if (report->backfilled) put_text(&line, ",\"backfilled\":true");
  return end(&line);
}

static const char *event_name(enum cds_event_kind kind) {
  switch (kind) {
  case CDS_EVENT_GAP: return "gap";
  case CDS_EVENT_BACKFILLED: return "backfilled";
  case CDS_EVENT_LOST: return "lost";
  case CDS_EVENT_UNVERIFIED: return "unverified";
  default: return NULL;
  }
}

enum cds_status cds_record_event(struct cds_buf *out, const struct cds_event *event) {
  const char *name = event_name(event->kind);
  if (!name) return CDS_OK;
  struct line line = begin(out);
  put_text(&line, "{\"event\":");
  put_string(&line, name);
  put_text(&line, ",\"feed\":");
  put_hex(&line, event->feed_id.bytes, sizeof event->feed_id.bytes);
  put_number(&line, "from_ms", event->from_ms);
  if (event->has_end) put_number(&line, "to_ms", event->to_ms);
  put_number(&line, "time", event->at_ms);
  if (event->message[0]) {
    put_text(&line, ",\"reason\":");
    put_string(&line, event->message);
  }
  return end(&line);
}
