/* SPDX-License-Identifier: MIT
 * The recorder by a clock of the test's: when a block is written, when a file is put aside, what a failure costs and
 * how that is told. */
#include "record/writer.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "record/line.h"
#include "recorded.h"
#include "system_faults.h"

#define BLOCK (256 * 1024)
#define START 1700000000000 /* ms */

static int64_t wall_ms = START, mono_ms = 5000;

SYSTEM_CALL int clock_gettime(clockid_t id, struct timespec *out) {
  int64_t ms = id == CLOCK_REALTIME ? wall_ms : mono_ms;
  *out = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  return 0;
}

static struct system_fault of_pwrite;

SYSTEM_CALL ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  return system_fails(&of_pwrite) ? -1 : syscall(SYS_pwrite64, fd, bytes, length, offset);
}

static struct cds_error err;
static struct cds_writer *writer;
static struct cds_report *report;
static const struct cds_feed_id feeds[2] = {{{0, 3, 1}}, {{0, 3, 2}}};

static bool open_with(const struct cds_writer_options *options, size_t feed_count) {
  static const struct cds_writer_options plain;
  writer = (struct cds_writer *)&err;
  cds_error_clear(&err);
  enum cds_status status = cds_writer_open(&writer, recorded_path, feeds, feed_count, options ? options : &plain, &err);
  if ((status == CDS_OK) != (writer != NULL) || status != err.status) abort();
  return writer != NULL;
}

static void put(size_t count) {
  while (count-- > 0) cds_writer_report(writer, report);
}

static const char *text(void) {
  size_t length;
  return recorded_text(recorded_path, &length);
}

/* Lines of the file. */
static size_t lines(void) {
  return recorded_count(text(), "\n");
}

static struct cds_writer_stats stats(void) {
  struct cds_writer_stats all;
  cds_writer_stats(&all, writer);
  return all;
}

static bool tells(enum cds_log_level level, const char *words) {
  struct cds_event *event = cds_writer_take_event(writer);
  bool good = event && event->kind == CDS_EVENT_LOG && event->level == level &&
              strncmp(event->message, "recording: ", 11) == 0 && strstr(event->message, words);
  cds_event_free(event);
  return good;
}

static void end(void) {
  cds_writer_close(writer, NULL);
  recorded_empty();
}

/* ---- when ---- */

static void test_due(void) {
  if (!open_with(NULL, 2)) abort();
  ok(cds_writer_due(writer) == -1, "nothing waits");
  put(1);
  ok(cds_writer_due(writer) == 1 && lines() == 1, "a line waits for a second");
  mono_ms += 250;
  put(1);
  ok(cds_writer_due(writer) == 0.75, "from the first one on");
  mono_ms += 749;
  put(1);
  ok(cds_writer_due(writer) == 0.001 && lines() == 1, "all of it");
  mono_ms += 1;
  ok(cds_writer_due(writer) == 0, "and no longer");
  mono_ms += 1000;
  ok(cds_writer_due(writer) == 0, "however late it is");
  put(1);
  ok(lines() == 5 && cds_writer_due(writer) == -1, "the next line takes all with it");
  struct cds_event *event = cds_event_new(CDS_EVENT_GAP);
  cds_writer_event(writer, event);
  ok(cds_writer_due(writer) == 1 && lines() == 5, "an event waits likewise");
  mono_ms += 1000;
  cds_writer_event(writer, event);
  ok(lines() == 7, "and is written");
  event->kind = CDS_EVENT_LOG;
  cds_writer_event(writer, event);
  ok(cds_writer_due(writer) == -1 && lines() == 7, "but none that is not recorded");
  cds_event_free(event);
  put(1);
  cds_writer_pause(writer);
  ok(lines() == 8, "before a pause all is written");
  is_number(stats().bytes, strlen(text()), "bytes are counted");
  is_number(stats().reports, 5, "and reports");
  end();
}

/* Lines that are compressed together become smaller. */
static void test_pause(void) {
  size_t before, length;
  if (cds_gzip.absent) {
    skip("a compressed recording", "built without zlib");
    return;
  }
  strcat(recorded_path, ".gz");
  if (!open_with(NULL, 2)) abort();
  recorded_text(recorded_path, &before);
  put(1);
  mono_ms += 999;
  cds_writer_pause(writer);
  recorded_text(recorded_path, &length);
  is_number(length, before, "what is compressed stays for a second");
  mono_ms += 1;
  cds_writer_pause(writer);
  recorded_text(recorded_path, &length);
  ok(length > before, "and is written then");
  end();
  recorded_path[strlen(recorded_path) - 3] = 0;
}

