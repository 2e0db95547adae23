/* SPDX-License-Identifier: MIT
 * A recording read forward, line by line: which reports come, what is told of those that do not, to the number and the
 * word; and each allocation that may fail. */
#include "record/track.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "blocks.h"
#include "record/line.h"
#include "recorded.h"

#define SECOND 1700000000u
#define MS (SECOND * 1000ull)
#define FEED "\"feed\":\"0x0003111111111111111111111111111111111111111111111111111111111111\""
#define HEAD CDS_RECORDING_START ",\"version\":1}\n"

static struct cds_error err;
static struct cds_buf text; /* of the recording */
static struct cds_track track;
static const struct cds_replay_options all = {.to_ms = UINT64_MAX};
static struct cds_feed_id feed = {{0, 3}};

static void put(const char *line) {
  if (cds_buf_append(&text, line, strlen(line)) != CDS_OK) abort();
}

static const char *origin = ""; /* of the next reports */

/* valid_from 0: the report's own second */
static void put_report(uint64_t valid_from, uint64_t second, int64_t received_ms) {
  uint8_t blob[SAMPLE_MAX];
  struct sample sample;
  struct cds_report *report;
  size_t length = sample_blob(blob, cds_schema_find(3));
  memset(blob + 2, 0x11, 30);
  sample_put(blob + 32, valid_from ? valid_from : second);
  sample_put(blob + 64, second);
  sample_report(&sample, blob, length, 2);
  if (cds_report_from_bytes(&report, sample.bytes, sample.length, &err) != CDS_OK) abort();
  report->received_at_ms = received_ms;
  strcpy(report->origin, origin);
  if (cds_record_report(&text, report) != CDS_OK) abort();
  cds_report_unref(report);
}

/* Opens what was put, and begins another text. */
static enum cds_status open_with(const struct cds_replay_options *options) {
  const char *path = recorded_path;
  recorded_put(recorded_path, text.data ? text.data : "", text.length);
  cds_buf_reset(&text);
  cds_error_clear(&err);
  enum cds_status status = cds_track_open(&track, &path, 1, options, &err);
  if (status != err.status) abort();
  return status;
}

static struct cds_report *next_report(void) {
  struct cds_report *report = NULL;
  cds_error_clear(&err);
  return cds_track_step(&report, &track, &err) == CDS_TRACK_REPORT ? report : NULL;
}

static void is_report(uint64_t second, const char *what) {
  struct cds_report *report = next_report();
  ok(report && report->observations_time == second, "a report: %s", what);
  if (report) cds_report_unref(report);
}

static void is_nothing(const char *what) {
  struct cds_report *report = NULL;
  cds_error_clear(&err);
  is_number(cds_track_step(&report, &track, &err), CDS_TRACK_NOTHING, what);
}

static void is_end(enum cds_status status, const char *words) {
  struct cds_report *report = NULL;
  cds_error_clear(&err);
  ok(cds_track_step(&report, &track, &err) == CDS_TRACK_END && err.status == status && strstr(err.message, words),
     "the end: %s", err.message);
}

static struct cds_event *next_event(void) {
  return cds_event_pop(&track.events);
}

static void is_loss(int64_t from_ms, int64_t to_ms, const char *words) {
  struct cds_event *event = next_event();
  ok(event && event->kind == CDS_EVENT_LOST && event->level == CDS_LOG_ERROR && event->has_end &&
       event->from_ms == from_ms && event->to_ms == to_ms && event->from == from_ms / 1000 &&
       event->to == to_ms / 1000 && strstr(event->message, words) && memcmp(&event->feed_id, &feed, sizeof feed) == 0,
     "a loss of %lld to %lld", (long long)from_ms, (long long)to_ms);
  cds_event_free(event);
}

static void is_complaint(const char *words) {
  struct cds_event *event = next_event();
  char place[256];
  snprintf(place, sizeof place, "recording %s, line %d: ", recorded_path, (int)track.lines.number);
  ok(event && event->kind == CDS_EVENT_LOG && event->level == CDS_LOG_WARN && strstr(event->message, place) &&
       strstr(event->message, words),
     "a complaint: %s", event ? event->message : "none");
  cds_event_free(event);
}

static void end(void) {
  if (next_event()) abort();
  cds_track_clear(&track);
}

/* ---- opening ---- */

