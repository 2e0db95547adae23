/* SPDX-License-Identifier: MIT
 * The pace of a replay by a clock of the test's: what its timer is set to, when reports are due; how many lines it reads
 * at a time; and the rest of its face. */
#include <stdlib.h>
#include <sys/timerfd.h>

#include "base/alloc.h"
#include "record/line.h"
#include "record/replay.h"
#include "recorded.h"
#include "system_faults.h"

#define SECOND 1700000000u
#define HEAD CDS_RECORDING_START ",\"version\":1}\n"

static int64_t mono_ns = 5000000000;
static struct timespec set = {.tv_sec = -1}; /* what the timer was set to last */
static int settings, timer_flags;            /* how often it was, and by which flags */
static struct system_fault of_timer;

SYSTEM_CALL int clock_gettime(clockid_t id, struct timespec *out) {
  if (id != CLOCK_MONOTONIC) return (int)syscall(SYS_clock_gettime, id, out);
  *out = (struct timespec){.tv_sec = mono_ns / 1000000000, .tv_nsec = mono_ns % 1000000000};
  return 0;
}

SYSTEM_CALL int timerfd_create(clockid_t clock, int flags) {
  timer_flags = flags;
  return system_fails(&of_timer) ? -1 : (int)syscall(SYS_timerfd_create, clock, flags);
}

SYSTEM_CALL int timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *before) {
  if (flags != TFD_TIMER_ABSTIME || when->it_interval.tv_sec || when->it_interval.tv_nsec) abort();
  set = when->it_value;
  settings++;
  return (int)syscall(SYS_timerfd_settime, fd, flags, when, before);
}

static struct cds_error err;
static struct cds_buf text;
static struct cds_replay *replay;
static struct cds_feed_id feed = {{0, 3}};

static void put(const char *line) {
  if (cds_buf_append(&text, line, strlen(line)) != CDS_OK) abort();
}

static void put_report(uint64_t second, int64_t received_ms, bool backfilled) {
  struct cds_report *report = recorded_report(second);
  report->received_at_ms = received_ms;
  report->backfilled = backfilled;
  if (cds_record_report(&text, report) != CDS_OK) abort();
  cds_report_unref(report);
}

static bool open_at(double speed) {
  const char *path = recorded_path;
  const struct cds_replay_options options = {.speed = speed, .to_ms = UINT64_MAX};
  recorded_put(recorded_path, text.data, text.length);
  cds_buf_reset(&text);
  cds_error_clear(&err);
  replay = (struct cds_replay *)&err;
  enum cds_status status = cds_replay_open(&replay, &path, 1, &options, &err);
  if ((status == CDS_OK) != (replay != NULL) || status != err.status) abort();
  put(HEAD);
  return replay != NULL;
}

static enum cds_pop pop(void) {
  struct cds_report *report = NULL;
  enum cds_pop found = cds_replay_pop(&report, replay, &err);
  if (found == CDS_POP_REPORT) cds_report_unref(report);
  return found;
}

static bool is_set(int64_t ns) {
  return set.tv_sec == ns / 1000000000 && set.tv_nsec == ns % 1000000000;
}

static struct cds_stream_stats stats(void) {
  struct cds_stream_stats all;
  cds_replay_stats(&all, replay);
  return all;
}

/* Twice as fast: what came 3.000000002 s later is due after half of that. */
static void test_pace(void) {
  put_report(SECOND, 1000, false);
  put_report(SECOND + 1, 1000, false);
  put_report(SECOND + 2, 900, false);
  put_report(SECOND + 3, 4001, false);
  put_report(SECOND + 4, 4003, false);
  if (!open_at(2)) abort();
  ok(is_set(1), "a replay is ready at once");
  ok(pop() == CDS_POP_REPORT && pop() == CDS_POP_REPORT && pop() == CDS_POP_REPORT,
     "the first report, and what came with it or before it, is due at once");
  int before = settings;
  ok(pop() == CDS_POP_EMPTY && is_set(mono_ns + 1500500000), "the next one later");
  ok(pop() == CDS_POP_EMPTY && settings == before + 1, "for which the timer is set once");
  mono_ns += 1500499999;
  ok(pop() == CDS_POP_EMPTY, "a nanosecond before it is not due");
  mono_ns += 1;
  ok(pop() == CDS_POP_REPORT, "then it is");
  ok(pop() == CDS_POP_EMPTY && is_set(mono_ns + 1000000), "and the next one by the first one's time");
  mono_ns += 5000000000;
  ok(pop() == CDS_POP_REPORT, "however late one is asked for");
  ok(pop() == CDS_POP_END && is_set(1) && err.status == CDS_E_CLOSED, "the end is told at once");
  cds_replay_free(replay);
}