static void test_block(void) {
  struct cds_buf line;
  if (!open_with(NULL, 0)) abort();
  cds_buf_init(&line, 10000);
  if (cds_record_report(&line, report) != CDS_OK) abort();
  size_t fit = (BLOCK - 1) / line.length;
  put(fit);
  ok(lines() == 1, "%zu reports are no block", fit);
  put(1);
  ok(lines() == fit + 2 && cds_writer_due(writer) == -1, "one more is");
  cds_buf_clear(&line);
  end();
}

/* An event of so many bytes, 200 to 500. */
static void put_event(size_t length) {
  struct cds_buf line;
  struct cds_event *event = cds_event_new(CDS_EVENT_GAP);
  event->message[0] = 'x';
  cds_buf_init(&line, 1000);
  if (cds_record_event(&line, event) != CDS_OK) abort();
  memset(event->message, 'x', length - line.length + 1);
  cds_writer_event(writer, event);
  cds_buf_clear(&line);
  cds_event_free(event);
}

/* Puts lines of so many bytes: reports, and events that fill it up. */
static void fill(size_t length) {
  struct cds_buf line;
  cds_buf_init(&line, 10000);
  if (cds_record_report(&line, report) != CDS_OK) abort();
  size_t count = length / line.length - 1;
  put(count);
  length -= count * line.length;
  for (size_t events = length / 300; events > 0; events--) {
    put_event(length / events);
    length -= length / events;
  }
  cds_buf_clear(&line);
}

static void test_just_a_block(void) {
  for (size_t lack = 0; lack < 2; lack++) {
    if (!open_with(NULL, 0)) abort();
    fill(BLOCK - lack);
    ok((lines() > 1) == (lack == 0), "a block less %zu bytes is %s", lack, lack ? "not written" : "written");
    end();
  }
}

/* Behind what is just no block yet there is room for the longest report. */
static void test_longest(void) {
  struct cds_report *longest = calloc(1, sizeof *longest + CDS_MAX_REPORT_BYTES);
  struct stat info;
  if (!longest || !open_with(NULL, 0)) abort();
  longest->length = CDS_MAX_REPORT_BYTES;
  longest->feed_id = report->feed_id;
  fill(BLOCK - 1);
  cds_writer_report(writer, longest);
  ok(stats().unwritten == 0 && stat(recorded_path, &info) == 0 && info.st_size > BLOCK + 2 * CDS_MAX_REPORT_BYTES,
     "the longest report is written behind a block");
  free(longest);
  end();
}

/* ---- files ---- */

static void test_size(void) {
  size_t length;
  struct cds_buf line;
  cds_buf_init(&line, 10000);
  if (cds_record_report(&line, report) != CDS_OK || !open_with(NULL, 0)) abort();
  recorded_text(recorded_path, &length);
  end();
  const struct cds_writer_options just = {.rotate_bytes = length + 2 * line.length};
  const struct cds_writer_options less = {.rotate_bytes = length + 2 * line.length - 1};
  if (!open_with(&just, 0)) abort();
  for (int i = 0; i < 2; i++) put(1), cds_writer_write(writer);
  ok(recorded_files() == 1 && stats().files == 1, "a file may have so many bytes");
  put(1);
  cds_writer_write(writer);
  ok(recorded_files() == 2 && stats().files == 2 && lines() == 2, "and no more: the next one is begun");
  ok(strstr(text(), "\"continues\":true"), "which says that it goes on");
  end();
  if (!open_with(&less, 0)) abort();
  for (int i = 0; i < 2; i++) put(1), cds_writer_write(writer);
  ok(recorded_files() == 2 && stats().reports == 2, "a byte less is a file more");
  end();
  const struct cds_writer_options tiny = {.rotate_bytes = 1};
  if (!open_with(&tiny, 0)) abort();
  of_pwrite = (struct system_fault){.times = 1, .reason = ENOSPC};
  put(1);
  cds_writer_write(writer);
  ok(recorded_files() == 2 && lines() == 0, "a file may be begun, and then nothing be written");
  put(1);
  cds_writer_write(writer);
  ok(recorded_files() == 2 && lines() == 2, "an empty file is not put aside");
  end();
  cds_buf_clear(&line);
}

