/* SPDX-License-Identifier: MIT
 * The recorder: a block of lines, and when it is written. */
#include "record/writer.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "record/file.h"
#include "record/line.h"

#define BLOCK_BYTES (256u * 1024)
#define BLOCK_MS 1000
#define MAX_BLOCK_BYTES (BLOCK_BYTES + 2 * CDS_MAX_REPORT_BYTES + 256u * 1024)

struct cds_writer {
  struct cds_record_file file;
  struct cds_writer_options options;
  struct cds_feed_id *feeds; /* owned */
  size_t feed_count;
  struct cds_buf head;  /* to be written before the block; empty: none */
  struct cds_buf block; /* lines that wait */
  uint64_t block_reports;
  int64_t block_since_ms; /* monotonic */
  int64_t span;           /* of rotate_ms */
  bool is_failing;        /* since the last block */
  bool has_failed;        /* since the last flush */
  struct cds_error failure;
  struct cds_event_queue events;
  struct cds_writer_stats stats;
};

static void tell(struct cds_writer *writer, enum cds_log_level level, const char *what) {
  struct cds_event *event = cds_event_log(level, "recording: %s", what);
  if (event) cds_event_push(&writer->events, event);
}

/* The head that the next lines come behind. */
static enum cds_status make_head(struct cds_writer *writer, bool continues) {
  struct cds_recording_head head = {cds_clock_wall_ms(), continues, writer->feeds, writer->feed_count};
  cds_buf_reset(&writer->head);
  return cds_record_head(&writer->head, &head);
}

static int64_t span_of(const struct cds_writer *writer, int64_t wall_ms) {
  return writer->options.rotate_ms > 0 ? wall_ms / writer->options.rotate_ms : 0;
}

/* ---- writing ---- */

static bool is_full(const struct cds_writer *writer, int64_t now_ms) {
  uint64_t limit = writer->options.rotate_bytes, size = writer->file.size;
  if (size == 0) return false;
  return (limit > 0 && size + writer->block.length > limit) || span_of(writer, now_ms) != writer->span;
}

static enum cds_status rotate(struct cds_writer *writer, struct cds_error *err) {
  int64_t now_ms = cds_clock_wall_ms();
  if (!is_full(writer, now_ms)) return CDS_OK;
  bool is_seam = writer->head.length > 0; /* a head that waits says that lines are missing, in the new file too */
  enum cds_status status = is_seam ? CDS_OK : make_head(writer, true);
  if (status == CDS_OK) status = cds_record_file_rotate(&writer->file, now_ms, err);
  else cds_error_set(err, status, "no memory for the head of a recording");
  if (status != CDS_OK) return status; /* the head is made anew, or the writer is gone */
  writer->span = span_of(writer, now_ms);
  writer->stats.files++;
  return CDS_OK;
}

static enum cds_status append(struct cds_writer *writer, struct cds_error *err) {
  enum cds_status status =
    cds_record_file_append(&writer->file, &writer->head, &writer->block, writer->options.sync, err);
  if (status != CDS_OK) return status;
  writer->stats.bytes += writer->head.length + writer->block.length;
  cds_buf_reset(&writer->head);
  cds_buf_reset(&writer->block);
  return CDS_OK;
}

/* The lines that wait are given up; who reads the recording is to know. */
static void give_up(struct cds_writer *writer, const struct cds_error *err) {
  if (!writer->is_failing) tell(writer, CDS_LOG_ERROR, err->message);
  writer->is_failing = writer->has_failed = true;
  writer->failure = *err;
  writer->stats.unwritten += writer->block_reports;
  writer->block_reports = 0;
  cds_buf_reset(&writer->block);
  cds_buf_reset(&writer->head); /* another one is made before the next block */
}

void cds_writer_write(struct cds_writer *writer) {
  struct cds_error err = {0};
  if (writer->block.length == 0) return;
  enum cds_status status = CDS_OK;
  if (writer->is_failing && writer->head.length == 0 && make_head(writer, false) != CDS_OK)
    status = cds_error_set(&err, CDS_E_MEMORY, "no memory for the head of a recording");
  if (status == CDS_OK) status = rotate(writer, &err);
  if (status == CDS_OK) status = append(writer, &err);
  if (status != CDS_OK) {
    give_up(writer, &err);
    return;
  }
  if (writer->is_failing) tell(writer, CDS_LOG_WARN, "the file can be written again");
  writer->is_failing = false;
  writer->stats.reports += writer->block_reports;
  writer->block_reports = 0;
}

static int64_t age_ms(const struct cds_writer *writer) {
  return cds_clock_mono_ms() - writer->block_since_ms;
}

/* Lines that are compressed together become smaller. */
void cds_writer_pause(struct cds_writer *writer) {
  if (!writer->file.packer || age_ms(writer) >= BLOCK_MS) cds_writer_write(writer);
}

double cds_writer_due(const struct cds_writer *writer) {
  if (writer->block.length == 0) return -1;
  int64_t left = BLOCK_MS - age_ms(writer);
  return left > 0 ? (double)left / 1000 : 0;
}

