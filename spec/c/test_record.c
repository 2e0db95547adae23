/* SPDX-License-Identifier: MIT
 * Recording: the lines, what a break leaves and how it is mended, full disks, rotation, memory. */
#include <signal.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "record/line.h"
#include "recorded.h"

#define SECOND 1700000000u

static struct cds_error err;
static const struct cds_writer_options plain;
static struct cds_feed_id feeds[2] = {{{0, 3, 1}}, {{0, 3, 2}}};

static struct cds_writer *open_with(const struct cds_writer_options *options) {
  struct cds_writer *writer = NULL;
  cds_error_clear(&err);
  if (cds_writer_open(&writer, recorded_path, feeds, 2, options, &err) != CDS_OK) return NULL;
  return writer;
}

static void put_reports(struct cds_writer *writer, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct cds_report *report = recorded_report(SECOND + i);
    cds_writer_report(writer, report);
    cds_report_unref(report);
  }
}

static bool next_event_says(struct cds_writer *writer, const char *text) {
  struct cds_event *event = cds_writer_take_event(writer);
  bool good = event && event->kind == CDS_EVENT_LOG && strstr(event->message, text);
  cds_event_free(event);
  return good;
}

/* ---- lines ---- */

static void test_head_line(void) {
  struct cds_buf out;
  cds_buf_init(&out, 10000);
  struct cds_recording_head head = {1700000000123, false, feeds, 2};
  ok(cds_record_head(&out, &head) == CDS_OK, "a head is made");
  is_string(out.data,
            "{\"format\":\"chainlink-streams-recording\",\"version\":1,\"client\":\"" CDS_VERSION
            "\",\"begun\":1700000000123,\"feeds\":["
            "\"0x0003010000000000000000000000000000000000000000000000000000000000\","
            "\"0x0003020000000000000000000000000000000000000000000000000000000000\"]}\n",
            "it says format, version, client, when it was begun and the feeds");
  cds_buf_reset(&out);
  head.continues = true;
  head.feed_count = 0;
  ok(cds_record_head(&out, &head) == CDS_OK && strstr(out.data, ",\"continues\":true,\"feeds\":[]}\n"),
     "one that goes on says so");
  cds_buf_clear(&out);
}

static void test_report_line(void) {
  struct cds_buf out;
  struct cds_report *report = recorded_report(SECOND);
  cds_buf_init(&out, 10000);
  ok(cds_record_report(&out, report) == CDS_OK &&
       strstr(out.data, "\",\"validFromTimestamp\":1700000000,\"observationsTimestamp\":1700000000,"
                        "\"received_at\":1700000000123}\n"),
     "a report has its times in seconds and the time of its arrival");
  ok(strncmp(out.data, "{\"feedID\":\"0x00031111", 21) == 0 && strstr(out.data, ",\"fullReport\":\"0x"),
     "its feed and its bytes");
  cds_buf_reset(&out);
  strcpy(report->origin, "a\"\\\x01\xff"
                         "é");
  report->backfilled = true;
  ok(cds_record_report(&out, report) == CDS_OK &&
       strstr(out.data, ",\"origin\":\"a\\u0022\\u005c\\u0001\\ufffdé\",\"backfilled\":true}\n"),
     "an origin's characters are escaped");
  cds_buf_reset(&out);
  report->resolution = CDS_RESOLUTION_MILLISECONDS;
  cds_report_set_observations(report, 1700000000456);
  report->has_valid_from_timestamp = false;
  report->received_at_ms = 0;
  ok(cds_record_report(&out, report) == CDS_OK &&
       strstr(out.data, "\",\"observationsTimestamp\":1700000000,\"observationsTimestampMs\":1700000000456,\"origin\""),
     "a millisecond feed's times are in milliseconds too, and what is not known is left out");
  cds_report_unref(report);
  cds_buf_clear(&out);
}

