/* SPDX-License-Identifier: MIT
 * Replay at its edges: feeds in milliseconds and of v1, events without an end or of another time, files that go on
 * without a head, times that are not told or are wrong, a feed that goes while its report waits; and a compressed file
 * that no recorder wrote. */
#include "base/gzip.h"
#include "base/packing.h"
#include "record/line.h"
#include "record/replay.h"
#include "recorded.h"

#define SECOND 1700000000u
#define SECOND_MS (SECOND * 1000ull)

static const char head[] = CDS_RECORDING_START ",\"version\":1,\"feeds\":[]}\n";
static const struct cds_replay_options at_once = {.to_ms = UINT64_MAX};
static const struct cds_feed_id feed = {{0, 3}};
static struct cds_error err;
static struct cds_buf text; /* of the recording that a test makes */

static struct cds_report *report_of(uint16_t version, bool in_ms, uint64_t time) {
  uint8_t blob[SAMPLE_MAX];
  struct sample sample;
  struct cds_report *report;
  const struct cds_schema *schema = cds_schema_find(version);
  size_t length = in_ms ? sample_blob_ms(blob, schema) : sample_blob(blob, schema);
  memset(blob + 2, 0x11, 30);
  sample_put(blob + 32, time);
  if (version != 1) sample_put(blob + 64, time);
  sample_report(&sample, blob, length, 2);
  if (cds_report_from_bytes(&report, sample.bytes, sample.length, &err) != CDS_OK) abort();
  return report;
}

/* received_ms 0: it is not told */
static void put_report(uint16_t version, bool in_ms, uint64_t time, int64_t received_ms) {
  struct cds_report *report = report_of(version, in_ms, time);
  report->received_at_ms = received_ms;
  if (cds_record_report(&text, report) != CDS_OK) abort();
  cds_report_unref(report);
}

static void put(const char *line) {
  if (cds_buf_append(&text, line, strlen(line)) != CDS_OK) abort();
}

static struct cds_replay *open_text(const struct cds_replay_options *options) {
  const char *path = recorded_path;
  struct cds_replay *replay = NULL;
  recorded_put(recorded_path, text.data, text.length);
  cds_buf_reset(&text);
  put(head);
  return cds_replay_open(&replay, &path, 1, options, &err) == CDS_OK ? replay : NULL;
}

struct heard {
  size_t reports, losses;
  uint64_t last;
  int64_t from_ms, to_ms; /* of the last loss; to_ms -1: without an end */
};

static struct heard hear(struct cds_replay *replay) {
  struct heard heard = {0};
  for (;;) {
    struct cds_report *report;
    enum cds_pop pop = cds_replay_pop(&report, replay, &err);
    for (struct cds_event *event; (event = cds_replay_take_event(replay)) != NULL; cds_event_free(event)) {
      if (event->kind != CDS_EVENT_LOST) continue;
      heard.losses++;
      heard.from_ms = event->from_ms;
      heard.to_ms = event->has_end ? event->to_ms : -1;
    }
    if (pop == CDS_POP_END) return heard;
    if (pop != CDS_POP_REPORT) continue;
    heard.reports++;
    heard.last = report->observations_time;
    cds_report_unref(report);
  }
}

static struct heard hear_text(const struct cds_replay_options *options) {
  struct cds_replay *replay = open_text(options);
  struct heard heard = {0};
  if (replay) heard = hear(replay);
  cds_replay_free(replay);
  return heard;
}

static void test_milliseconds(void) {
  put_report(3, true, SECOND_MS + 100, 0);
  put(head);
  put_report(3, true, SECOND_MS + 350, 0);
  struct heard heard = hear_text(&at_once);
  ok(heard.reports == 2 && heard.losses == 1 && heard.from_ms == (int64_t)SECOND_MS + 101 &&
       heard.to_ms == (int64_t)SECOND_MS + 349,
     "a hole of a millisecond feed is told to the millisecond");
  const struct cds_replay_options some = {.from_ms = SECOND_MS + 200, .to_ms = SECOND_MS + 300};
  for (uint64_t ms = 100; ms <= 400; ms += 100) put_report(3, true, SECOND_MS + ms, 0);
  heard = hear_text(&some);
  ok(heard.reports == 2 && heard.last == SECOND_MS + 300, "and so are its times chosen");
}

static void test_legacy(void) {
  put_report(1, false, SECOND, 0);
  put(head);
  put_report(1, false, SECOND + 3, 0);
  struct heard heard = hear_text(&at_once);
  ok(heard.reports == 2 && heard.losses == 1 && heard.to_ms == (SECOND + 2) * 1000ll,
     "a report without a time that it is valid from stands for its own second");
}

/* A second file that begins without a head may follow on nothing. */
static void test_no_head(void) {
  char other[sizeof recorded_path + 8];
  const char *paths[] = {recorded_path, other};
  struct cds_replay *replay = NULL;
  snprintf(other, sizeof other, "%s.2", recorded_path);
  cds_buf_reset(&text);
  put_report(3, false, SECOND + 5, 0);
  recorded_put(other, text.data, text.length);
  cds_buf_reset(&text);
  put(head);
  put_report(3, false, SECOND, 0);
  recorded_put(recorded_path, text.data, text.length);
  cds_buf_reset(&text);
  put(head);
  ok(cds_replay_open(&replay, paths, 2, &at_once, &err) == CDS_OK, "two files are opened");
  struct heard heard = hear(replay);
  ok(heard.reports == 2 && heard.losses == 1, "where the second one has no head, reports may be missing");
  cds_replay_free(replay);
  recorded_empty();
}

