/* SPDX-License-Identifier: MIT
 * Replay: what was recorded comes back; holes, cuts and faults are told; feeds, times, pace, memory. */
#include <poll.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "base/zstd.h"
#include "record/line.h"
#include "record/parse.h"
#include "record/replay.h"
#include "recorded.h"

#define SECOND 1700000000u

static struct cds_error err;
static const struct cds_writer_options plain;
static struct cds_feed_id feeds[1] = {{{0, 3}}}; /* of the reports */
static const struct cds_replay_options at_once = {.to_ms = UINT64_MAX};

/* ---- what the tests do again and again ---- */

static void record(uint64_t first, uint64_t last) {
  struct cds_writer *writer;
  if (cds_writer_open(&writer, recorded_path, feeds, 1, &plain, &err) != CDS_OK) abort();
  for (uint64_t second = first; second <= last; second++) {
    struct cds_report *report = recorded_report(second);
    cds_writer_report(writer, report);
    cds_report_unref(report);
  }
  if (cds_writer_close(writer, &err) != CDS_OK) abort();
}

static struct cds_replay *open_with(const struct cds_replay_options *options) {
  const char *path = recorded_path;
  struct cds_replay *replay = NULL;
  cds_error_clear(&err);
  return cds_replay_open(&replay, &path, 1, options, &err) == CDS_OK ? replay : NULL;
}

/* What a replay gave: times of reports, and events as letters: l lost, g gap, b backfilled, u unverified, w words. */
struct heard {
  size_t reports;
  uint64_t first, last;
  char events[64];
  size_t event_count;
  int64_t from_ms, to_ms; /* of the last range */
  char words[384];        /* of the last event */
  enum cds_status end;
};

static void hear_events(struct heard *heard, struct cds_replay *replay) {
  static const char letters[] = {[CDS_EVENT_LOG] = 'w',
                                 [CDS_EVENT_GAP] = 'g',
                                 [CDS_EVENT_BACKFILLED] = 'b',
                                 [CDS_EVENT_LOST] = 'l',
                                 [CDS_EVENT_UNVERIFIED] = 'u'};
  for (struct cds_event *event; (event = cds_replay_take_event(replay)) != NULL; cds_event_free(event)) {
    if (heard->event_count < sizeof heard->events - 1) heard->events[heard->event_count++] = letters[event->kind];
    if (event->kind != CDS_EVENT_LOG) {
      heard->from_ms = event->from_ms;
      heard->to_ms = event->has_end ? event->to_ms : -1;
    }
    snprintf(heard->words, sizeof heard->words, "%s", event->message);
  }
}

static struct heard hear(struct cds_replay *replay) {
  struct heard heard = {0};
  for (;;) {
    struct cds_report *report;
    enum cds_pop pop = cds_replay_pop(&report, replay, &err);
    hear_events(&heard, replay);
    if (pop == CDS_POP_END) break;
    if (pop != CDS_POP_REPORT) continue;
    if (heard.reports++ == 0) heard.first = report->observations_time;
    heard.last = report->observations_time;
    cds_report_unref(report);
  }
  heard.end = err.status;
  return heard;
}

static struct heard hear_file(const struct cds_replay_options *options) {
  struct cds_replay *replay = open_with(options);
  struct heard heard = {0};
  if (replay) heard = hear(replay);
  cds_replay_free(replay);
  return heard;
}

static void put_text(const char *text) {
  recorded_put(recorded_path, text, strlen(text));
}

/* ---- lines ---- */

static void is_refused(const char *text, const char *what) {
  struct cds_record_line line;
  char *exact = sample_exact(text, strlen(text));
  ok(cds_record_parse(&line, exact, strlen(text), &err) == CDS_E_DECODE && err.has_offset, "refused: %s", what);
  free(exact);
}