static void is_not_open(const char *line, enum cds_status status, const char *words) {
  put(line);
  ok(open_with(&all) == status && strstr(err.message, words), "refused: %s", err.message);
  cds_track_clear(&track);
  ok(fcntl(STDIN_FILENO, F_GETFD) >= 0, "nothing else is closed");
}

static void test_opening(void) {
  is_not_open("", CDS_E_FILE, "is no recording, or one of a format that is not known here");
  is_not_open("\n", CDS_E_FILE, "/r.jsonl is no recording");
  is_not_open("{\"event\":\"lost\"}\n", CDS_E_FILE, "is no recording");
  is_not_open(CDS_RECORDING_START ",\"version\":2}\n", CDS_E_FILE, "is no recording");
  const char *path = "/nonexistent";
  ok(cds_track_open(&track, &path, 1, &all, &err) == CDS_E_FILE && strstr(err.message, "cannot open /nonexistent"),
     "refused: %s", err.message);
  cds_track_clear(&track);
  put(CDS_RECORDING_START ",\"version\":1}");
  ok(open_with(&all) == CDS_OK, "a head without its newline is one");
  is_end(CDS_E_CLOSED, "the recording is over");
  is_end(CDS_E_CLOSED, "the recording is over");
  end();
}

static void test_heads(void) {
  put(CDS_RECORDING_START ",\"version\":1,\"feeds\":[\"0x"
                          "0003111111111111111111111111111111111111111111111111111111111111"
                          "\",\"0x0003000000000000000000000000000000000000000000000000000000000000\"]}\n");
  put(CDS_RECORDING_START ",\"version\":1,\"continues\":true,\"feeds\":[\"0x"
                          "0003000000000000000000000000000000000000000000000000000000000009\"]}\n");
  put(HEAD);
  if (open_with(&all) != CDS_OK) abort();
  ok(cds_known_wanted(&track.known) == 2 && track.seams == 1, "a head's feeds are known");
  is_nothing("a head comes");
  ok(cds_known_wanted(&track.known) == 3 && track.seams == 1, "so are another one's, which goes on");
  is_nothing("a head comes");
  ok(cds_known_wanted(&track.known) == 3 && track.seams == 2, "or does not");
  end();
}

/* ---- reports ---- */

static void test_reports(void) {
  put(HEAD);
  put_report(0, SECOND, 0);
  origin = "a\"b";
  put_report(0, SECOND + 1, (int64_t)MS + 1500);
  origin = "";
  put_report(0, SECOND + 1, (int64_t)MS + 1600);
  if (open_with(&all) != CDS_OK) abort();
  struct cds_report *report = next_report();
  ok(report && report->received_at_ms == 0 && !report->backfilled && !report->origin[0],
     "a report of which little is known");
  cds_report_unref(report);
  report = next_report();
  ok(report && report->received_at_ms == (int64_t)MS + 1500 && report->latency_ms == 500 &&
       strcmp(report->origin, "a\"b") == 0,
     "one that was 500 ms late, and from where");
  cds_report_unref(report);
  is_report(SECOND + 1, "again");
  ok(track.counts.total_received == 3 && track.counts.decode_errors == 0 && track.counts.unverified == 0 &&
       cds_known_wanted(&track.known) == 1,
     "all are counted");
  struct cds_known_feed *known = cds_known_find(&track.known, &feed);
  ok(known && known->has_newest && known->newest == SECOND + 1 && known->seams == track.seams,
     "how far it is is known");
  is_end(CDS_E_CLOSED, "over");
  end();
}

/* From `from` to `to`, both included; feeds that are wanted. */
static void test_choice(void) {
  const struct cds_replay_options some = {.from_ms = MS + 1000, .to_ms = MS + 2000};
  put(HEAD);
  for (unsigned i = 0; i < 4; i++) put_report(0, SECOND + i, 0);
  if (open_with(&some) != CDS_OK) abort();
  is_nothing("a report before");
  is_report(SECOND + 1, "the first");
  is_report(SECOND + 2, "the last");
  is_nothing("a report behind");
  is_number(track.counts.total_received, 2, "two are counted");
  end();
  const struct cds_replay_options less = {.from_ms = MS + 1001, .to_ms = MS + 1999};
  put(HEAD);
  for (unsigned i = 1; i < 3; i++) put_report(0, SECOND + i, 0);
  if (open_with(&less) != CDS_OK) abort();
  is_nothing("one too early");
  is_nothing("one too late");
  end();
  const struct cds_feed_id other = {{9}};
  const struct cds_replay_options of_other = {.to_ms = UINT64_MAX, .feeds = &other, .feed_count = 1};
  put(HEAD);
  put_report(0, SECOND, 0);
  put("{\"event\":\"lost\"," FEED ",\"from_ms\":1}\n");
  if (open_with(&of_other) != CDS_OK) abort();
  is_nothing("a feed that is not wanted");
  is_nothing("nor what happened to it");
  is_number(track.counts.total_received, 0, "nothing is counted");
  end();
}

