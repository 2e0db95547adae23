/* SPDX-License-Identifier: MIT
 * Recordings at their edges: texts of lines, the numbers of lines, a day's end, and no memory for the next head. */
#include "base/alloc.h"
#include "base/limits.h"
#include "base/lines.h"
#include "record/line.h"
#include "record/parse.h"
#include "recorded.h"

#define DAY_MS 86400000

static struct cds_error err;
static struct cds_feed_id feeds[4] = {{{0, 3}}, {{0, 3, 1}}, {{0, 3, 2}}, {{0, 3, 3}}};

static struct cds_writer *open_with(const struct cds_writer_options *options, size_t feed_count) {
  struct cds_writer *writer = NULL;
  cds_error_clear(&err);
  return cds_writer_open(&writer, recorded_path, feeds, feed_count, options, &err) == CDS_OK ? writer : NULL;
}

static void is_text(const char *escaped, const char *expected) {
  char out[8];
  const struct cds_slice slice = {escaped, strlen(escaped)};
  cds_record_text(out, sizeof out, &slice);
  is_string(out, expected, escaped);
}

/* Half of a pair is no character; what lies next to them on either side is. */
static void test_texts(void) {
  is_text("\\ud7ff", "\xed\x9f\xbf");
  is_text("\\ud800", "\xef\xbf\xbd");
  is_text("\\udfff", "\xef\xbf\xbd");
  is_text("\\ue000", "\xee\x80\x80");
  is_text("\\u007f", "\x7f");
  is_text("\\u0080", "\xc2\x80");
  is_text("\\u07ff", "\xdf\xbf");
  is_text("\\u0800", "\xe0\xa0\x80");
}

/* What a line is shows by its beginning, though nothing follows. */
static void test_beginnings(void) {
  struct cds_record_line line;
  static const char event[] = "{\"event\":";
  ok(cds_record_parse(&line, event, sizeof event - 1, &err) == CDS_E_DECODE && line.kind != CDS_RECORD_REPORT,
     "an event that ends at once is no report");
  ok(cds_record_parse(&line, event, sizeof event - 2, &err) == CDS_E_DECODE && line.kind == CDS_RECORD_REPORT,
     "one that ends before that may be anything");
}

/* A member that is not known may nest as deep as JSON may here, within the line's own object. */
static void test_depth(void) {
  char text[32 + 2 * CDS_MAX_JSON_DEPTH];
  struct cds_record_line line;
  for (int depth = CDS_MAX_JSON_DEPTH - 1; depth <= CDS_MAX_JSON_DEPTH; depth++) {
    char *at = text + sprintf(text, "%s,\"x\":", "{\"event\":\"?\"");
    memset(at, '[', (size_t)depth);
    memset(at + depth, ']', (size_t)depth);
    strcpy(at + 2 * depth, "}");
    is_number(cds_record_parse(&line, text, strlen(text), &err), depth < CDS_MAX_JSON_DEPTH ? CDS_OK : CDS_E_DECODE,
              depth < CDS_MAX_JSON_DEPTH ? "as deep as may be" : "deeper");
  }
}

static void test_line_numbers(void) {
  const char *paths[] = {recorded_path, recorded_path};
  struct cds_lines lines;
  const char *text;
  size_t length;
  recorded_put(recorded_path, "a\nb\n", 4);
  if (cds_lines_open(&lines, paths, 2, 1000, &err) != CDS_OK) abort();
  for (uint64_t i = 0; i < 4; i++) {
    ok(cds_lines_next(&text, &length, &lines, &err) == CDS_NEXT_LINE && length == 1, "a line");
    is_number((long long)lines.number, (long long)i % 2 + 1, "which has its number in its file");
  }
  ok(cds_lines_next(&text, &length, &lines, &err) == CDS_NEXT_END, "there are no more");
  cds_lines_close(&lines);
  recorded_empty();
}

/* Whenever in a day a file was written to, it is that day's. */
static void test_day(void) {
  const struct cds_writer_options options = {.rotate_ms = DAY_MS};
  time_t midnight = time(NULL) / 86400 * 86400;
  struct timespec begin[2] = {{.tv_sec = midnight}, {.tv_sec = midnight}};
  struct timespec before[2] = {{.tv_sec = midnight - 1}, {.tv_sec = midnight - 1}};
  cds_writer_close(open_with(&options, 1), NULL);
  utimensat(AT_FDCWD, recorded_path, begin, 0);
  cds_writer_close(open_with(&options, 1), NULL);
  is_number((long long)recorded_files(), 1, "a file of this day's first second is gone on with");
  utimensat(AT_FDCWD, recorded_path, before, 0);
  cds_writer_close(open_with(&options, 1), NULL);
  is_number((long long)recorded_files(), 2, "one of the second before is put aside");
  recorded_empty();
}

/* Without memory even for a head, that is made before the next lines. */
static void test_late_head(void) {
  static const struct cds_writer_options plain;
  size_t length;
  struct cds_report *report = recorded_report(1700000000);
  struct cds_writer *writer = open_with(&plain, 0);
  ok(writer && cds_writer_feeds(writer, feeds, 4) && cds_writer_flush(writer, &err) == CDS_OK, "feeds are named");
  cds_alloc_fail_after(0);
  cds_writer_report(writer, report);
  cds_alloc_fail_after(-1);
  ok(cds_writer_flush(writer, &err) == CDS_E_MEMORY, "a report without memory is not written");
  cds_writer_report(writer, report);
  ok(cds_writer_flush(writer, &err) == CDS_OK, "the next one is");
  char *text = recorded_text(recorded_path, &length);
  is_number((long long)recorded_count(text, CDS_RECORDING_START), 3, "behind a head of its own");
  is_number((long long)recorded_count(text, "\"continues\":true"), 1, "which says that something is missing");
  cds_writer_close(writer, NULL);
  cds_report_unref(report);
  recorded_empty();
}

static void test_no_file(void) {
  struct cds_writer *writer = NULL;
  static const struct cds_writer_options plain;
  ok(cds_writer_open(&writer, "/nonexistent/r.jsonl", feeds, 1, &plain, &err) == CDS_E_FILE, "no file is opened");
  ok(fcntl(STDIN_FILENO, F_GETFD) >= 0, "and none is closed");
}

int main(void) {
  recorded_begin();
  test_texts();
  test_beginnings();
  test_depth();
  test_line_numbers();
  test_day();
  test_late_head();
  test_no_file();
  recorded_end();
  return done();
}