#define FEED "\"feed\":\"0x0003111111111111111111111111111111111111111111111111111111111111\""

static void test_events(void) {
  put("{\"event\":\"lost\"," FEED ",\"from_ms\":1700000000000}\n");
  struct cds_replay *replay = open_text(&at_once);
  struct heard heard = hear(replay);
  struct cds_stream_stats stats;
  cds_replay_stats(&stats, replay);
  ok(heard.losses == 1 && heard.to_ms == -1 && stats.lost == 1 && stats.lost_seconds == 0,
     "a loss may have no end, and then no length");
  cds_replay_free(replay);
  const struct cds_replay_options later = {.from_ms = SECOND_MS + 5000, .to_ms = SECOND_MS + 9000};
  put("{\"event\":\"lost\"," FEED ",\"from_ms\":1700000000000}\n");
  put("{\"event\":\"lost\"," FEED ",\"from_ms\":1700000000000,\"to_ms\":1700000004999}\n");
  put("{\"event\":\"lost\"," FEED ",\"from_ms\":1700000009001}\n");
  put("{\"event\":\"of tomorrow\"," FEED ",\"from_ms\":1700000006000}\n");
  heard = hear_text(&later);
  ok(heard.losses == 1 && heard.to_ms == -1,
     "one without an end reaches any time, others their own, and unknown ones none");
  put("{\"event\":\"lost\"," FEED ",\"from_ms\":1700000002000,\"to_ms\":1700000001000,\"time\":1}\n");
  replay = open_text(&at_once);
  heard = hear(replay);
  cds_replay_stats(&stats, replay);
  ok(heard.losses == 1 && stats.lost_seconds == 0, "one that ends before it begins has no length");
  cds_replay_free(replay);
}

/* By their observations where the file does not tell; a time that is far away is waited for, and does not overflow. */
static void test_pace(void) {
  const struct cds_replay_options slow = {.speed = 1e-6, .to_ms = UINT64_MAX};
  struct cds_report *report = NULL;
  struct cds_stream_stats stats;
  put_report(3, false, SECOND, 0);
  put_report(3, false, SECOND + 1, INT64_MAX / 8);
  struct cds_replay *replay = open_text(&slow);
  ok(cds_replay_pop(&report, replay, &err) == CDS_POP_REPORT, "the first report comes at once");
  cds_replay_stats(&stats, replay);
  is_number((long long)stats.latency.count, 0, "how late it was is not known");
  cds_report_unref(report);
  ok(cds_replay_pop(&report, replay, &err) == CDS_POP_EMPTY, "the next one is waited for");
  struct cds_feed_id id = {{0, 3}};
  memset(id.bytes + 2, 0x11, 30);
  ok(cds_replay_unsubscribe(replay, &id, 1, &err) == CDS_OK, "its feed may go meanwhile");
  cds_replay_stats(&stats, replay);
  is_number((long long)stats.dropped, 1, "and it is given up");
  ok(cds_replay_pop(&report, replay, &err) == CDS_POP_END && err.status == CDS_E_CLOSED, "the end comes");
  cds_replay_free(replay);
}

/* One frame of more than a recorder has in one: how it was made is not known, so that it is left alone. */
static void test_strange_frame(void) {
  static char long_text[9 << 20];
  const struct cds_buf nothing = {0}, all = {.data = long_text, .length = sizeof long_text - 1};
  static const struct cds_writer_options plain;
  struct cds_buf packed;
  struct cds_writer *writer;
  if (cds_gzip.absent) {
    skip("a frame that is too long", "built without zlib");
    return;
  }
  strcat(recorded_path, ".gz");
  memset(long_text, '\n', sizeof long_text - 1);
  memcpy(long_text, head, sizeof head - 1);
  cds_buf_init(&packed, 1 << 20);
  if (cds_pack(&packed, &cds_gzip, &nothing, &all, &err) != CDS_OK) abort();
  recorded_put(recorded_path, packed.data, packed.length - 1);
  ok(cds_writer_open(&writer, recorded_path, &feed, 1, &plain, &err) == CDS_E_FILE && strstr(err.message, "recorder"),
     "refused: a cut file that another program compressed: %s", err.message);
  recorded_put(recorded_path, packed.data, packed.length);
  ok(cds_writer_open(&writer, recorded_path, &feed, 1, &plain, &err) == CDS_E_FILE, "and a whole one");
  cds_buf_clear(&packed);
  recorded_path[strlen(recorded_path) - 3] = 0;
  recorded_empty();
}

int main(void) {
  recorded_begin();
  cds_buf_init(&text, 1 << 20);
  put(head);
  test_milliseconds();
  test_legacy();
  test_no_head();
  test_events();
  test_pace();
  test_strange_frame();
  cds_buf_clear(&text);
  recorded_end();
  return done();
}