/* By their observations, where it is not told when they came; a slow pace. */
static void test_observed(void) {
  put_report(SECOND, 0, false);
  put_report(SECOND + 2, 0, false);
  if (!open_at(0.5)) abort();
  ok(pop() == CDS_POP_REPORT && pop() == CDS_POP_EMPTY && is_set(mono_ns + 4000000000), "two seconds take four");
  cds_replay_free(replay);
  put_report(SECOND, 1, false);
  put_report(SECOND, (int64_t)1 << 60, false);
  if (!open_at(1)) abort();
  ok(pop() == CDS_POP_REPORT && pop() == CDS_POP_EMPTY && is_set(mono_ns + 1000000000000000000), "30 years are enough");
  cds_replay_free(replay);
  put_report(SECOND, 1000, false);
  put_report(SECOND, 2000, false);
  put_report(SECOND, 3000, false);
  if (!open_at(0)) abort();
  ok(pop() == CDS_POP_REPORT && pop() == CDS_POP_REPORT && pop() == CDS_POP_REPORT && pop() == CDS_POP_END,
     "without a pace all is due");
  cds_replay_free(replay);
}

/* Lines that are not wanted do not keep the script waiting. */
static void test_many_lines(void) {
  for (int i = 0; i < 4096 + 4095; i++) put("{\"event\":\"of tomorrow\"}\n");
  put_report(SECOND, 0, false);
  if (!open_at(1)) abort();
  ok(pop() == CDS_POP_EMPTY && is_set(1), "4,096 lines are read at once");
  ok(pop() == CDS_POP_REPORT, "and as many the next time");
  cds_replay_free(replay);
  for (int i = 0; i < 4096; i++) put("{\"event\":\"of tomorrow\"}\n");
  put_report(SECOND, 0, false);
  if (!open_at(1)) abort();
  ok(pop() == CDS_POP_EMPTY && pop() == CDS_POP_REPORT, "and no more");
  cds_replay_free(replay);
}

#define GAP                                                                                                            \
  "{\"event\":\"gap\",\"feed\":\"0x0003111111111111111111111111111111111111111111111111111111111111\",\"from_ms\":1}"  \
  "\n"

/* An event comes before the report behind it. */
static void test_events(void) {
  put(GAP);
  put_report(SECOND, 0, false);
  if (!open_at(1)) abort();
  ok(pop() == CDS_POP_EMPTY && pop() == CDS_POP_EMPTY && is_set(1), "an event waits");
  cds_event_free(cds_replay_take_event(replay));
  ok(!cds_replay_take_event(replay) && pop() == CDS_POP_REPORT, "when it was taken, the report comes");
  cds_replay_free(replay);
  put(GAP);
  if (!open_at(1)) abort();
  ok(pop() == CDS_POP_EMPTY, "an event waits");
  cds_event_free(cds_replay_take_event(replay));
  ok(pop() == CDS_POP_END, "before the end");
  cds_replay_free(replay);
}

static void test_stats(void) {
  static const struct {
    const char *lost;
    uint64_t seconds;
  } losses[] = {{"0,\"to_ms\":0", 0}, {"0,\"to_ms\":1", 1}, {"0,\"to_ms\":1000", 1}, {"0,\"to_ms\":1001", 2}};
  for (size_t i = 0; i < 4; i++) {
    char line[256];
    snprintf(line, sizeof line,
             "{\"event\":\"lost\",\"feed\":\"0x0003111111111111111111111111111111111111111111111111111111111111\","
             "\"from_ms\":%s}\n",
             losses[i].lost);
    put(line);
    if (!open_at(0)) abort();
    ok(pop() == CDS_POP_EMPTY && stats().lost_seconds == losses[i].seconds, "seconds that are lost are whole ones");
    cds_replay_free(replay);
  }
  put_report(SECOND, SECOND * 1000ll + 7, false);
  put_report(SECOND + 1, SECOND * 1000ll + 1009, true);
  put_report(SECOND + 2, 0, false);
  if (!open_at(0)) abort();
  ok(pop() == CDS_POP_REPORT && pop() == CDS_POP_REPORT && pop() == CDS_POP_REPORT, "three reports");
  struct cds_stream_stats all = stats();
  ok(all.accepted == 3 && all.backfilled == 1 && all.latency.count == 1 && all.latency.sum == 7 && all.feeds == 1,
     "are counted");
  cds_replay_free(replay);
}

