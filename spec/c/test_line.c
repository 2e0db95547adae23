/* SPDX-License-Identifier: MIT
 * The lines of a recording to the byte, whatever is in them; and none of a line that has no room or memory. */
#include "record/line.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "recorded.h"

#define FEED "0x0003010000000000000000000000000000000000000000000000000000000000"
#define OTHER "0x0003020000000000000000000000000000000000000000000000000000000000"

static const struct cds_feed_id feeds[2] = {{{0, 3, 1}}, {{0, 3, 2}}};

/* Appends one line, of what a test has prepared. */
typedef enum cds_status append_fn(struct cds_buf *out);

static struct cds_recording_head head = {1700000000123, true, feeds, 2};
static struct cds_event *event;
static struct cds_report *report;

static enum cds_status append_head(struct cds_buf *out) {
  return cds_record_head(out, &head);
}

static enum cds_status append_event(struct cds_buf *out) {
  return cds_record_event(out, event);
}

static enum cds_status append_report(struct cds_buf *out) {
  return cds_record_report(out, report);
}

/* Behind another text, for each room there may be, and without memory. */
static void is_line(append_fn *append, const char *expected, const char *what) {
  bool good = true;
  struct cds_buf out;
  size_t length = strlen(expected);
  cds_buf_init(&out, length);
  ok(append(&out) == CDS_OK && out.length == length && strcmp(out.data, expected) == 0, "%s: %s", what, out.data);
  cds_buf_clear(&out);
  for (size_t room = 0; room < length; room++) {
    cds_buf_init(&out, room);
    good = good && append(&out) == CDS_E_DECODE && out.length == 0 && (!out.data || *out.data == 0);
    cds_buf_clear(&out);
    cds_buf_init(&out, 4 + room);
    if (cds_buf_append(&out, "xyz\n", 4) != CDS_OK) abort();
    good = good && append(&out) == CDS_E_DECODE && out.length == 4 && strcmp(out.data, "xyz\n") == 0;
    cds_buf_clear(&out);
  }
  ok(good, "%s: where it has no room nothing is appended", what);
  cds_alloc_fail_after(0);
  cds_buf_init(&out, 10000);
  good = append(&out) == CDS_E_MEMORY && out.length == 0 && !out.data;
  cds_alloc_fail_after(-1);
  ok(good, "%s: nor without memory", what);
}

static void test_head(void) {
  char line[512];
  snprintf(
    line, sizeof line,
    "{\"format\":\"chainlink-streams-recording\",\"version\":1,\"client\":\"%s\",\"begun\":%lld,\"continues\":true,"
    "\"feeds\":[\"" FEED "\",\"" OTHER "\"]}\n",
    CDS_VERSION, (long long)head.begun_ms);
  is_line(append_head, line, "a head");
  head = (struct cds_recording_head){-5, false, feeds, 1};
  snprintf(line, sizeof line,
           "{\"format\":\"chainlink-streams-recording\",\"version\":1,\"client\":\"%s\",\"begun\":-5,\"feeds\":[\"" FEED
           "\"]}\n",
           CDS_VERSION);
  is_line(append_head, line, "another");
  head.feed_count = 0;
  snprintf(line, sizeof line,
           "{\"format\":\"chainlink-streams-recording\",\"version\":1,\"client\":\"%s\",\"begun\":-5,\"feeds\":[]}\n",
           CDS_VERSION);
  is_line(append_head, line, "one of no feeds");
}

/* Each character of a text. */
static void test_text(void) {
  static const char *const texts[][2] = {
    {"a", "a"},
    {" ~\x7f", " ~\x7f"},
    {"\"\\/", "\\u0022\\u005c/"},
    {"\x01\x1f", "\\u0001\\u001f"},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"\xff\xc3", "\\ufffd\\ufffd"},
    {"a\xe2\x82", "a\\ufffd\\ufffd"},
  };
  char line[512];
  event->feed_id = feeds[0];
  event->at_ms = 7;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    strcpy(event->message, texts[i][0]);
    snprintf(line, sizeof line,
             "{\"event\":\"gap\",\"feed\":\"" FEED "\",\"from_ms\":0,\"time\":7,\"reason\":\"%s\"}\n", texts[i][1]);
    is_line(append_event, line, "a reason");
  }
  event->message[0] = 0;
}

