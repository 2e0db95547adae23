/* SPDX-License-Identifier: MIT
 * Lines of a recording, read. */
#include "record/parse.h"

#include <string.h>

#include "base/limits.h"
#include "record/line.h"

#define IS(slice, literal) cds_slice_is(slice, literal, sizeof literal - 1)

/* Any value, as it stands. */
static enum cds_status read_raw(struct cds_slice *out, struct cds_scan *scan) {
  cds_scan_accept(scan, ' '); /* passes over whitespace */
  out->text = scan->at;
  enum cds_status status = cds_scan_skip(scan, CDS_MAX_JSON_DEPTH - 1);
  out->length = (size_t)(scan->at - out->text);
  return status;
}

static enum cds_status read_string(struct cds_slice *out, struct cds_scan *scan) {
  enum cds_status status = read_raw(out, scan);
  if (status != CDS_OK) return status;
  if (*out->text != '"') {
    scan->at = out->text;
    return cds_scan_fail(scan, "a string");
  }
  out->text++;
  out->length -= 2;
  return CDS_OK;
}

static enum cds_status read_bool(bool *out, struct cds_scan *scan) {
  struct cds_slice value;
  enum cds_status status = read_raw(&value, scan);
  *out = status == CDS_OK && IS(&value, "true");
  if (status != CDS_OK || *out || IS(&value, "false")) return status;
  scan->at = value.text;
  return cds_scan_fail(scan, "true or false");
}

static enum cds_status read_number(uint64_t *out, struct cds_scan *scan) {
  bool has;
  uint64_t value = 0;
  enum cds_status status = cds_scan_uint64(&has, &value, scan);
  *out = status == CDS_OK && has ? value : 0;
  return status;
}

/* Times are added to and multiplied. */
static enum cds_status read_time(uint64_t *out, struct cds_scan *scan) {
  const char *at = scan->at;
  enum cds_status status = read_number(out, scan);
  if (status != CDS_OK || *out <= INT64_MAX / 4) return status;
  scan->at = at;
  return cds_scan_fail(scan, "a time in milliseconds");
}

/* ---- what the members are ---- */

static enum cds_status read_of_report(void *context, const struct cds_slice *name, struct cds_scan *scan) {
  struct cds_record_line *line = context;
  struct cds_slice ignored;
  if (IS(name, "received_at")) return read_time(&line->received_at_ms, scan);
  if (IS(name, "origin")) return read_string(&line->origin, scan);
  if (IS(name, "backfilled")) return read_bool(&line->backfilled, scan);
  return read_raw(&ignored, scan);
}

static enum cds_status read_version(struct cds_scan *scan) {
  uint64_t version;
  enum cds_status status = read_number(&version, scan);
  if (status != CDS_OK || version == CDS_RECORDING_VERSION) return status;
  return cds_scan_fail(scan, "version 1 of the format, the only one known here");
}

static enum cds_status read_of_head(void *context, const struct cds_slice *name, struct cds_scan *scan) {
  struct cds_record_line *line = context;
  struct cds_slice ignored;
  if (IS(name, "version")) return read_version(scan);
  if (IS(name, "continues")) return read_bool(&line->continues, scan);
  if (IS(name, "feeds")) return read_raw(&line->feeds, scan);
  return read_raw(&ignored, scan);
}

static enum cds_status read_event_name(struct cds_record_line *line, struct cds_scan *scan) {
  static const char *const names[] = {"gap", "backfilled", "lost", "unverified"};
  struct cds_slice name;
  enum cds_status status = read_string(&name, scan);
  line->kind = CDS_RECORD_OTHER;
  for (unsigned i = 0; status == CDS_OK && i < sizeof names / sizeof *names; i++) {
    if (!cds_slice_is(&name, names[i], strlen(names[i]))) continue;
    line->kind = CDS_RECORD_EVENT;
    line->event = CDS_EVENT_GAP + i;
  }
  return status;
}

static enum cds_status read_feed(struct cds_feed_id *out, struct cds_scan *scan) {
  struct cds_slice text;
  struct cds_error ignored;
  enum cds_status status = read_string(&text, scan);
  if (status != CDS_OK || cds_feed_id_parse(out, text.text, text.length, &ignored) == CDS_OK) return status;
  scan->at = text.text;
  return cds_scan_fail(scan, "a feed id of 0x and 64 hex digits");
}

