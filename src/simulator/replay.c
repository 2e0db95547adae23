/* SPDX-License-Identifier: MIT
 * Reads just enough of a recorded report to file it: its blob's feed id and timestamps, at their fixed words. */
#include "simulator/replay.h"

#include "base/alloc.h"
#include "base/lines.h"
#include "codec/hex.h"

#include <stdlib.h>
#include <string.h>

#define WORD 32
#define MAX_RECORDS 1000000
#define MAX_FEEDS 1000
#define MAX_LINE (4u << 20)
#define MAX_TIME (UINT64_MAX / 10000) /* a wrong time is not to overflow */

static uint64_t tail(const uint8_t *word) {
  uint64_t value = 0;
  for (size_t i = 24; i < WORD; i++) value = value << 8 | word[i];
  return value;
}

bool cds_sim_replay_is_legacy(const struct cds_sim_record *record) {
  return (record->id[0] & 0xf) == 0 && record->id[1] == 1;
}

bool cds_sim_replay_in_ms(const struct cds_sim_record *record) {
  return record->id[0] >> 4 == 1;
}

/* Takes the feed id and the timestamps out of the blob. */
static const char *read_blob(struct cds_sim_record *record) {
  if (record->length < 7 * WORD) return "is shorter than a report's head";
  uint64_t offset = tail(record->full + 3 * WORD);
  if (offset > record->length - WORD) return "has its blob outside";
  const uint8_t *blob = record->full + offset + WORD;
  uint64_t length = tail(blob - WORD);
  if (length > record->length - offset - WORD || length < 3 * WORD) return "has a blob that is cut short";
  memcpy(record->id, blob, WORD);
  record->blob = blob;
  record->blob_length = length;
  record->observed = tail(blob + (cds_sim_replay_is_legacy(record) ? 1 : 2) * WORD);
  record->valid_from = tail(blob + WORD);
  return NULL;
}

/* Reads hex digits up to `end`, a letter that is none. */
static const char *read_hex(struct cds_sim_record *record, const char *digits, const char *end) {
  size_t count = (size_t)(end - digits);
  record->length = count / 2;
  record->full = cds_malloc(record->length + 1);
  if (!record->full) return "does not fit into memory";
  if (count % 2 || cds_hex_decode(record->full, digits, count) != count) return "has a full report that is not hex";
  return read_blob(record);
}

/* Where the value of the next member begins that holds a full report, NULL when there is none. */
static const char *next_member(const char *at) {
  static const char *const names[] = {"\"fullReport\"", "\"full_report\""};
  while ((at = strstr(at, "\"full")) != NULL) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      if (strncmp(at, names[i], strlen(names[i])) == 0) return at + strlen(names[i]);
    at++;
  }
  return NULL;
}

/* Reads the value at *at, `: "0x…"`, and moves *at behind it. */
static const char *read_value(struct cds_sim_record *record, const char **at) {
  const char *value = *at + strspn(*at, " \t");
  if (*value++ != ':') return "is not a JSON object";
  value += strspn(value, " \t");
  if (strncmp(value, "\"0x", 3) != 0) return "has a full report that does not start with 0x";
  const char *end = strchr(value += 3, '"');
  if (!end) return "has a full report without an end";
  *at = end;
  return read_hex(record, value, end);
}

/* When a report was received, by what stands behind it in a recording's line. */
static uint64_t read_arrival(const char *rest) {
  static const char name[] = "\"received_at\":";
  const char *at = strstr(rest, name);
  if (!at) return 0;
  char *end;
  unsigned long long value = strtoull(at + sizeof name - 1, &end, 10);
  return (*end == ',' || *end == '}') && value < MAX_TIME ? value : 0;
}

/* A line of JSON that goes on for several, and has no full report itself. */
static bool is_between(const char *line) {
  if (*line == '{' || *line == '[') return !line[strcspn(line, "}]")];
  return *line == '}' || *line == ']' || *line == '"';
}