static void test_lines(void) {
  struct cds_record_line line;
  char text[16];
  is_refused("", "nothing");
  is_refused("{}", "an object of nothing");
  is_refused("{\"event\":5}", "an event of a number");
  is_refused("{\"event\":\"lost\",\"feed\":\"0x12\"}", "an event of no feed");
  is_refused("{\"event\":\"lost\",\"from_ms\":99999999999999999999}", "an event of no time");
  is_refused("{\"event\":\"lost\"}x", "an event and more");
  is_refused(CDS_RECORDING_START ",\"version\":2}", "a version that is not known");
  is_refused(CDS_RECORDING_START ",\"continues\":1}", "a number for true or false");
  is_refused(CDS_RECORDING_START, "a head that is cut");
  is_refused("{\"feedID\":\"0x00\"}", "a report of no feed");
  ok(cds_record_parse(&line, "{\"event\":\"new\",\"a\":[1]}", 23, &err) == CDS_OK && line.kind == CDS_RECORD_OTHER,
     "an event that is not known is passed over");
  const struct cds_slice slice = {"a\\u0022\\\\\\n\\u00e9\\u20ac\\ud800", 30};
  char all[32];
  cds_record_text(all, sizeof all, &slice);
  is_string(all, "a\"\\\né€\xef\xbf\xbd", "escapes are read");
  cds_record_text(text, 6, &slice);
  is_string(text, "a\"\\\n", "a text is cut before a character that does not fit");
}

/* ---- what comes back ---- */

static void test_round_trip(void) {
  struct cds_report *report = recorded_report(SECOND), *back = NULL;
  struct cds_stream_stats stats;
  struct cds_writer *writer;
  report->backfilled = true;
  strcpy(report->origin, "a\"b\x01");
  ok(cds_writer_open(&writer, recorded_path, feeds, 1, &plain, &err) == CDS_OK, "a recording is begun");
  cds_writer_report(writer, report);
  report->backfilled = false;
  cds_writer_report(writer, report);
  cds_writer_close(writer, NULL);
  struct cds_replay *replay = open_with(&at_once);
  ok(replay && cds_replay_feed(replay, 0) && !cds_replay_feed(replay, 1), "its feeds are known");
  ok(!cds_replay_latest(replay, &report->feed_id), "before the first report there is no latest");
  ok(cds_replay_pop(&back, replay, &err) == CDS_POP_REPORT, "the report comes back");
  ok(back->length == report->length && memcmp(back->bytes, report->bytes, report->length) == 0, "byte for byte");
  ok(back->received_at_ms == report->received_at_ms && back->backfilled && strcmp(back->origin, report->origin) == 0,
     "with what was known of it");
  cds_report_unref(back);
  ok(cds_replay_pop(&back, replay, &err) == CDS_POP_REPORT && !back->backfilled && back->latency_ms == 123,
     "and how late it was");
  struct cds_report *latest = cds_replay_latest(replay, &report->feed_id);
  ok(latest == back && !cds_replay_is_closed(replay), "it is the latest");
  cds_report_unref(latest);
  cds_report_unref(back);
  ok(cds_replay_pop(&back, replay, &err) == CDS_POP_END && err.status == CDS_E_CLOSED && cds_replay_is_closed(replay),
     "the end closes it");
  cds_replay_stats(&stats, replay);
  ok(stats.accepted == 2 && stats.total_received == 2 && stats.backfilled == 1 && stats.latency.count == 1 &&
       stats.feeds == 1 && stats.decode_errors == 0,
     "it counts");
  cds_replay_free(replay);
  cds_report_unref(report);
  recorded_empty();
}

/* ---- holes ---- */