/* The same for a feed of milliseconds, by the times of the envelope, of which some may not be told. */
static void test_choice_by_ms(void) {
  char line[8192];
  static const struct {
    const char *time;
    bool is_in;
  } times[] = {{",\"observationsTimestamp\":1700000000,\"observationsTimestampMs\":1700000000099", false},
               {",\"observationsTimestampMs\":1700000000100", true},
               {",\"observationsTimestampMs\":1700000000200", true},
               {",\"observationsTimestampMs\":1700000000201", false},
               {"", true}};
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    const struct cds_replay_options some = {.from_ms = MS + 100, .to_ms = MS + 200};
    snprintf(line, sizeof line,
             "{\"feedID\":\"0x0003111111111111111111111111111111111111111111111111111111111111\","
             "\"fullReport\":\"0x00\"%s}\n",
             times[i].time);
    put(HEAD);
    put(line);
    if (open_with(&some) != CDS_OK) abort();
    is_nothing("a report that does not decode");
    is_number(track.counts.decode_errors, times[i].is_in, "matters where it is in time");
    if (times[i].is_in) is_complaint("report");
    end();
  }
}

/* ---- seams ---- */

static void test_seams(void) {
  put(HEAD);
  put_report(0, SECOND, 0);
  put_report(0, SECOND + 5, 0); /* what the service left out is no hole */
  put(HEAD);
  put_report(0, SECOND + 6, 0);
  put(HEAD);
  put_report(SECOND + 8, SECOND + 9, 0);
  put_report(0, SECOND + 15, 0);
  put(HEAD);
  put_report(SECOND + 16, SECOND + 18, 0);
  put(HEAD);
  put_report(SECOND + 10, SECOND + 12, 0); /* an older one */
  put_report(0, SECOND + 22, 0);
  put(HEAD);
  put_report(0, SECOND + 25, 0);
  if (open_with(&all) != CDS_OK) abort();
  is_report(SECOND, "the first");
  is_report(SECOND + 5, "later");
  is_nothing("a seam");
  is_report(SECOND + 6, "right behind it");
  is_nothing("a seam");
  is_report(SECOND + 9, "a second later");
  is_loss((int64_t)MS + 7000, (int64_t)MS + 7000, "the recording was interrupted");
  is_report(SECOND + 15, "later, and no seam");
  is_nothing("a seam");
  is_report(SECOND + 18, "that is valid from where the last one ended");
  is_nothing("a seam");
  is_report(SECOND + 12, "an older one");
  is_report(SECOND + 22, "behind which there is no seam");
  is_nothing("a seam");
  is_report(SECOND + 25, "later");
  is_loss((int64_t)MS + 23000, (int64_t)MS + 24000, "interrupted");
  ok(track.counts.lost == 2 && track.lost_ms == 1000 && track.counts.gaps == 0, "losses are counted");
  end();
}

/* ---- events ---- */

static void is_event(enum cds_event_kind kind, enum cds_log_level level, int64_t from_ms, int64_t to_ms, bool has_end,
                     const char *words) {
  struct cds_event *event = next_event();
  ok(event && event->kind == kind && event->level == level && event->from_ms == from_ms && event->to_ms == to_ms &&
       event->from == from_ms / 1000 && event->to == to_ms / 1000 && event->has_end == has_end &&
       strcmp(event->message, words) == 0 && memcmp(&event->feed_id, &feed, sizeof feed) == 0,
     "an event of kind %d: %s", (int)kind, event ? event->message : "none");
  cds_event_free(event);
}