static void test_events(void) {
  static const char *const names[] = {"gap", "backfilled", "lost", "unverified"};
  char line[512];
  event->from_ms = 1;
  event->to_ms = 2;
  event->at_ms = 3;
  for (size_t i = 0; i < 4; i++) {
    event->kind = (enum cds_event_kind)(CDS_EVENT_GAP + i);
    event->has_end = i % 2 == 1;
    snprintf(line, sizeof line, "{\"event\":\"%s\",\"feed\":\"" FEED "\",\"from_ms\":1,%s\"time\":3}\n", names[i],
             event->has_end ? "\"to_ms\":2," : "");
    is_line(append_event, line, "an event");
  }
  for (int kind = CDS_EVENT_LOG; kind < CDS_EVENT_GAP; kind++) {
    struct cds_buf out;
    cds_buf_init(&out, 100);
    event->kind = (enum cds_event_kind)kind;
    ok(append_event(&out) == CDS_OK && out.length == 0, "others are none of a recording");
    cds_buf_clear(&out);
  }
}

static void is_report(const char *behind, const char *what) {
  static char line[4096];
  char *at = line + sprintf(line, "{\"feedID\":\"0x");
  for (size_t i = 0; i < 32; i++) at += sprintf(at, "%02x", report->feed_id.bytes[i]);
  at += sprintf(at, "\",\"fullReport\":\"0x");
  for (size_t i = 0; i < report->length; i++) at += sprintf(at, "%02x", report->bytes[i]);
  sprintf(at, "\"%s}\n", behind);
  is_line(append_report, line, what);
}

static void test_report(void) {
  report->received_at_ms = 0;
  is_report(",\"validFromTimestamp\":1700000000,\"observationsTimestamp\":1700000000", "a report");
  report->received_at_ms = 1;
  report->backfilled = true;
  strcpy(report->origin, "a");
  is_report(",\"validFromTimestamp\":1700000000,\"observationsTimestamp\":1700000000,\"received_at\":1,"
            "\"origin\":\"a\",\"backfilled\":true",
            "one with what is known of it");
  report->origin[0] = 0;
  report->backfilled = false;
  report->resolution = CDS_RESOLUTION_MILLISECONDS;
  report->valid_from_timestamp = UINT32_MAX - 1;
  report->valid_from_time = 4294967294001;
  report->observations_timestamp = UINT32_MAX;
  report->observations_time = UINT64_MAX;
  is_report(",\"validFromTimestamp\":4294967294,\"validFromTimestampMs\":4294967294001,"
            "\"observationsTimestampMs\":18446744073709551615,\"received_at\":1",
            "one of milliseconds, one beyond all seconds");
  report->has_valid_from_timestamp = report->has_observations_timestamp = false;
  is_report(",\"received_at\":1", "one without times");
}

/* Longer than what is made of it at a time, or just as long. */
static void test_long(void) {
  struct cds_report *short_one = report;
  report = calloc(1, sizeof *report + 1025);
  if (!report) abort();
  report->feed_id = short_one->feed_id;
  for (size_t i = 0; i < 1025; i++) report->bytes[i] = (uint8_t)(i * 7);
  static const size_t lengths[] = {0, 1, 511, 512, 513, 1024, 1025};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    report->length = lengths[i];
    is_report("", "a report of any length");
  }
  free(report);
  report = short_one;
}

int main(void) {
  event = cds_event_new(CDS_EVENT_GAP);
  report = recorded_report(1700000000);
  test_head();
  test_text();
  test_events();
  test_report();
  test_long();
  cds_event_free(event);
  cds_report_unref(report);
  return done();
}