static void test_seams(void) {
  record(SECOND, SECOND + 4);
  record(SECOND + 5, SECOND + 7);
  struct heard heard = hear_file(&at_once);
  ok(heard.reports == 8 && heard.event_count == 0, "a recorder that went on without a hole is none");
  record(SECOND + 10, SECOND + 12);
  heard = hear_file(&at_once);
  ok(heard.reports == 11 && strcmp(heard.events, "l") == 0 && heard.from_ms == (SECOND + 8) * 1000LL &&
       heard.to_ms == (SECOND + 9) * 1000LL && strstr(heard.words, "interrupted"),
     "what lies between two recorders is told as lost");
  const struct cds_replay_options from = {.from_ms = (SECOND + 10) * 1000LL, .to_ms = UINT64_MAX};
  heard = hear_file(&from);
  ok(heard.reports == 3 && heard.event_count == 0, "but not what lies before the beginning");
  recorded_empty();
  struct cds_writer *writer;
  if (cds_writer_open(&writer, recorded_path, feeds, 1, &plain, &err) != CDS_OK) abort();
  for (uint64_t second = SECOND; second <= SECOND + 9; second += 9) {
    struct cds_report *report = recorded_report(second);
    cds_writer_report(writer, report);
    cds_report_unref(report);
    ok(cds_writer_feeds(writer, feeds, 1), "feeds change");
  }
  cds_writer_close(writer, NULL);
  heard = hear_file(&at_once);
  ok(heard.reports == 2 && heard.event_count == 0, "which is no hole, nor is what the service left out");
  recorded_empty();
}

static void test_events(void) {
  struct cds_event *event = cds_event_new(CDS_EVENT_GAP);
  struct cds_writer *writer;
  event->feed_id = feeds[0];
  event->from_ms = (SECOND + 2) * 1000LL;
  if (cds_writer_open(&writer, recorded_path, feeds, 1, &plain, &err) != CDS_OK) abort();
  cds_writer_event(writer, event);
  event->kind = CDS_EVENT_LOST;
  event->to_ms = (SECOND + 3) * 1000LL + 1;
  event->has_end = true;
  strcpy(event->message, "why");
  cds_writer_event(writer, event);
  cds_event_free(event);
  cds_writer_close(writer, NULL);
  struct cds_replay *replay = open_with(&at_once);
  struct heard heard = hear(replay);
  struct cds_stream_stats stats;
  cds_replay_stats(&stats, replay);
  cds_replay_free(replay);
  ok(strcmp(heard.events, "gl") == 0 && heard.to_ms == (SECOND + 3) * 1000LL + 1 && strcmp(heard.words, "why") == 0,
     "events come back");
  ok(stats.gaps == 1 && stats.lost == 1 && stats.lost_seconds == 2, "and are counted");
  const struct cds_replay_options before = {.to_ms = (SECOND + 1) * 1000LL};
  heard = hear_file(&before);
  ok(heard.event_count == 0, "those of another time do not");
  const struct cds_feed_id other[] = {{{9}}};
  const struct cds_replay_options of_other = {.to_ms = UINT64_MAX, .feeds = other, .feed_count = 1};
  heard = hear_file(&of_other);
  ok(heard.event_count == 0, "nor those of another feed");
  recorded_empty();
}

/* Cut anywhere, what is whole comes, the cut is told; and what the next recorder leaves out is told as lost. */
static void test_each_cut(void) {
  static char whole[1 << 20];
  size_t length;
  bool good = true, told = true, named = true;
  record(SECOND, SECOND + 3);
  memcpy(whole, recorded_text(recorded_path, &length), sizeof whole);
  for (size_t cut = 0; cut <= 2048; cut++) {
    size_t left = length - cut;
    recorded_put(recorded_path, whole, left);
    size_t lines = recorded_count(recorded_text(recorded_path, &left), "\n");
    bool only_newline = left < length && whole[left] == '\n', is_cut = whole[left - 1] != '\n' && !only_newline;
    size_t expected = lines - 1 + only_newline;
    struct heard heard = hear_file(&at_once);
    good = good && heard.reports == expected && heard.end == CDS_E_CLOSED;
    told = told && strcmp(heard.events, is_cut ? "w" : "") == 0;
    record(SECOND + 4, SECOND + 5);
    heard = hear_file(&at_once);
    uint64_t missing = 4 - expected;
    named =
      named && heard.reports == expected + 2 &&
      (missing == 0 ? heard.event_count == 0
                    : heard.from_ms == (int64_t)(SECOND + expected) * 1000 && heard.to_ms == (SECOND + 3) * 1000LL);
  }
  ok(good, "reports that are whole come back, for each byte at which the last 2 KB were cut");
  ok(told, "the cut is told");
  ok(named, "and when a recorder has gone on, which reports are missing");
  recorded_empty();
}