static void test_events(void) {
  put(HEAD);
  put("{\"event\":\"gap\"," FEED ",\"from_ms\":1500}\n");
  put("{\"event\":\"backfilled\"," FEED ",\"from_ms\":1500,\"to_ms\":2500,\"reason\":\"a\\u0022\"}\n");
  put("{\"event\":\"lost\"," FEED ",\"from_ms\":1500,\"to_ms\":3500,\"time\":77,\"reason\":\"b\"}\n");
  put("{\"event\":\"lost\"," FEED ",\"from_ms\":1500}\n");
  put("{\"event\":\"lost\"," FEED ",\"from_ms\":1500,\"to_ms\":1400}\n");
  put("{\"event\":\"unverified\"," FEED ",\"from_ms\":1500,\"to_ms\":1500}\n");
  put("{\"event\":\"of tomorrow\"," FEED ",\"from_ms\":1500}\n");
  if (open_with(&all) != CDS_OK) abort();
  for (int i = 0; i < 7; i++) is_nothing("an event comes");
  is_event(CDS_EVENT_GAP, CDS_LOG_INFO, 1500, 0, false, "");
  is_event(CDS_EVENT_BACKFILLED, CDS_LOG_INFO, 1500, 2500, true, "a\"");
  is_number(track.events.head->at_ms, 77, "an event may have its time");
  is_event(CDS_EVENT_LOST, CDS_LOG_ERROR, 1500, 3500, true, "b");
  ok(track.events.head->at_ms > (int64_t)MS, "or has the present one");
  is_event(CDS_EVENT_LOST, CDS_LOG_ERROR, 1500, 0, false, "");
  is_event(CDS_EVENT_LOST, CDS_LOG_ERROR, 1500, 1400, true, "");
  is_event(CDS_EVENT_UNVERIFIED, CDS_LOG_INFO, 1500, 1500, true, "");
  ok(track.counts.gaps == 1 && track.counts.lost == 3 && track.lost_ms == 2000, "gaps and losses are counted");
  end();
}

static void test_event_times(void) {
  static const struct {
    const char *range;
    bool is_in;
  } ranges[] = {{"\"from_ms\":2000", true},
                {"\"from_ms\":2001", false},
                {"\"from_ms\":0", true},
                {"\"from_ms\":0,\"to_ms\":1000", true},
                {"\"from_ms\":0,\"to_ms\":999", false},
                {"\"from_ms\":1500,\"to_ms\":9000", true}};
  const struct cds_replay_options some = {.from_ms = 1000, .to_ms = 2000};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    char line[256];
    snprintf(line, sizeof line, "{\"event\":\"gap\"," FEED ",%s}\n", ranges[i].range);
    put(HEAD);
    put(line);
    if (open_with(&some) != CDS_OK) abort();
    is_nothing("an event comes");
    struct cds_event *event = next_event();
    ok((event != NULL) == ranges[i].is_in, "of 1000 to 2000 ms: %s", ranges[i].range);
    cds_event_free(event);
    end();
  }
}

/* ---- faults ---- */

static void test_faults(void) {
  put(HEAD);
  put_report(0, SECOND, 0);
  put("what?\n");
  put_report(0, SECOND + 2, 0);
  put("{\"event\":\"lost\"");
  if (open_with(&all) != CDS_OK) abort();
  is_report(SECOND, "the first");
  is_nothing("a line that is none");
  ok(track.counts.decode_errors == 1, "it is counted");
  is_complaint("expected");
  is_report(SECOND + 2, "the next");
  is_loss((int64_t)MS + 1000, (int64_t)MS + 1000, "interrupted");
  is_nothing("a line that is cut");
  is_complaint("the file ends within this line, which was cut");
  is_number(track.counts.decode_errors, 2, "it is counted, too");
  is_end(CDS_E_CLOSED, "over");
  end();
  put(HEAD);
  put_report(0, SECOND, 0);
  put("what?\n");
  put(HEAD);
  put_report(0, SECOND + 2, 0);
  if (open_with(&all) != CDS_OK) abort();
  is_report(SECOND, "the first");
  is_nothing("a line that is none");
  is_complaint("expected");
  is_nothing("and then a seam");
  is_report(SECOND + 2, "the next");
  is_loss((int64_t)MS + 1000, (int64_t)MS + 1000, "interrupted");
  end();
  put(HEAD);
  put_report(0, SECOND, 0);
  text.length--; /* its newline */
  if (open_with(&all) != CDS_OK) abort();
  is_report(SECOND, "one that lacks only its newline");
  is_end(CDS_E_CLOSED, "over");
  end();
}

