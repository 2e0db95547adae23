/* SPDX-License-Identifier: MIT
 * How a range of a feed's times is told, in its unit, and up to which time a report is possible. */
#include "base/alloc.h"
#include "base/clock.h"
#include "stream/outlet.h"
#include "stream/parts.h"
#include "tap.h"

static struct cds_client client;
static struct cds_stream stream = {.core.client = &client};
static const struct cds_feed_id in_seconds = {{0, 3, [31] = 1}}, in_ms = {{0x10, 3, [31] = 1}};

static struct cds_event *told(enum cds_event_kind kind, const struct cds_feed_id *feed, int64_t from, int64_t to) {
  cds_stream_tell_range(&stream, kind, feed, from, to, "a reason");
  struct cds_event *event = cds_outlet_take_event(&stream);
  ok(event != NULL && event->kind == kind && cds_feed_id_compare(&event->feed_id, feed) == 0, "a range of the feed");
  is_string(event->message, "a reason", "with its reason");
  ok(cds_outlet_take_event(&stream) == NULL, "once");
  return event;
}

static void is_range(struct cds_event *event, uint32_t from, uint32_t to, int64_t from_ms, int64_t to_ms) {
  ok(event->has_end, "with an end");
  is_number(event->from, from, "from");
  is_number(event->to, to, "to");
  is_number(event->from_ms, from_ms, "from, in milliseconds");
  is_number(event->to_ms, to_ms, "to, in milliseconds");
  cds_event_free(event);
}

static void test_ranges(void) {
  is_range(told(CDS_EVENT_LOST, &in_seconds, 100, 120), 100, 120, 100000, 120000);
  is_range(told(CDS_EVENT_LOST, &in_seconds, 100, 100), 100, 100, 100000, 100000);
  is_range(told(CDS_EVENT_GAP, &in_ms, 1700000000999, 1700000002000), 1700000000, 1700000002, 1700000000999,
           1700000002000);
  is_range(told(CDS_EVENT_GAP, &in_seconds, UINT32_MAX, (int64_t)UINT32_MAX + 1), UINT32_MAX, UINT32_MAX,
           INT64_C(4294967295000), INT64_C(4294967296000));
  struct cds_event *open = told(CDS_EVENT_LOST, &in_seconds, 100, 0);
  ok(!open->has_end && open->from == 100, "a range whose end is not known");
  cds_event_free(open);
}

static void test_levels(void) {
  static const enum cds_event_kind kinds[] = {CDS_EVENT_GAP, CDS_EVENT_BACKFILLED, CDS_EVENT_LOST};
  for (size_t i = 0; i < 3; i++) {
    struct cds_event *event = told(kinds[i], &in_seconds, 1, 2);
    is_number(event->level, kinds[i] == CDS_EVENT_LOST ? CDS_LOG_ERROR : CDS_LOG_INFO, "a loss is an error");
    cds_event_free(event);
  }
}

/* The later of two clocks counts, with a tolerance. */
static void test_latest(void) {
  static const int64_t ahead_ms[] = {0, INT64_C(10000000000000)}; /* of the steady clock: none, and far */
  for (size_t i = 0; i < 2; i++) {
    stream.dispatch.wall_ahead_ms = ahead_ms[i];
    int64_t tolerance_ms = CDS_MAX_FUTURE_SECONDS * 1000;
    int64_t before_ms = i == 0 ? cds_clock_wall_ms() : cds_clock_mono_ms() + ahead_ms[i];
    int64_t latest_ms = cds_stream_latest_possible(&stream, CDS_RESOLUTION_MILLISECONDS);
    int64_t latest = cds_stream_latest_possible(&stream, CDS_RESOLUTION_SECONDS);
    int64_t after_ms = i == 0 ? cds_clock_wall_ms() : cds_clock_mono_ms() + ahead_ms[i];
    ok(latest_ms >= before_ms + tolerance_ms && latest_ms <= after_ms + tolerance_ms, "in milliseconds");
    ok(latest >= latest_ms / 1000 && latest <= (after_ms + tolerance_ms) / 1000, "in seconds");
  }
}