static void test_feeds(void) {
  const struct cds_feed_id others[] = {{{1}}, {{2}}, {{3}}};
  put_report(SECOND, 1000, false);
  put_report(SECOND, 9000, false);
  if (!open_at(1)) abort();
  ok(cds_replay_subscribe(replay, others, 3, &err) == CDS_OK && stats().feeds == 3, "feeds are added");
  ok(cds_replay_feed(replay, 0)->bytes[0] == 1 && cds_replay_feed(replay, 2)->bytes[0] == 3 &&
       !cds_replay_feed(replay, 3),
     "by their number");
  ok(cds_replay_unsubscribe(replay, others, 2, &err) == CDS_OK && stats().feeds == 1 &&
       cds_replay_feed(replay, 0)->bytes[0] == 3 && !cds_replay_feed(replay, 1),
     "and taken out");
  ok(!cds_replay_latest(replay, &others[2]) && !cds_replay_latest(replay, &feed), "of them there is nothing");
  ok(pop() == CDS_POP_REPORT && pop() == CDS_POP_EMPTY, "a report waits");
  ok(cds_replay_unsubscribe(replay, others, 3, &err) == CDS_OK && stats().dropped == 0, "as long as its feed stays");
  cds_alloc_fail_after(0);
  struct cds_feed_id many[40] = {{{0}}};
  for (uint8_t i = 0; i < 40; i++) many[i].bytes[0] = (uint8_t)(100 + i);
  ok(cds_replay_subscribe(replay, many, 40, &err) == CDS_E_MEMORY && err.status == CDS_E_MEMORY, "without memory not");
  cds_alloc_fail_after(-1);
  ok(cds_replay_unsubscribe(replay, &feed, 1, &err) == CDS_OK && stats().dropped == 1, "it goes with its feed");
  ok(!cds_replay_is_closed(replay) && pop() == CDS_POP_END && cds_replay_is_closed(replay), "the end closes it");
  ok(cds_replay_subscribe(replay, others, 1, NULL) == CDS_E_CLOSED, "and then no feeds change");
  cds_replay_close(replay);
  ok(pop() == CDS_POP_END && strstr(err.message, "the recording is over"), "why is told as before");
  cds_replay_free(replay);
}

static void test_close(void) {
  size_t before = system_open_files();
  put_report(SECOND, 1000, false);
  put_report(SECOND, 9000, false);
  if (!open_at(1)) abort();
  ok(system_open_files() == before + 2, "a timer and a file are open");
  ok(pop() == CDS_POP_REPORT && pop() == CDS_POP_EMPTY, "a report waits");
  cds_replay_close(replay);
  ok(cds_replay_is_closed(replay) && is_set(1) && system_open_files() == before + 1, "a close is told at once");
  ok(pop() == CDS_POP_END && err.status == CDS_E_CLOSED && strcmp(err.message, "the stream was closed") == 0,
     "and why");
  cds_replay_free(replay);
  is_number(system_open_files(), before, "nothing is open then");
  /* an end that waits behind a report, or was a failure */
  put_report(SECOND, 1000, false);
  if (!open_at(1)) abort();
  cds_replay_close(replay);
  ok(pop() == CDS_POP_END && strcmp(err.message, "the stream was closed") == 0, "before anything came, too");
  cds_replay_free(replay);
  static char endless[3 << 20];
  memset(endless, 'x', sizeof endless - 1);
  cds_buf_clear(&text);
  put(HEAD);
  put(endless);
  if (!open_at(1)) abort();
  ok(pop() == CDS_POP_END && err.status == CDS_E_DECODE && !cds_replay_is_closed(replay), "a failure is no close");
  cds_replay_close(replay);
  ok(cds_replay_is_closed(replay) && pop() == CDS_POP_END && err.status == CDS_E_CLOSED, "but may be closed");
  cds_replay_free(replay);
}

static void test_opening(void) {
  size_t before = system_open_files();
  put_report(SECOND, 0, false);
  of_timer = (struct system_fault){.times = 1, .reason = EMFILE};
  ok(!open_at(1) && err.status == CDS_E_MEMORY && strstr(err.message, "no descriptor for a replay: Too many"),
     "without a timer it is not opened: %s", err.message);
  ok(timer_flags == (TFD_NONBLOCK | TFD_CLOEXEC), "which goes to no other program");
  cds_alloc_fail_after(0);
  ok(!open_at(1) && err.status == CDS_E_MEMORY && strstr(err.message, "no memory for a replay"), "nor without memory");
  cds_alloc_fail_after(-1);
  cds_buf_reset(&text);
  ok(!open_at(1) && err.status == CDS_E_FILE, "nor what is none");
  is_number(system_open_files(), before, "and nothing stays open");
  int saved = dup(STDIN_FILENO);
  close(STDIN_FILENO);
  ok(open_at(1) && cds_replay_fd(replay) == 0 && pop() == CDS_POP_END, "the timer may have number 0");
  cds_replay_free(replay);
  ok(fcntl(STDIN_FILENO, F_GETFD) < 0, "it is closed");
  dup2(saved, STDIN_FILENO);
  close(saved);
  cds_replay_free(NULL);
}

int main(void) {
  recorded_begin();
  memset(feed.bytes + 2, 0x11, 30);
  cds_buf_init(&text, 8 << 20);
  put(HEAD);
  test_pace();
  test_observed();
  test_many_lines();
  test_events();
  test_stats();
  test_feeds();
  test_close();
  test_opening();
  cds_buf_clear(&text);
  recorded_end();
  return done();
}