static void test_span(void) {
  const struct cds_writer_options options = {.rotate_ms = 1000};
  wall_ms = START;
  if (!open_with(&options, 0)) abort();
  wall_ms += 999;
  put(1);
  cds_writer_write(writer);
  is_number(recorded_files(), 1, "a second's lines are one file");
  wall_ms += 1;
  put(1);
  cds_writer_write(writer);
  is_number(recorded_files(), 2, "the next one's another");
  put(1);
  cds_writer_write(writer);
  is_number(recorded_files(), 2, "once");
  ok(stats().files == 2 && recorded_count(text(), "\n") == 3, "with its head and lines");
  end();
  const struct cds_writer_options shortest = {.rotate_ms = 1};
  if (!open_with(&shortest, 0)) abort();
  wall_ms++;
  put(1);
  cds_writer_write(writer);
  is_number(recorded_files(), 2, "a span may be a millisecond");
  end();
  wall_ms = START;
}

/* ---- failures ---- */

static void test_failure(void) {
  if (!open_with(NULL, 2)) abort();
  of_pwrite = (struct system_fault){.times = 2, .reason = ENOSPC};
  put(2);
  cds_writer_write(writer);
  ok(stats().unwritten == 2 && stats().reports == 0 && lines() == 1, "what cannot be written is given up");
  put(3);
  cds_writer_write(writer);
  ok(stats().unwritten == 5, "again");
  ok(tells(CDS_LOG_ERROR, "No space left") && !cds_writer_take_event(writer), "which is told once");
  put(1);
  cds_writer_write(writer);
  ok(stats().unwritten == 5 && stats().reports == 1 && lines() == 3, "then it goes on");
  ok(tells(CDS_LOG_WARN, "can be written again") && !cds_writer_take_event(writer), "which is told, too");
  ok(recorded_count(text(), CDS_RECORDING_START) == 2 && !strstr(text(), "continues") &&
       strstr(text(), "\n" CDS_RECORDING_START) == strchr(text(), '\n'),
     "by a head of what is missing, before the lines");
  is_number(stats().bytes, strlen(text()), "bytes are those of the file");
  ok(cds_writer_flush(writer, &err) == CDS_E_FILE && strstr(err.message, "No space left"), "a flush tells what was");
  ok(cds_writer_flush(writer, &err) == CDS_OK, "once");
  of_pwrite = (struct system_fault){.times = 1, .reason = EIO};
  put(1);
  ok(cds_writer_flush(writer, NULL) == CDS_E_FILE, "to who wants to know no more, too");
  of_pwrite = (struct system_fault){.times = 1, .reason = EIO};
  put(1);
  ok(cds_writer_feeds(writer, feeds, 1), "feeds change while it fails");
  ok(cds_writer_flush(writer, NULL) == CDS_E_FILE && recorded_count(text(), "\"continues\":true") == 0,
     "which says nothing of going on");
  of_pwrite = (struct system_fault){.times = 1, .reason = EIO};
  put(1);
  cds_error_clear(&err);
  ok(cds_writer_close(writer, &err) == CDS_E_FILE && err.status == CDS_E_FILE, "a last write may fail");
  recorded_empty();
}

/* A file's end is told by its bytes, and a failed opening leaves nothing. */
static void test_opening(void) {
  if (!open_with(NULL, 1)) abort();
  ok(strstr(text(), ",\"begun\":1700000000000,\"feeds\":[\"0x000301") && lines() == 1, "a head is written at once");
  ok(cds_writer_flush(writer, &err) == CDS_OK && cds_writer_flush(writer, NULL) == CDS_OK, "nothing is to be flushed");
  cds_writer_close(writer, NULL);
  size_t length;
  recorded_text(recorded_path, &length);
  FILE *file = fopen(recorded_path, "a");
  fputs("{\"cut", file);
  fclose(file);
  if (!open_with(NULL, 1)) abort();
  ok(tells(CDS_LOG_WARN, "ended in a line that was cut: its 5 bytes are taken away") && !cds_writer_take_event(writer),
     "what was cut is told");
  ok(strlen(text()) == 2 * length && stats().bytes == length && stats().files == 1, "and a head put behind the rest");
  end();
  of_pwrite = (struct system_fault){.times = 1, .reason = EIO};
  ok(!open_with(NULL, 1) && err.status == CDS_E_FILE, "a head that cannot be written: %s", err.message);
  recorded_empty();
  for (long nth = 0; nth < 5; nth++) {
    cds_alloc_fail_one(nth);
    bool good = open_with(NULL, 1);
    bool is_over = cds_alloc_fail_one(-1) <= nth;
    ok(good == is_over && (good || (err.status == CDS_E_MEMORY && strstr(err.message, "no memory for a"))),
       "without memory it is not opened: %s", err.message);
    if (good) cds_writer_close(writer, NULL);
    recorded_empty();
  }
}