/* The service's clock, which signatures follow, where it is ahead; one that is behind takes nothing away. */
static void test_latest_of_service(void) {
  static const int64_t ahead_ms[] = {40000, -40000, 40000};
  stream.dispatch.wall_ahead_ms = 0;
  for (size_t i = 0; i < 3; i++) {
    client.clock.is_followed = i < 2;
    ok(cds_service_clock_note(&client.clock, ahead_ms[i], ahead_ms[i]), "it is off");
    int64_t counts_ms = CDS_MAX_FUTURE_SECONDS * 1000 + (i == 0 ? ahead_ms[i] : 0), before_ms = cds_clock_wall_ms();
    int64_t latest_ms = cds_stream_latest_possible(&stream, CDS_RESOLUTION_MILLISECONDS);
    ok(latest_ms >= before_ms + counts_ms && latest_ms <= cds_clock_wall_ms() + counts_ms, "so much later, or as ever");
  }
}

static void test_statistics(void) {
  static const uint64_t lost_ms[] = {0, 1, 1000, 1001}, seconds[] = {0, 1, 1, 2};
  struct cds_stream_stats stats = {0};
  struct cds_sequence_counts *counts = &stream.dispatch.sequence.counts;
  *counts = (struct cds_sequence_counts){.gaps = 5, .empty_gaps = 2, .backfilled = 7, .lost = {.ranges = 3}};
  stream.dispatch.accepted = 11;
  for (size_t i = 0; i < 4; i++) {
    counts->lost.ms = lost_ms[i];
    cds_dispatch_stats(&stats, &stream);
    is_number(stats.lost_seconds, seconds[i], "a second that has begun counts");
  }
  ok(stats.accepted == 11 && stats.gaps == 5 && stats.empty_gaps == 2 && stats.backfilled == 7 && stats.lost == 3,
     "all are told");
  is_number(cds_dispatch_gaps(&stream), 5, "the gaps alone too");
}

/* No time of a report makes the order's sums overflow. */
static void test_description(void) {
  struct cds_report *report = cds_calloc(1, sizeof *report + 32);
  report->refs = 1;
  struct cds_queue_node node = {.report = report, .slot = 4};
  report->blob.length = 32;
  report->has_observations_timestamp = true;
  report->observations_time = 1700000001;
  report->valid_from_time = 1700000000;
  struct cds_candidate candidate = cds_stream_describe(&stream, &node, 77);
  ok(candidate.node == &node && candidate.text_tag == 77, "a report and its text");
  ok(candidate.has_observations_timestamp && !candidate.has_valid_from_timestamp, "the times that it has");
  ok(candidate.observations_timestamp == 1700000001 && candidate.valid_from_timestamp == 1700000000, "as they are");
  is_number(candidate.blob_tag, cds_stream_text_tag(&stream, (const char *)report->bytes, 32), "its blob's tag");
  report->bytes[31] = 1;
  ok(cds_stream_blob_tag(&stream, report) != candidate.blob_tag, "another blob has another");
  report->observations_time = report->valid_from_time = UINT64_MAX;
  report->has_valid_from_timestamp = true;
  candidate = cds_stream_describe(&stream, &node, 0);
  ok(candidate.has_valid_from_timestamp, "with a validity");
  is_number(candidate.observations_timestamp, INT64_MAX / 4, "the farthest time");
  is_number(candidate.valid_from_timestamp, INT64_MAX / 4, "of both");
  cds_report_unref(report);
}

int main(void) {
  struct cds_error err;
  pthread_mutex_init(&stream.core.mu, NULL);
  cds_outlet_be_closed(&stream);
  ok(cds_outlet_init(&stream, 1, 1000, NULL, &err) == CDS_OK, "a stream's outlet");
  test_ranges();
  test_levels();
  test_latest();
  test_latest_of_service();
  test_statistics();
  test_description();
  cds_outlet_clear(&stream);
  pthread_mutex_destroy(&stream.core.mu);
  return done();
}