static bool add_record(struct cds_sim_replay *replay, size_t *room) {
  if (replay->record_count == *room) {
    size_t more = *room ? *room * 2 : 64;
    struct cds_sim_record *records = cds_realloc(replay->records, more * sizeof *records);
    if (!records || more > MAX_RECORDS * 2) return false;
    replay->records = records;
    *room = more;
  }
  replay->records[replay->record_count++] = (struct cds_sim_record){0};
  return true;
}

static const char *take(struct cds_sim_replay *replay, size_t *room) {
  return replay->record_count < MAX_RECORDS && add_record(replay, room) ? NULL : "does not fit into memory";
}

/* A recording's head, or an event of it. */
static bool is_beside(const char *line) {
  return strncmp(line, "{\"format\":", 10) == 0 || strncmp(line, "{\"event\":", 9) == 0;
}

/* A line of hex, or of JSON with any number of full reports in it. */
static const char *read_line(struct cds_sim_replay *replay, size_t *room, const char *line) {
  const char *fault = NULL, *at = line + strspn(line, " \t\r\n");
  if (!*at || is_beside(at)) return NULL;
  if (strchr("{[]}\"", *at)) {
    if (!next_member(at) && !is_between(at)) return "has no member fullReport or full_report";
    while (!fault && (at = next_member(at)) != NULL) {
      fault = take(replay, room);
      if (fault) break;
      struct cds_sim_record *record = &replay->records[replay->record_count - 1];
      fault = read_value(record, &at);
      if (!fault) record->received_ms = read_arrival(at);
    }
    return fault;
  }
  if (strncmp(at, "0x", 2) == 0) at += 2;
  fault = take(replay, room);
  return fault ? fault : read_hex(&replay->records[replay->record_count - 1], at, at + strcspn(at, " \t\r\n"));
}

/* text: as cds_lines_next has it; *line is room for it with a final 0. */
static const char *take_line(struct cds_sim_replay *replay, size_t *room, struct cds_buf *line, const char *text,
                             size_t length) {
  if (length == 0) return NULL;
  cds_buf_reset(line);
  if (cds_buf_append(line, text, length) != CDS_OK) return "does not fit into memory";
  return read_line(replay, room, line->data);
}

/* Does a compressed file end within a frame? A plain one may lack its last newline. */
static bool is_cut(const struct cds_lines *lines) {
  return lines->input.packer && lines->input.offset != lines->input.whole;
}

static enum cds_status read_lines(struct cds_sim_replay *replay, struct cds_lines *lines, struct cds_error *err) {
  struct cds_buf line;
  size_t room = 0, length;
  const char *fault = NULL, *text;
  enum cds_next_line next = CDS_NEXT_LINE;
  cds_buf_init(&line, 2 * MAX_LINE);
  while (!fault && (next = cds_lines_next(&text, &length, lines, err)) < CDS_NEXT_END)
    fault = next == CDS_NEXT_CUT && is_cut(lines) ? "is cut" : take_line(replay, &room, &line, text, length);
  cds_buf_clear(&line);
  const char *path = cds_lines_path(lines);
  if (fault)
    return cds_error_set(err, CDS_E_CONFIG, "%.200s: line %llu %s", path, (unsigned long long)lines->number, fault);
  if (next == CDS_NEXT_FAILED) return err->status;
  if (replay->record_count > 0) return CDS_OK;
  return cds_error_set(err, CDS_E_CONFIG, "%.200s: there are no reports in it", path);
}

static const struct cds_sim_replay *sorting; /* qsort has no context; set for the duration of one call */

static int by_time(const void *a, const void *b) {
  size_t x = *(const size_t *)a, y = *(const size_t *)b;
  uint64_t first = sorting->records[x].observed, second = sorting->records[y].observed;
  return first != second ? (first < second ? -1 : 1) : (x > y) - (x < y);
}