static void test_event_line(void) {
  struct cds_buf out;
  struct cds_event *event = cds_event_new(CDS_EVENT_LOST);
  cds_buf_init(&out, 10000);
  event->feed_id = feeds[0];
  event->at_ms = 1700000009000;
  event->from_ms = 1700000001000;
  event->to_ms = 1700000002000;
  event->has_end = true;
  strcpy(event->message, "why");
  ok(cds_record_event(&out, event) == CDS_OK, "an event is made");
  is_string(out.data,
            "{\"event\":\"lost\",\"feed\":\"0x0003010000000000000000000000000000000000000000000000000000000000\","
            "\"from_ms\":1700000001000,\"to_ms\":1700000002000,\"time\":1700000009000,\"reason\":\"why\"}\n",
            "it says what, of which feed, from when to when, and why");
  cds_buf_reset(&out);
  event->has_end = false;
  event->message[0] = 0;
  event->kind = CDS_EVENT_GAP;
  ok(cds_record_event(&out, event) == CDS_OK && strstr(out.data, "\"gap\"") &&
       strstr(out.data, ",\"from_ms\":1700000001000,\"time\":1700000009000}\n"),
     "what is not known is left out");
  size_t before = out.length;
  event->kind = CDS_EVENT_LOG;
  ok(cds_record_event(&out, event) == CDS_OK && out.length == before, "log lines are not recorded");
  cds_event_free(event);
  cds_buf_clear(&out);
}

static void test_line_limit(void) {
  struct cds_buf out;
  struct cds_report *report = recorded_report(SECOND);
  bool good = true;
  for (size_t limit = 0; limit < 1500; limit++) {
    cds_buf_init(&out, limit);
    enum cds_status status = cds_record_report(&out, report);
    good = good && (status == CDS_OK ? out.data[out.length - 1] == '\n' : out.length == 0);
    cds_buf_clear(&out);
  }
  ok(good, "a line is there whole or not at all");
  cds_report_unref(report);
}

/* ---- files ---- */

static void test_again(void) {
  size_t length, first;
  struct cds_writer *writer = open_with(&plain);
  recorded_text(recorded_path, &first);
  put_reports(writer, 3);
  ok(recorded_count(recorded_text(recorded_path, &length), "\n") == 1 && first > 0,
     "the head is written at once, lines wait");
  ok(cds_writer_flush(writer, &err) == CDS_OK && recorded_count(recorded_text(recorded_path, &length), "\n") == 4,
     "until they are flushed");
  struct cds_writer *second = open_with(&plain);
  ok(!second && err.status == CDS_E_FILE && strstr(err.message, "another recorder"), "there is one recorder at a time");
  struct cds_writer_stats stats;
  cds_writer_stats(&stats, writer);
  ok(stats.reports == 3 && stats.bytes == length && stats.unwritten == 0 && stats.files == 1, "it counts");
  put_reports(writer, 1);
  ok(cds_writer_close(writer, &err) == CDS_OK && cds_writer_close(NULL, NULL) == CDS_OK, "closing writes the rest");
  writer = open_with(&plain);
  put_reports(writer, 1);
  cds_writer_close(writer, NULL);
  char *text = recorded_text(recorded_path, &length);
  ok(recorded_count(text, "\n") == 7 && recorded_count(text, "\n" CDS_RECORDING_START) == 1,
     "a recorder goes on behind a head of its own");
  recorded_empty();
}

/* However a file was cut, whole lines stay, and the next recorder goes on behind them. */
static void test_each_cut(void) {
  static char whole[1 << 20];
  size_t length, cut_lines = 0;
  bool good = true, told = true;
  struct cds_writer *writer = open_with(&plain);
  put_reports(writer, 4);
  cds_writer_close(writer, NULL);
  memcpy(whole, recorded_text(recorded_path, &length), length = strlen(recorded_text(recorded_path, &length)));
  for (size_t cut = 0; cut <= 2048 && cut <= length; cut++) {
    size_t left = length - cut, kept = left;
    while (kept > 0 && whole[kept - 1] != '\n') kept--;
    bool only_newline = kept < left && left < length && whole[left] == '\n';
    recorded_put(recorded_path, whole, left);
    writer = open_with(&plain);
    bool is_told = writer && next_event_says(writer, "was cut");
    told = told && writer && is_told == (kept < left && !only_newline);
    cut_lines += is_told;
    cds_writer_close(writer, NULL);
    size_t now, expected = only_newline ? left + 1 : kept;
    char *text = recorded_text(recorded_path, &now);
    good = good && writer && now > expected && memcmp(text, whole, expected) == 0 &&
           strncmp(text + expected, CDS_RECORDING_START, sizeof CDS_RECORDING_START - 1) == 0;
  }
  ok(good, "whole lines stay and a head follows, for each byte at which the last 2 KB were cut");
  ok(told && cut_lines > 1900, "what is taken away is told, and nothing else");
  recorded_empty();
}