/* The same of a compressed file, each of whose writes is a frame. */
static void test_each_cut_packed(const struct cds_packer *packer) {
  static char whole[1 << 20];
  size_t length, ends[6] = {0};
  bool good = true, told = true, named = true;
  struct cds_writer *writer;
  if (packer->absent) {
    skip(packer->suffix, "built without it");
    return;
  }
  strcat(recorded_path, packer->suffix);
  if (cds_writer_open(&writer, recorded_path, feeds, 1, &plain, &err) != CDS_OK) abort();
  recorded_text(recorded_path, &ends[0]);
  for (uint64_t i = 0; i < 4; i++) {
    struct cds_report *report = recorded_report(SECOND + i);
    cds_writer_report(writer, report);
    cds_report_unref(report);
    if (i > 0) cds_writer_write(writer); /* the first frame has two */
    recorded_text(recorded_path, &ends[i + 1]);
  }
  cds_writer_close(writer, NULL);
  memcpy(whole, recorded_text(recorded_path, &length), sizeof whole);
  ok(length == ends[4] && *whole == *packer->start && length < 4 * 1500, "a recording may be compressed, as %s",
     packer->suffix);
  for (size_t left = length; left > ends[0]; left--) {
    bool is_cut = true;
    size_t sure = 0;
    for (size_t i = 0; i <= 4; i++) {
      if (ends[i] == left) is_cut = false;
      if (ends[i] <= left && ends[i] > ends[0]) sure = i;
    }
    recorded_put(recorded_path, whole, left);
    struct heard heard = hear_file(&at_once);
    size_t came = heard.reports;
    good = good && came >= sure && came <= 4 && heard.end == CDS_E_CLOSED;
    bool lacks_nothing = came > sure && heard.event_count == 0; /* a report without its newline */
    told = told && (lacks_nothing || strcmp(heard.events, is_cut ? "w" : "") == 0);
    bool is_hole = came > 0 && came < 4; /* before the first report nothing is known to be missing */
    record(SECOND + 4, SECOND + 5);
    heard = hear_file(&at_once);
    named = named && heard.reports == came + 2 && strcmp(heard.events, is_hole ? "l" : "") == 0 &&
            (!is_hole || (heard.from_ms == (int64_t)(SECOND + came) * 1000 && heard.to_ms == (SECOND + 3) * 1000LL));
  }
  ok(good, "what is whole comes back, wherever a compressed file is cut");
  ok(told, "the cut is told");
  ok(named, "a recorder that goes on keeps all of it, and what is missing is named");
  for (size_t left = ends[0]; left-- > 0;) {
    recorded_put(recorded_path, whole, left);
    record(SECOND, SECOND + 1);
    good = good && hear_file(&at_once).reports == 2;
  }
  ok(good, "one that is cut in its head is begun anew");
  whole[ends[1] + 20] ^= 0x55;
  recorded_put(recorded_path, whole, length);
  struct heard heard = hear_file(&at_once);
  ok(heard.end == CDS_E_DECODE && strstr(err.message, "damaged"), "what is damaged ends it");
  ok(cds_writer_open(&writer, recorded_path, feeds, 1, &plain, &err) == CDS_E_DECODE, "and is not written to");
  recorded_put(recorded_path, CDS_RECORDING_START, 30);
  ok(cds_writer_open(&writer, recorded_path, feeds, 1, &plain, &err) == CDS_E_FILE, "nor is what only its name says");
  recorded_path[strlen(recorded_path) - strlen(packer->suffix)] = 0;
  recorded_empty();
}

