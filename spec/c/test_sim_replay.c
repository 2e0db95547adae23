/* SPDX-License-Identifier: MIT
 * Recordings: what is read, how it is ordered, what is refused. */
#define _GNU_SOURCE
#include "simulator/replay.h"

#include "base/gzip.h"
#include "base/packing.h"
#include "simulator/again.h"
#include "simulator/timeline.h"

#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static struct cds_error err;

static enum cds_status load(struct cds_sim_replay *replay, const char *path) {
  return cds_sim_replay_load(replay, &path, 1, &err);
}

/* A file of this text; the caller unlinks path. */
static void write_file(char path[64], const char *text) {
  snprintf(path, 64, "/tmp/test_sim_replay.XXXXXX");
  int fd = mkstemp(path);
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (!file) abort();
  fputs(text, file);
  fclose(file);
}

static void put_word(char **at, unsigned long value) {
  *at += sprintf(*at, "%064lx", value);
}

/* One line: a report of v3 feed `feed` observed at `second`, as far as the loader looks at it. */
static void add_line(char *out, unsigned feed, unsigned long second) {
  char *at = out + strlen(out);
  at += sprintf(at, "{\"feedID\": \"x\", \"fullReport\" : \"0x");
  for (int i = 0; i < 3; i++) put_word(&at, 0);
  put_word(&at, 224);
  for (int i = 0; i < 3; i++) put_word(&at, 0);
  put_word(&at, 96);
  at += sprintf(at, "0003%060x", feed);
  put_word(&at, second - 1);
  put_word(&at, second);
  sprintf(at, "\", \"other\": 1}\n");
}

static void order(void) {
  static char text[16384];
  char path[64];
  struct cds_sim_replay replay;
  add_line(text, 1, 300);
  add_line(text, 2, 50);
  strcat(text, "\n");
  add_line(text, 1, 100);
  add_line(text, 1, 200);
  write_file(path, text);
  if (!ok(load(&replay, path) == CDS_OK, "a recording is read")) printf("# %s\n", err.message);
  unlink(path);
  is_number(replay.record_count, 4, "four reports");
  is_number(replay.feed_count, 2, "of two feeds");
  is_number(replay.feeds[0].count, 3, "three of the first");
  is_number(cds_sim_replay_get(&replay, 0, 0)->observed, 100, "by time, oldest first");
  is_number(cds_sim_replay_get(&replay, 0, 2)->observed, 300, "newest last");
  is_number(cds_sim_replay_get(&replay, 0, 2)->valid_from, 299, "with its valid-from time");
  is_number(replay.records[replay.feeds[0].by_file[0]].observed, 300, "by file, as it came");
  is_number(cds_sim_replay_seek(&replay, 0, 150), 1, "the first at or after a second");
  is_number(cds_sim_replay_seek(&replay, 0, 200), 1, "that second itself counts");
  is_number(cds_sim_replay_seek(&replay, 0, 301), 3, "none after the last");
  cds_sim_replay_clear(&replay);
}

/* The digits of a line that add_line wrote. */
static void copy_digits(char *out, const char *line) {
  const char *digits = strstr(line, "0x");
  size_t length = strcspn(digits, "\"");
  memcpy(out, digits, length);
  out[length] = 0;
}

static void forms(void) {
  static char line[4096], hex[2048], text[16384];
  char path[64];
  struct cds_sim_replay replay;
  for (unsigned second = 1; second <= 6; second++) {
    static const char *const forms[] = {"%s\n",
                                        "  %s  \r\n",
                                        "{\"version\":3,\"full_report\":\"%s\"}\n",
                                        "{\n  \"report\": {\n    \"fullReport\": \"%s\"\n  }\n}\n",
                                        "{\"reports\":[{\"fullReport\":\"%s\"},",
                                        "{\"fullReport\":\"%s\"}]}\n"};
    *line = 0;
    add_line(line, 1, second);
    copy_digits(hex, line);
    if (second == 1) memmove(hex, hex + 2, strlen(hex) - 1);
    snprintf(text + strlen(text), sizeof text - strlen(text), forms[second - 1], hex);
  }
  write_file(path, text);
  if (!ok(load(&replay, path) == CDS_OK, "every form is read")) printf("# %s\n", err.message);
  unlink(path);
  is_number(replay.record_count, 6, "with all their reports");
  for (size_t i = 0; i < replay.record_count; i++)
    is_number(replay.records[i].observed, i + 1, "one of them, in its place");
  cds_sim_replay_clear(&replay);
}

static void refused(const char *text, const char *reason) {
  char path[64];
  struct cds_sim_replay replay;
  write_file(path, text);
  is_number(load(&replay, path), CDS_E_CONFIG, reason);
  unlink(path);
  ok(strstr(err.message, reason) != NULL, "says so: %s", err.message);
}

/* ---- several files, compressed ones, when their reports come ---- */