static void test_cut_head(void) {
  bool good = true;
  for (size_t length = 0; length < sizeof CDS_RECORDING_START - 1; length++) {
    size_t now;
    recorded_put(recorded_path, CDS_RECORDING_START, length);
    struct cds_writer *writer = open_with(&plain);
    cds_writer_close(writer, NULL);
    good = good && writer && recorded_count(recorded_text(recorded_path, &now), "{\"format\"") == 1;
  }
  ok(good, "a file that was cut in its head is begun anew");
  recorded_empty();
}

static void refused(const char *text, size_t size, const char *words, const char *what) {
  size_t length;
  recorded_put(recorded_path, text, size);
  struct cds_writer *writer = open_with(&plain);
  ok(!writer && err.status == CDS_E_FILE && strstr(err.message, words), "refused: %s", what);
  ok(memcmp(recorded_text(recorded_path, &length), text, size) == 0 && length == size, "and left alone: %s", what);
  recorded_empty();
}

static void test_refused(void) {
  static char endless[(2 << 20) + 1];
  refused("price,time\n1,2\n", 15, "no recording", "another file");
  refused("{\"fullReport\":\"0x\"}\n", 20, "no recording", "reports without a head");
  memcpy(endless, CDS_RECORDING_START, sizeof CDS_RECORDING_START - 1);
  endless[sizeof CDS_RECORDING_START - 2]++;
  refused(endless, sizeof CDS_RECORDING_START - 1, "no recording", "a head but for its last character");
  memset(endless, 'x', sizeof endless - 1);
  memcpy(endless, CDS_RECORDING_START, sizeof CDS_RECORDING_START - 1);
  struct cds_writer *writer = NULL;
  recorded_put(recorded_path, endless, sizeof endless - 1);
  ok(!open_with(&plain) && strstr(err.message, "longer"), "refused: a line without an end");
  recorded_empty();
  ok(mkfifo(recorded_path, 0600) == 0 && !open_with(&plain) && strstr(err.message, "no plain file"), "refused: a pipe");
  recorded_empty();
  ok(cds_writer_open(&writer, "/nonexistent/r.jsonl", feeds, 2, &plain, &err) == CDS_E_FILE &&
       strstr(err.message, "cannot open"),
     "refused: a folder that is not there");
  ok(cds_writer_open(&writer, "/dev/full", feeds, 2, &plain, &err) == CDS_E_FILE, "refused: a device");
  char path[5000];
  memset(path, 'x', sizeof path - 1);
  path[sizeof path - 1] = 0;
  ok(cds_writer_open(&writer, path, feeds, 2, &plain, &err) == CDS_E_FILE && strstr(err.message, "longer"),
     "refused: a path without an end");
}

static void test_folder(void) {
  char path[128];
  struct cds_writer *writer;
  ok(cds_writer_open(&writer, recorded_folder, feeds, 2, &plain, &err) == CDS_OK, "a folder may be named");
  cds_writer_close(writer, NULL);
  snprintf(path, sizeof path, "%s/recording.jsonl", recorded_folder);
  ok(access(path, F_OK) == 0, "it gets recording.jsonl");
  recorded_empty();
}

/* ---- a full disk ---- */