static void test_faults(void) {
  size_t length;
  record(SECOND, SECOND + 4);
  char *text = recorded_text(recorded_path, &length), *line = strstr(strstr(text, "\n{") + 1, "\n{") + 1;
  line[40] = '!';
  recorded_put(recorded_path, text, length);
  struct heard heard = hear_file(&at_once);
  ok(heard.reports == 4 && strcmp(heard.events, "wl") == 0 && heard.from_ms == (SECOND + 1) * 1000LL &&
       heard.to_ms == heard.from_ms,
     "a line that cannot be read is told, and what is missing for it");
  line[40] = '1';
  char *digit = strstr(line, "\"fullReport\":\"0x") + 100;
  *digit = 'g';
  recorded_put(recorded_path, text, length);
  heard = hear_file(&at_once);
  ok(heard.reports == 4 && strcmp(heard.events, "wl") == 0, "so is a report that does not decode");
  recorded_empty();
  put_text("{\"fullReport\":\"0x00\"}\n");
  ok(!open_with(&at_once) && err.status == CDS_E_FILE && strstr(err.message, "no recording"), "refused: no head");
  put_text("");
  ok(!open_with(&at_once) && err.status == CDS_E_FILE, "refused: an empty file");
  recorded_empty();
  ok(!open_with(&at_once) && err.status == CDS_E_FILE && strstr(err.message, "cannot open"), "refused: no file");
}

static void test_long_line(void) {
  static char text[3 << 20];
  size_t head;
  record(SECOND, SECOND);
  memcpy(text, recorded_text(recorded_path, &head), 1 << 20);
  memset(text + head, ' ', sizeof text - head - 1);
  recorded_put(recorded_path, text, sizeof text - 1);
  struct heard heard = hear_file(&at_once);
  ok(heard.reports == 1 && heard.end == CDS_E_DECODE && strstr(err.message, "longer"), "a line without an end ends it");
  recorded_empty();
}

/* ---- files ---- */

static void test_files(void) {
  const char *folder = recorded_folder, *both[2] = {recorded_path, "/nonexistent"};
  struct cds_replay *replay = NULL;
  struct cds_writer *writer;
  const struct cds_writer_options options = {.rotate_bytes = 5000};
  if (cds_writer_open(&writer, recorded_folder, feeds, 1, &options, &err) != CDS_OK) abort();
  for (uint64_t i = 0; i < 12; i++) {
    struct cds_report *report = recorded_report(SECOND + i);
    cds_writer_report(writer, report);
    cds_writer_write(writer);
    cds_report_unref(report);
  }
  cds_writer_close(writer, NULL);
  ok(recorded_files() > 3 && cds_replay_open(&replay, &folder, 1, &at_once, &err) == CDS_OK, "a folder is read");
  struct heard heard = hear(replay);
  cds_replay_free(replay);
  ok(heard.reports == 12 && heard.first == SECOND && heard.last == SECOND + 11 && heard.event_count == 0,
     "its files in order, without a hole");
  recorded_empty();
  ok(cds_replay_open(&replay, &folder, 1, &at_once, &err) == CDS_E_FILE && strstr(err.message, "no recording"),
     "refused: a folder without any");
  record(SECOND, SECOND + 1);
  ok(cds_replay_open(&replay, both, 2, &at_once, &err) == CDS_OK, "the first of two files is opened");
  heard = hear(replay);
  ok(heard.reports == 2 && heard.end == CDS_E_FILE && !cds_replay_is_closed(replay),
     "the second one's failure is the end");
  cds_replay_free(replay);
  recorded_empty();
}

/* ---- choosing ---- */