/* Of a recording: with the time of its arrival. */
static void add_received(char *out, unsigned feed, unsigned long second, unsigned long received_ms) {
  add_line(out, feed, second);
  char *end = strstr(out + strlen(out) - 20, ", \"other\"");
  sprintf(end, ",\"received_at\":%lu}\n", received_ms);
}

static void write_packed(char path[64], const char *text) {
  const struct cds_buf nothing = {0}, all = {.data = (char *)(uintptr_t)text, .length = strlen(text)};
  struct cds_buf packed;
  cds_buf_init(&packed, 1 << 20);
  if (cds_pack(&packed, &cds_gzip, &nothing, &all, &err) != CDS_OK) abort();
  write_file(path, "");
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(packed.data, 1, packed.length, file) != packed.length || fclose(file) != 0) abort();
  cds_buf_clear(&packed);
}

static void several(void) {
  static char first[8192], second[8192];
  char paths[2][64];
  const char *both[] = {paths[0], paths[1]};
  struct cds_sim_replay replay;
  if (cds_gzip.absent) {
    skip("compressed recordings", "built without zlib");
    return;
  }
  add_received(first, 1, 100, 100900);
  add_received(first, 1, 103, 103900);
  add_received(second, 2, 101, 101100);
  write_file(paths[0], first);
  write_packed(paths[1], second);
  ok(cds_sim_replay_load(&replay, both, 2, &err) == CDS_OK && replay.record_count == 3 && replay.feed_count == 2,
     "several files are read, compressed ones too");
  is_number(replay.records[2].received_ms, 101100, "with the times that their reports came");
  struct cds_sim_timeline timeline;
  ok(cds_sim_timeline_init(&timeline, &replay, 2, false, 5000, &err) == CDS_OK, "which they are served by");
  is_number(cds_sim_timeline_end(&timeline, 4999), 0, "nothing before the service starts");
  is_number(cds_sim_timeline_end(&timeline, 5000), 1, "the first one then");
  is_number(cds_sim_timeline_due(&timeline, 1), 5100, "the second after its time, at double speed");
  ok(cds_sim_timeline_end(&timeline, 5099) == 1 && cds_sim_timeline_end(&timeline, 5100) == 2, "not earlier");
  ok(cds_sim_timeline_at(&timeline, 1)->feed == 1 && cds_sim_timeline_at(&timeline, 2)->number == 1,
     "in order of time over all feeds");
  ok(cds_sim_timeline_end(&timeline, 1000000) == 3 && cds_sim_timeline_due(&timeline, 3) > 1000000000000,
     "and nothing after the last");
  cds_sim_timeline_clear(&timeline);
  ok(cds_sim_timeline_init(&timeline, &replay, 1, true, 5000, &err) == CDS_OK, "or again and again");
  is_number(timeline.period_ms, 4000, "in passes of whole seconds, longer than a feed's times reach");
  is_number(cds_sim_timeline_end(&timeline, 5000 + 8000), 7, "in the third pass");
  is_number(cds_sim_timeline_due(&timeline, 7), 5000 + 8200, "with what comes next");
  is_number(cds_sim_timeline_clock(&timeline, 5000 + 8000), 100900 + 8000, "by a clock that goes on");
  cds_sim_timeline_clear(&timeline);
  ok(!cds_sim_again_is_possible(&replay.records[0]), "a blob that is too short is none of its schema");
  cds_sim_replay_clear(&replay);
  unlink(paths[0]);
  if (truncate(paths[1], 20) != 0) abort();
  ok(load(&replay, paths[1]) == CDS_E_CONFIG && strstr(err.message, "is cut"), "a cut one is refused: %s", err.message);
  unlink(paths[1]);
}

int main(void) {
  order();
  forms();
  several();
  refused("", "there are no reports");
  refused("{}\n", "line 1 has no member fullReport");
  refused("\n{\"fullReport\" 1}\n", "line 2 is not a JSON object");
  refused("{\"fullReport\":\"12\"}\n", "line 1 has a full report that does not start with 0x");
  refused("{\"report\":{\"full_report\":\"0x1g\"}}\n", "line 1 has a full report that is not hex");
  refused("[\n{\"full_reports\":[]}\n]\n", "line 2 has no member fullReport or full_report");
  refused("0x12\n", "line 1 is shorter than a report's head");
  refused("hello\n", "line 1 has a full report that is not hex");
  refused("{\"fullReport\":\"0x12}\n", "without an end");
  refused("{\"fullReport\":\"0x1g\"}\n", "is not hex");
  refused("{\"fullReport\":\"0x123\"}\n", "is not hex");
  refused("{\"fullReport\":\"0x12\"}\n", "shorter than a report's head");
  static char outside[16384];
  add_line(outside, 1, 1);
  memset(strstr(outside, "fullReport") + 16 + 3 * 64, 'f', 64);
  refused(outside, "blob outside");
  struct cds_sim_replay replay;
  is_number(load(&replay, "/nonexistent/file"), CDS_E_FILE, "a file that is not there");
  return done();
}