static enum cds_status read_of_event(void *context, const struct cds_slice *name, struct cds_scan *scan) {
  struct cds_record_line *line = context;
  struct cds_slice ignored;
  if (IS(name, "event")) return read_event_name(line, scan);
  if (IS(name, "feed")) return read_feed(&line->feed, scan);
  if (IS(name, "from_ms")) return read_time(&line->from_ms, scan);
  if (IS(name, "time")) return read_time(&line->time_ms, scan);
  if (IS(name, "reason")) return read_string(&line->reason, scan);
  if (!IS(name, "to_ms")) return read_raw(&ignored, scan);
  line->has_end = true;
  return read_time(&line->to_ms, scan);
}

/* An object whose members `read` takes. */
static enum cds_status read_object(struct cds_record_line *out, const char *text, size_t length,
                                   enum cds_status read(void *, const struct cds_slice *, struct cds_scan *),
                                   struct cds_error *err) {
  struct cds_scan scan;
  bool more = true, first = true;
  cds_scan_init(&scan, text, length, err);
  enum cds_status status = cds_scan_expect(&scan, '{', "an object");
  while (status == CDS_OK) {
    struct cds_slice name;
    status = cds_scan_member(&more, &name, &first, &scan);
    if (status == CDS_OK && !more) return cds_scan_end(&scan);
    if (status == CDS_OK) status = read(out, &name, &scan);
  }
  return status;
}

static bool starts_with(const char *text, size_t length, const char *start) {
  size_t wanted = strlen(start);
  return length >= wanted && memcmp(text, start, wanted) == 0;
}

enum cds_status cds_record_parse(struct cds_record_line *out, const char *text, size_t length, struct cds_error *err) {
  *out = (struct cds_record_line){.kind = CDS_RECORD_REPORT};
  if (starts_with(text, length, "{\"event\":")) return read_object(out, text, length, read_of_event, err);
  if (starts_with(text, length, CDS_RECORDING_START)) {
    out->kind = CDS_RECORD_HEAD;
    return read_object(out, text, length, read_of_head, err);
  }
  const struct cds_envelope_others others = {read_of_report, out};
  return cds_envelope_read(&out->envelope, text, length, &others, err);
}

bool cds_record_feed(struct cds_feed_id *out, const struct cds_slice *feeds, size_t number) {
  struct cds_scan scan;
  struct cds_error ignored;
  bool more = true, first = true;
  cds_scan_init(&scan, feeds->text, feeds->length, &ignored);
  enum cds_status status = cds_scan_expect(&scan, '[', "an array");
  for (size_t i = 0; status == CDS_OK && more; i++) {
    struct cds_slice skipped;
    status = cds_scan_element(&more, &first, &scan);
    if (status != CDS_OK || !more) return false;
    if (i == number) return read_feed(out, &scan) == CDS_OK;
    status = read_raw(&skipped, &scan);
  }
  return false;
}

/* ---- texts ---- */

static unsigned hex_value(const char *digits) {
  unsigned value = 0;
  for (int i = 0; i < 4; i++) {
    char c = digits[i];
    value = value << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

/* The UTF-8 of a character; half of a pair is none. Returns its length. */
static size_t encode(char out[3], unsigned code) {
  if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xc0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3f));
    return 2;
  }
  out[0] = (char)(0xe0 | code >> 12);
  out[1] = (char)(0x80 | (code >> 6 & 0x3f));
  out[2] = (char)(0x80 | (code & 0x3f));
  return 3;
}

/* What the escape at `at`, behind a backslash, stands for; -> how long it is. The scanner has seen that it is one. */
static size_t unescape(char out[3], size_t *length, const char *at) {
  static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
  if (*at == 'u') {
    *length = encode(out, hex_value(at + 1));
    return 5;
  }
  const char *name = strchr(names, *at);
  out[0] = name ? values[name - names] : *at;
  *length = 1;
  return 1;
}

void cds_record_text(char *out, size_t size, const struct cds_slice *slice) {
  size_t done = 0;
  for (size_t i = 0; i < slice->length;) {
    char character[3] = {slice->text[i]};
    size_t length = 1, step = 1;
    if (*character == '\\') step += unescape(character, &length, slice->text + i + 1);
    if (done + length >= size) break;
    memcpy(out + done, character, length);
    done += length;
    i += step;
  }
  out[done] = 0;
}