static struct cds_sim_replay_feed *feed_of(struct cds_sim_replay *replay, const uint8_t id[32]) {
  for (size_t i = 0; i < replay->feed_count; i++)
    if (memcmp(replay->records[replay->feeds[i].by_file[0]].id, id, 32) == 0) return &replay->feeds[i];
  return replay->feed_count < MAX_FEEDS ? &replay->feeds[replay->feed_count] : NULL;
}

static bool file_record(struct cds_sim_replay *replay, size_t index) {
  struct cds_sim_replay_feed *feed = feed_of(replay, replay->records[index].id);
  if (!feed) return false;
  if ((feed->count & (feed->count - 1)) == 0) { /* grow at every power of two */
    size_t *grown = cds_realloc(feed->by_file, (feed->count ? feed->count * 2 : 1) * sizeof *grown);
    if (!grown) return false;
    feed->by_file = grown;
  }
  if (feed->count == 0) replay->feed_count++;
  feed->by_file[feed->count++] = index;
  return true;
}

static enum cds_status file_records(struct cds_sim_replay *replay, struct cds_error *err) {
  replay->feeds = cds_calloc(MAX_FEEDS, sizeof *replay->feeds);
  bool good = replay->feeds != NULL;
  for (size_t i = 0; good && i < replay->record_count; i++) {
    good = file_record(replay, i);
    if (replay->records[i].length > replay->longest) replay->longest = replay->records[i].length;
  }
  sorting = replay;
  for (size_t i = 0; good && i < replay->feed_count; i++) {
    struct cds_sim_replay_feed *feed = &replay->feeds[i];
    feed->by_time = cds_calloc(feed->count, sizeof *feed->by_time);
    good = feed->by_time != NULL;
    if (!good) break;
    memcpy(feed->by_time, feed->by_file, feed->count * sizeof *feed->by_time);
    qsort(feed->by_time, feed->count, sizeof *feed->by_time, by_time);
  }
  return good ? CDS_OK : cds_error_set(err, CDS_E_MEMORY, "the recorded reports do not fit into memory");
}

enum cds_status cds_sim_replay_load(struct cds_sim_replay *out, const char *const *paths, size_t count,
                                    struct cds_error *err) {
  struct cds_lines lines;
  memset(out, 0, sizeof *out);
  enum cds_status status = cds_lines_open(&lines, paths, count, MAX_LINE, err);
  if (status != CDS_OK) return status;
  status = read_lines(out, &lines, err);
  cds_lines_close(&lines);
  if (status == CDS_OK) status = file_records(out, err);
  if (status != CDS_OK) cds_sim_replay_clear(out);
  return status;
}

void cds_sim_replay_clear(struct cds_sim_replay *replay) {
  for (size_t i = 0; i < replay->record_count; i++) cds_free(replay->records[i].full);
  for (size_t i = 0; i < replay->feed_count; i++) {
    cds_free(replay->feeds[i].by_time);
    cds_free(replay->feeds[i].by_file);
  }
  cds_free(replay->records);
  cds_free(replay->feeds);
  *replay = (struct cds_sim_replay){0};
}

const struct cds_sim_record *cds_sim_replay_get(const struct cds_sim_replay *replay, size_t feed, uint64_t number) {
  return &replay->records[replay->feeds[feed].by_time[number]];
}

uint32_t cds_sim_replay_second(const struct cds_sim_record *record) {
  return (uint32_t)(cds_sim_replay_in_ms(record) ? record->observed / 1000 : record->observed);
}

int64_t cds_sim_replay_ms(const struct cds_sim_record *record) {
  uint64_t time = record->observed < MAX_TIME ? record->observed : MAX_TIME;
  return (int64_t)(cds_sim_replay_in_ms(record) ? time : time * 1000);
}

uint64_t cds_sim_replay_seek(const struct cds_sim_replay *replay, size_t feed, uint32_t second) {
  uint64_t low = 0, high = replay->feeds[feed].count;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (cds_sim_replay_second(cds_sim_replay_get(replay, feed, middle)) < second) low = middle + 1;
    else high = middle;
  }
  return low;
}