static void test_memory(void) {
  static const struct cds_feed_id many[20] = {{{1}}};
  if (!open_with(NULL, 1)) abort();
  cds_alloc_fail_after(0);
  ok(!cds_writer_feeds(writer, feeds, 2), "without memory the feeds stay");
  cds_alloc_fail_after(-1);
  cds_alloc_fail_one(0);
  put(1);
  cds_alloc_fail_one(-1);
  ok(stats().unwritten == 1 && tells(CDS_LOG_ERROR, "no memory for a line of a recording"), "or a report is given up");
  cds_error_clear(&err);
  ok(cds_writer_flush(writer, &err) == CDS_E_MEMORY && err.status == CDS_E_MEMORY, "which a flush tells");
  put(1);
  ok(cds_writer_flush(writer, &err) == CDS_OK && lines() == 3 && recorded_count(text(), "\"feeds\":[\"0x000301") == 2,
     "the next is written, behind a head");
  ok(tells(CDS_LOG_WARN, "again"), "which is told");
  end();
  /* of an event, and of a head that is longer than the last one */
  if (!open_with(NULL, 0)) abort();
  struct cds_event *event = cds_event_new(CDS_EVENT_GAP);
  cds_alloc_fail_one(0);
  cds_writer_event(writer, event);
  cds_alloc_fail_one(-1);
  cds_event_free(event);
  ok(cds_writer_flush(writer, &err) == CDS_E_MEMORY && stats().unwritten == 0, "an event may be given up, too");
  ok(cds_writer_feeds(writer, many, 20), "feeds change");
  cds_alloc_fail_after(0);
  cds_writer_write(writer);
  cds_alloc_fail_after(-1);
  ok(cds_writer_flush(writer, &err) == CDS_E_MEMORY && strstr(err.message, "no memory for the head of a recording"),
     "and their head: %s", err.message);
  put(1);
  ok(cds_writer_flush(writer, &err) == CDS_OK && lines() == 3, "which is made then");
  end();
  /* of a rotation's head */
  const struct cds_writer_options tiny = {.rotate_bytes = 1};
  if (!open_with(&tiny, 2)) abort();
  put(1);
  cds_alloc_fail_after(0);
  cds_writer_write(writer);
  cds_alloc_fail_after(-1);
  ok(recorded_files() == 1 && cds_writer_flush(writer, &err) == CDS_E_MEMORY, "without memory no file is begun");
  ok(stats().unwritten == 1, "the report is given up");
  put(1);
  ok(cds_writer_flush(writer, &err) == CDS_OK && recorded_files() == 2, "with it one is");
  ok(!strstr(text(), "continues"), "which does not go on where the other one ended");
  end();
}

static void test_feeds(void) {
  if (!open_with(NULL, 0)) abort();
  put(1);
  ok(cds_writer_feeds(writer, &feeds[1], 1) && lines() == 2, "what waits is written when feeds change");
  ok(cds_writer_due(writer) == 1, "their head waits");
  mono_ms += 1000;
  put(1);
  ok(lines() == 4 && strstr(text(), "\"continues\":true,\"feeds\":[\"0x000302"), "for the next line");
  ok(cds_writer_feeds(writer, NULL, 0) && cds_writer_flush(writer, &err) == CDS_OK &&
       strstr(text(), "\"continues\":true,\"feeds\":[]"),
     "there may be none any more");
  end();
}

int main(void) {
  recorded_begin();
  report = recorded_report(1700000000);
  test_due();
  test_pause();
  test_block();
  test_just_a_block();
  test_longest();
  test_size();
  test_span();
  test_failure();
  test_opening();
  test_memory();
  test_feeds();
  cds_report_unref(report);
  recorded_end();
  return done();
}