static void test_choice(void) {
  struct cds_report *report = recorded_report(SECOND);
  const struct cds_feed_id id = report->feed_id, other = {{7}};
  cds_report_unref(report);
  record(SECOND, SECOND + 9);
  const struct cds_replay_options some = {.from_ms = (SECOND + 2) * 1000LL, .to_ms = (SECOND + 4) * 1000LL + 999};
  struct heard heard = hear_file(&some);
  ok(heard.reports == 3 && heard.first == SECOND + 2 && heard.last == SECOND + 4,
     "from one second to another, both included");
  const struct cds_replay_options of_one = {.to_ms = UINT64_MAX, .feeds = &id, .feed_count = 1};
  const struct cds_replay_options of_other = {.to_ms = UINT64_MAX, .feeds = &other, .feed_count = 1};
  ok(hear_file(&of_one).reports == 10 && hear_file(&of_other).reports == 0, "of some feeds");
  struct cds_replay *replay = open_with(&of_other);
  ok(cds_replay_subscribe(replay, &id, 1, &err) == CDS_OK && cds_replay_pop(&report, replay, &err) == CDS_POP_REPORT,
     "feeds may be added");
  cds_report_unref(report);
  ok(cds_replay_unsubscribe(replay, &id, 1, &err) == CDS_OK && hear(replay).reports == 0, "and taken out");
  ok(cds_replay_subscribe(replay, &id, 1, &err) == CDS_E_CLOSED, "until it is over");
  cds_replay_free(replay);
  recorded_empty();
}

/* ---- pace ---- */

static bool is_readable(const struct cds_replay *replay, int wait_ms) {
  struct pollfd entry = {.fd = cds_replay_fd(replay), .events = POLLIN};
  return poll(&entry, 1, wait_ms) == 1;
}

static void test_pace(void) {
  struct cds_report *report = NULL;
  const struct cds_replay_options slow = {.speed = 0.001, .to_ms = UINT64_MAX};
  const struct cds_replay_options fast = {.speed = 50, .to_ms = UINT64_MAX};
  record(SECOND, SECOND + 1);
  struct cds_replay *replay = open_with(&slow);
  ok(is_readable(replay, 0) && cds_replay_pop(&report, replay, &err) == CDS_POP_REPORT,
     "the first report comes at once");
  cds_report_unref(report);
  ok(cds_replay_pop(&report, replay, &err) == CDS_POP_EMPTY && !is_readable(replay, 0), "the next one when it is due");
  const struct cds_feed_id id = feeds[0];
  ok(cds_replay_unsubscribe(replay, &id, 1, &err) == CDS_OK, "another feed may go meanwhile");
  cds_replay_close(replay);
  ok(is_readable(replay, 0) && cds_replay_pop(&report, replay, &err) == CDS_POP_END && cds_replay_is_closed(replay),
     "a close is told");
  cds_replay_close(replay);
  cds_replay_free(replay);
  replay = open_with(&fast);
  ok(cds_replay_pop(&report, replay, &err) == CDS_POP_REPORT, "fifty times as fast");
  cds_report_unref(report);
  enum cds_pop pop;
  while ((pop = cds_replay_pop(&report, replay, &err)) == CDS_POP_EMPTY && is_readable(replay, 60000)) continue;
  ok(pop == CDS_POP_REPORT, "the descriptor tells when it is due");
  cds_report_unref(report);
  cds_replay_free(replay);
  cds_replay_free(NULL);
  recorded_empty();
}

/* ---- memory ---- */

static void test_memory(void) {
  bool good = true, ended = false;
  record(SECOND, SECOND + 3);
  for (long nth = 0; !ended && nth < 200; nth++) {
    cds_alloc_fail_one(nth);
    struct cds_replay *replay = open_with(&at_once);
    enum cds_status status = replay ? hear(replay).end : err.status;
    ended = cds_alloc_fail_one(-1) <= nth;
    good = good && (ended ? status == CDS_E_CLOSED : status == CDS_E_MEMORY || status == CDS_E_FILE);
    cds_replay_free(replay);
  }
  ok(good && ended, "without memory it is not opened, or ends");
  recorded_empty();
}

int main(void) {
  memset(feeds[0].bytes + 2, 0x11, 30);
  recorded_begin();
  test_lines();
  test_round_trip();
  test_seams();
  test_events();
  test_each_cut();
  test_each_cut_packed(&cds_gzip);
  test_each_cut_packed(&cds_zstd);
  test_faults();
  test_long_line();
  test_files();
  test_choice();
  test_pace();
  test_memory();
  recorded_end();
  return done();
}