static void set_limit(rlim_t bytes) {
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_full(bool sync) {
  struct cds_writer_stats stats;
  size_t before, length;
  const struct cds_writer_options options = {.sync = sync};
  struct cds_writer *writer = open_with(&options);
  put_reports(writer, 2);
  cds_writer_write(writer);
  recorded_text(recorded_path, &before);
  set_limit(before + 2000);
  put_reports(writer, 5);
  cds_writer_write(writer);
  put_reports(writer, 2);
  ok(cds_writer_flush(writer, &err) == CDS_E_FILE && strstr(err.message, "cannot write"), "a full disk is an error");
  ok(cds_writer_flush(writer, &err) == CDS_OK, "told once");
  ok(next_event_says(writer, "cannot write") && !cds_writer_take_event(writer), "and logged once");
  recorded_text(recorded_path, &length);
  ok(length == before, "what was written before is there, and no part of the rest");
  set_limit(RLIM_INFINITY);
  put_reports(writer, 1);
  ok(cds_writer_flush(writer, &err) == CDS_OK && next_event_says(writer, "again"), "it goes on when there is room");
  cds_writer_stats(&stats, writer);
  ok(stats.reports == 3 && stats.unwritten == 7, "what was not written is counted");
  char *text = recorded_text(recorded_path, &length);
  ok(strncmp(text + before, CDS_RECORDING_START, sizeof CDS_RECORDING_START - 1) == 0 &&
       !strstr(text, "\"continues\"") && recorded_count(text, "\n") == 5,
     "a head tells where lines are missing");
  cds_writer_close(writer, NULL);
  recorded_empty();
}

/* ---- rotation ---- */

static void test_rotation(void) {
  struct cds_writer_stats stats;
  size_t length;
  const struct cds_writer_options options = {.rotate_bytes = 8000};
  struct cds_writer *writer = open_with(&options);
  for (int i = 0; i < 12; i++) {
    put_reports(writer, 1);
    cds_writer_write(writer);
  }
  cds_writer_stats(&stats, writer);
  ok(stats.reports == 12 && stats.unwritten == 0 && stats.files == recorded_files() && stats.files > 2,
     "files are begun as the size asks for");
  char *text = recorded_text(recorded_path, &length);
  ok(length <= 8000 && strstr(text, "\"continues\":true") && strncmp(text, CDS_RECORDING_START, 20) == 0,
     "each has a head that says that nothing is missing");
  const struct cds_feed_id other[1] = {{{0, 3, 9}}};
  ok(cds_writer_feeds(writer, other, 1), "feeds may change");
  cds_writer_close(writer, NULL);
  ok(strstr(recorded_text(recorded_path, &length), "\"continues\":true,\"feeds\":[\"0x000309"),
     "a head tells the new ones");
  recorded_empty();
}

static void test_rotation_by_time(void) {
  const struct cds_writer_options options = {.rotate_ms = 86400000};
  cds_writer_close(open_with(&options), NULL);
  cds_writer_close(open_with(&options), NULL);
  is_number(recorded_files(), 1, "a day's recordings are one file");
  struct timespec yesterday[2] = {{.tv_sec = time(NULL) - 86400}, {.tv_sec = time(NULL) - 86400}};
  utimensat(AT_FDCWD, recorded_path, yesterday, 0);
  cds_writer_close(open_with(&options), NULL);
  is_number(recorded_files(), 2, "yesterday's is put aside");
  recorded_empty();
}

/* The folder cannot be written: the file goes on. */
static void test_rotation_refused(void) {
  if (geteuid() == 0) {
    skip("a folder that cannot be written", "root may write everywhere");
    return;
  }
  const struct cds_writer_options options = {.rotate_bytes = 1000};
  struct cds_writer *writer = open_with(&options);
  put_reports(writer, 1);
  cds_writer_write(writer);
  chmod(recorded_folder, 0500);
  put_reports(writer, 1);
  ok(cds_writer_flush(writer, &err) == CDS_E_FILE && strstr(err.message, "rename"), "a refusal is told");
  chmod(recorded_folder, 0700);
  put_reports(writer, 1);
  ok(cds_writer_flush(writer, &err) == CDS_OK && recorded_files() > 1, "and rotation goes on when it can");
  cds_writer_close(writer, NULL);
  recorded_empty();
}

/* ---- memory ---- */

static void test_memory(void) {
  struct cds_report *report = recorded_report(SECOND);
  bool good = true, ended = false;
  for (long nth = 0; !ended && nth < 200; nth++) {
    const struct cds_writer_options options = {.rotate_bytes = 1500};
    struct cds_writer_stats stats = {0};
    cds_error_clear(&err);
    cds_alloc_fail_one(nth);
    struct cds_writer *writer = open_with(&options);
    bool opened = writer != NULL;
    for (int i = 0; opened && i < 4; i++) {
      cds_writer_report(writer, report);
      cds_writer_write(writer);
    }
    bool kept = opened && cds_writer_feeds(writer, feeds, 1);
    if (opened) cds_writer_stats(&stats, writer);
    enum cds_status status = opened ? cds_writer_close(writer, &err) : err.status;
    long made = cds_alloc_fail_one(-1);
    (void)kept;
    good = good && (status == CDS_OK || status == CDS_E_MEMORY || status == CDS_E_FILE) &&
           (!opened || stats.reports + stats.unwritten == 4);
    ended = made <= nth;
    recorded_empty();
  }
  ok(good && ended, "without memory a report is written or counted");
  cds_report_unref(report);
}

int main(void) {
  signal(SIGXFSZ, SIG_IGN);
  recorded_begin();
  test_head_line();
  test_report_line();
  test_event_line();
  test_line_limit();
  test_again();
  test_each_cut();
  test_cut_head();
  test_refused();
  test_folder();
  test_full(false);
  test_full(true);
  test_rotation();
  test_rotation_by_time();
  test_rotation_refused();
  test_memory();
  recorded_end();
  return done();
}