/* A line was appended, or not. */
static void finish_line(struct cds_writer *writer, enum cds_status status, bool is_report) {
  if (is_report) writer->block_reports++;
  if (status != CDS_OK) {
    struct cds_error err = {0};
    cds_error_set(&err, CDS_E_MEMORY, "no memory for a line of a recording");
    give_up(writer, &err);
  } else if (writer->block.length >= BLOCK_BYTES || age_ms(writer) >= BLOCK_MS) {
    cds_writer_write(writer);
  }
}

static void start_line(struct cds_writer *writer) {
  if (writer->block.length == 0) writer->block_since_ms = cds_clock_mono_ms();
}

void cds_writer_report(struct cds_writer *writer, const struct cds_report *report) {
  start_line(writer);
  finish_line(writer, cds_record_report(&writer->block, report), true);
}

void cds_writer_event(struct cds_writer *writer, const struct cds_event *event) {
  start_line(writer);
  finish_line(writer, cds_record_event(&writer->block, event), false);
}

enum cds_status cds_writer_flush(struct cds_writer *writer, struct cds_error *err) {
  cds_writer_write(writer);
  if (!writer->has_failed) return CDS_OK;
  writer->has_failed = false;
  if (err) *err = writer->failure;
  return writer->failure.status;
}

/* ---- beginning and end ---- */

static enum cds_status copy_feeds(struct cds_feed_id **out, const struct cds_feed_id *feeds, size_t count) {
  *out = cds_calloc(count ? count : 1, sizeof **out);
  if (!*out) return CDS_E_MEMORY;
  if (count > 0) memcpy(*out, feeds, count * sizeof *feeds);
  return CDS_OK;
}

bool cds_writer_feeds(struct cds_writer *writer, const struct cds_feed_id *feeds, size_t feed_count) {
  struct cds_feed_id *copy;
  if (copy_feeds(&copy, feeds, feed_count) != CDS_OK) return false;
  cds_writer_write(writer);
  cds_free(writer->feeds);
  writer->feeds = copy;
  writer->feed_count = feed_count;
  struct cds_recording_head head = {cds_clock_wall_ms(), !writer->is_failing, copy, feed_count};
  start_line(writer);
  finish_line(writer, cds_record_head(&writer->block, &head), false);
  return true;
}

static void clear(struct cds_writer *writer) {
  cds_record_file_close(&writer->file);
  cds_event_clear(&writer->events);
  cds_buf_clear(&writer->head);
  cds_buf_clear(&writer->block);
  cds_free(writer->feeds);
  cds_free(writer);
}

static enum cds_status start(struct cds_writer *writer, const char *path, struct cds_error *err) {
  uint64_t cut;
  enum cds_status status = cds_record_file_open(&writer->file, &cut, path, err);
  if (status != CDS_OK) return status;
  if (cut > 0) {
    struct cds_event *event = cds_event_log(
      CDS_LOG_WARN, "recording: %.200s ended in a line that was cut: its %" PRIu64 " bytes are taken away",
      writer->file.path, cut);
    if (event) cds_event_push(&writer->events, event);
  }
  int64_t since_ms = writer->file.modified_ms ? writer->file.modified_ms : cds_clock_wall_ms();
  writer->span = span_of(writer, since_ms);
  writer->stats.files = 1;
  if (make_head(writer, false) != CDS_OK) return cds_error_set(err, CDS_E_MEMORY, "no memory for a recording's head");
  status = rotate(writer, err);
  return status == CDS_OK ? append(writer, err) : status;
}

enum cds_status cds_writer_open(struct cds_writer **out, const char *path, const struct cds_feed_id *feeds,
                                size_t feed_count, const struct cds_writer_options *options, struct cds_error *err) {
  *out = NULL;
  struct cds_writer *writer = cds_calloc(1, sizeof *writer);
  if (!writer || copy_feeds(&writer->feeds, feeds, feed_count) != CDS_OK) {
    cds_free(writer);
    return cds_error_set(err, CDS_E_MEMORY, "no memory for a recording");
  }
  writer->options = *options;
  writer->feed_count = feed_count;
  cds_buf_init(&writer->head, MAX_BLOCK_BYTES);
  cds_buf_init(&writer->block, MAX_BLOCK_BYTES);
  enum cds_status status = start(writer, path, err);
  if (status != CDS_OK) {
    clear(writer);
    return status;
  }
  *out = writer;
  return CDS_OK;
}

enum cds_status cds_writer_close(struct cds_writer *writer, struct cds_error *err) {
  if (!writer) return CDS_OK;
  enum cds_status status = cds_writer_flush(writer, err);
  clear(writer);
  return status;
}

struct cds_event *cds_writer_take_event(struct cds_writer *writer) {
  return cds_event_pop(&writer->events);
}

void cds_writer_stats(struct cds_writer_stats *out, const struct cds_writer *writer) {
  *out = writer->stats;
}