/* A second file that begins without a head follows on nothing; one that is missing ends all. */
static void test_files(void) {
  char other[256];
  const char *paths[] = {recorded_path, other, "/nonexistent"};
  snprintf(other, sizeof other, "%s/other.jsonl", recorded_folder);
  put_report(0, SECOND + 3, 0);
  put_report(0, SECOND + 8, 0);
  recorded_put(other, text.data, text.length);
  cds_buf_reset(&text);
  put(HEAD);
  put_report(0, SECOND, 0);
  recorded_put(recorded_path, text.data, text.length);
  cds_buf_reset(&text);
  if (cds_track_open(&track, paths, 3, &all, &err) != CDS_OK) abort();
  is_report(SECOND, "of the first file");
  is_report(SECOND + 3, "of the second");
  is_loss((int64_t)MS + 1000, (int64_t)MS + 2000, "interrupted");
  is_report(SECOND + 8, "and another one, which follows on that");
  is_end(CDS_E_FILE, "/nonexistent");
  end();
  recorded_empty();
}

/* ---- signatures ---- */

static void test_unverified(void) {
  struct cds_signer_registry *signers = cds_signer_registry_new(NULL);
  const struct cds_replay_options checked = {.to_ms = UINT64_MAX, .signers = signers};
  put(HEAD);
  put_report(0, SECOND, 0);
  if (open_with(&checked) != CDS_OK) abort();
  is_nothing("a report of signers that are not known");
  struct cds_event *event = next_event();
  ok(event && event->kind == CDS_EVENT_UNVERIFIED && event->message[0], "which is told: %s",
     event ? event->message : "");
  cds_event_free(event);
  ok(track.counts.unverified == 1 && track.counts.total_received == 1, "and counted");
  is_end(CDS_E_CLOSED, "over");
  end();
  cds_signer_registry_unref(signers);
}

/* ---- memory ---- */

static void test_memory(void) {
  bool good = true, is_over = false;
  char head[2048] = CDS_RECORDING_START ",\"version\":1,\"feeds\":[";
  for (int i = 0; i < 20; i++) sprintf(head + strlen(head), "%s\"0x%062d%02d\"", i ? "," : "", 3, i);
  strcat(head, "]}\n");
  cds_buf_clear(&text);
  long before = blocks_alive();
  for (long nth = 0; !is_over && nth < 100; nth++) {
    struct cds_report *report;
    put(head);
    put(head);
    put_report(0, SECOND, 0);
    put("what?\n");
    put(HEAD);
    put_report(0, SECOND + 9, 0);
    recorded_put(recorded_path, text.data, text.length);
    cds_buf_clear(&text);
    cds_alloc_fail_one(nth);
    const char *path = recorded_path;
    struct cds_feed_id ids[2] = {feed, {{7}}};
    const struct cds_replay_options some = {.to_ms = UINT64_MAX, .feeds = ids, .feed_count = 2};
    cds_error_clear(&err);
    enum cds_status status = cds_track_open(&track, &path, 1, &some, &err);
    size_t reports = 0;
    while (status == CDS_OK) {
      enum cds_track_step step = cds_track_step(&report, &track, &err);
      if (step == CDS_TRACK_REPORT) cds_report_unref(report), reports++;
      if (step == CDS_TRACK_END) status = err.status;
    }
    is_over = cds_alloc_fail_one(-1) <= nth;
    /* only an event may be left out */
    good = good && err.status == status &&
           (status == CDS_E_MEMORY ? strstr(err.message, "memory") != NULL : status == CDS_E_CLOSED && reports == 2);
    cds_track_clear(&track);
    good = good && blocks_alive() == before;
  }
  ok(good && is_over, "without memory it ends, and nothing is kept");
  recorded_put(recorded_path, head, strlen(head));
  is_over = false;
  for (long nth = 0; !is_over && nth < 100; nth++) {
    const char *path = recorded_path;
    cds_alloc_fail_one(nth);
    enum cds_status status = cds_track_open(&track, &path, 1, &all, &err);
    is_over = cds_alloc_fail_one(-1) <= nth;
    good = good && status == (is_over ? CDS_OK : CDS_E_MEMORY);
    cds_track_clear(&track);
  }
  ok(good && is_over, "nor is it opened, as long as there is none for a feed");
}

int main(void) {
  recorded_begin();
  memset(feed.bytes + 2, 0x11, 30);
  cds_buf_init(&text, 1 << 20);
  test_opening();
  test_heads();
  test_reports();
  test_choice();
  test_choice_by_ms();
  test_seams();
  test_events();
  test_event_times();
  test_faults();
  test_files();
  test_unverified();
  test_memory();
  cds_buf_clear(&text);
  recorded_end();
  return done();
}
