/* SPDX-License-Identifier: MIT
 * A script that does its connection's work while it waits: what comes, what others announce meanwhile, and that the
 * connection's own thread goes on when the script stays away. */
#include <signal.h>

#include "stream/core.h"
#include "stream/lead.h"
#include "stream/outlet.h"
#include "stream/parts.h"
#include "stream_fixture.h"

#define MANY 200
#define HANG_MS 20000 /* a bound: libwebsockets itself looks at its timers each half minute */

static atomic_uint sent; /* the server is to send reports up to this one */
static atomic_bool ends; /* the first connection, after MANY; the second goes on */

static void serve(struct ws_server *server, int number, int fd) {
  uint32_t next = number == 1 ? 1 : MANY + 1;
  if (!ws_accept(server, fd)) return;
  while (!atomic_load(&server->stopping) && !(atomic_load(&ends) && number == 1 && next > MANY)) {
    if (next > atomic_load(&sent)) poll(NULL, 0, 1);
    else if (!ws_send_message(fd, next_message(1, next++))) return;
  }
}

static void begin_led(struct fixture *fixture, size_t feeds) {
  struct seen_events seen = {0};
  atomic_store(&sent, 0);
  begin(fixture, serve, NULL);
  fixture->config.stream.log_level = CDS_LOG_ERROR;
  if (feeds > 1) fixture->config.stream.feeds_per_connection = 1;
  open_stream(fixture, feeds);
  WAIT_FOR(fixture, &seen, stats.active_connections >= 1);
}

/* As a script waits; true when it led. */
static bool wait_as_script(struct fixture *fixture, double seconds) {
  if (cds_stream_lead(fixture->stream, seconds)) return true;
  is_readable(cds_stream_fd(fixture->stream), 1000);
  return false;
}

/* Waits until the stream is led, and that is given back; events are let go. */
static bool lead_once(struct fixture *fixture, double seconds) {
  struct seen_events seen = {0};
  struct cds_report *report;
  struct cds_error err;
  for (int64_t until = cds_clock_mono_ms() + WAIT_MS; cds_clock_mono_ms() < until;) {
    take_events(&seen, fixture->stream);
    if (cds_stream_pop(&report, fixture->stream, &err) == CDS_POP_REPORT) cds_report_unref(report);
    if (wait_as_script(fixture, seconds)) return true;
  }
  return false;
}

static bool is_led(struct cds_stream *stream) {
  cds_stream_lock(stream);
  bool led = stream->core.led != NULL;
  cds_stream_unlock_quietly(stream);
  return led;
}

/* ---- reports ---- */

/* Reads reports first … last of feed 1; how many came on this thread, without the descriptor. */
static size_t read_led(struct fixture *fixture, uint32_t first, uint32_t last, size_t *right) {
  struct seen_events seen = {0};
  struct cds_report *report;
  struct cds_error err;
  size_t led = 0;
  bool leads = false;
  int64_t until = cds_clock_mono_ms() + WAIT_MS;
  *right = 0;
  atomic_store(&sent, first);
  for (uint32_t number = first; number <= last && cds_clock_mono_ms() < until;) {
    if (!leads) take_events(&seen, fixture->stream); /* which others may have told the descriptor of */
    bool is_told = is_readable(cds_stream_fd(fixture->stream), 0);
    if (cds_stream_pop(&report, fixture->stream, &err) != CDS_POP_REPORT) {
      leads = !leads && wait_as_script(fixture, -1);
      continue;
    }
    *right += report->observations_timestamp == base_time + number;
    led += leads && !is_told;
    cds_report_unref(report);
    atomic_store(&sent, ++number);
  }
  return led;
}

static void test_reports(void) {
  struct fixture fixture;
  size_t right;
  atomic_store(&ends, true);
  begin_led(&fixture, 1);
  size_t led = read_led(&fixture, 1, MANY, &right);
  is_number((long long)right, MANY, "every report, in order");
  ok(led > 0, "some of them read by the thread that waits for them, with no descriptor told: %zu", led);
  led = read_led(&fixture, MANY + 1, 2 * MANY, &right);
  is_number((long long)right, MANY, "and of the connection that is made when the first one ends");
  ok(led > 0, "likewise: %zu", led);
  atomic_store(&ends, false);
  finish(&fixture);
}

/* A queue that is full at once: the connection is paused and goes on, whoever does its work. */
static void test_small_queue(void) {
  struct fixture fixture;
  atomic_store(&sent, 0);
  begin(&fixture, serve, NULL);
  fixture.config.stream.queue_size = 1;
  fixture.config.stream.overflow = CDS_OVERFLOW_BLOCK;
  open_stream(&fixture, 1);
  struct seen_events seen = {0};
  WAIT_FOR(&fixture, &seen, stats.active_connections == 1);
  atomic_store(&sent, MANY);
  size_t right = 0;
  for (int64_t until = cds_clock_mono_ms() + WAIT_MS; right < MANY && cds_clock_mono_ms() < until;) {
    struct cds_report *report;
    struct cds_error err;
    take_events(&seen, fixture.stream);
    if (cds_stream_pop(&report, fixture.stream, &err) != CDS_POP_REPORT) {
      (void)wait_as_script(&fixture, -1);
      continue;
    }
    right += report->observations_timestamp == base_time + right + 1;
    cds_report_unref(report);
  }
  is_number((long long)right, MANY, "every report, in order, through a queue of one");
  finish(&fixture);
}

/* ---- who waits for what ---- */

static void test_time(void) {
  struct fixture fixture;
  begin_led(&fixture, 1);
  ok(lead_once(&fixture, 0.01), "a leader with nothing to do comes back in time");
  int64_t before_ms = cds_clock_mono_ms();
  ok(lead_once(&fixture, 0) && cds_clock_mono_ms() - before_ms < HANG_MS, "and at once where it is to");
  finish(&fixture);
}

static void *announce(void *argument) {
  struct cds_stream *stream = argument;
  for (int i = 0; i < WAIT_MS && !is_led(stream); i++) poll(NULL, 0, 1);
  cds_stream_log(stream, CDS_LOG_ERROR, "from another thread");
  return NULL;
}

static void test_woken(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  pthread_t other;
  begin_led(&fixture, 1);
  if (pthread_create(&other, NULL, announce, fixture.stream) != 0) exit(1);
  int64_t until = cds_clock_mono_ms() + WAIT_MS;
  while (seen.errors == 0 && cds_clock_mono_ms() < until) {
    (void)wait_as_script(&fixture, 2 * WAIT_MS / 1000.0);
    if (cds_clock_mono_ms() < until) take_events(&seen, fixture.stream);
  }
  pthread_join(other, NULL);
  is_string(seen.last_error, "from another thread", "what another thread has for the script wakes the leader");
  ok(!is_readable(cds_stream_fd(fixture.stream), 0), "which has taken it, so that nothing is told");
  finish(&fixture);
}

static void *break_pipe(void *argument) {
  const struct fixture *fixture = argument;
  for (int i = 0; i < WAIT_MS && !is_led(fixture->stream); i++) poll(NULL, 0, 1);
  pthread_kill(fixture->stream->core.leader, SIGPIPE); /* as a write to a connection that has ended raises it */
  cds_stream_log(fixture->stream, CDS_LOG_ERROR, "woken");
  return NULL;
}

static void test_pipe(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  sigset_t mask;
  pthread_t other;
  begin_led(&fixture, 1);
  ok(lead_once(&fixture, 0), "a stream that can be led");
  if (pthread_create(&other, NULL, break_pipe, &fixture) != 0) exit(1);
  for (int64_t until = cds_clock_mono_ms() + WAIT_MS; seen.errors == 0 && cds_clock_mono_ms() < until;) {
    (void)wait_as_script(&fixture, WAIT_MS / 1000.0);
    take_events(&seen, fixture.stream);
  }
  pthread_join(other, NULL);
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  is_number(sigismember(&mask, SIGPIPE), 0, "a pipe that breaks under the leader ends no program");
  finish(&fixture);
}

/* The report is left lying: the script is busy with something else. */
static void test_away(void) {
  struct fixture fixture;
  begin_led(&fixture, 1);
  ok(lead_once(&fixture, 0.05), "the stream was led, longer than its thread looks away");
  atomic_store(&sent, 1);
  ok(is_readable(cds_stream_fd(fixture.stream), WAIT_MS), "while the leader is away its connection's thread reads");
  ok(lead_once(&fixture, 0), "and lends its work again");
  atomic_store(&sent, 2);
  ok(is_readable(cds_stream_fd(fixture.stream), WAIT_MS), "for a short lead as well");
  finish(&fixture);
}

static void test_not(void) {
  struct fixture fixture;
  struct cds_error err;
  int fd;
  begin_led(&fixture, 1);
  ok(lead_once(&fixture, 0), "a stream of one connection can be led");
  cds_stream_log(fixture.stream, CDS_LOG_ERROR, "something");
  ok(!cds_stream_lead(fixture.stream, -1), "not while something waits for the script");
  struct seen_events seen = {0};
  take_events(&seen, fixture.stream);
  ok(cds_stream_share_fd(&fd, fixture.stream, &err) == CDS_OK, "a descriptor that others wait for");
  bool was_led = false;
  for (int i = 0; i < 100; i++) was_led = cds_stream_lead(fixture.stream, 0) || was_led;
  ok(!was_led, "has to be told of everything");
  finish(&fixture);
  begin_led(&fixture, 2);
  for (int i = 0; i < 100; i++) was_led = cds_stream_lead(fixture.stream, 0) || was_led;
  ok(!was_led, "nor are several connections led");
  finish(&fixture);
}

static void test_close(void) {
  struct fixture fixture;
  begin_led(&fixture, 1);
  ok(lead_once(&fixture, 0.05), "a stream that was led just now");
  cds_stream_close(fixture.stream);
  ok(!cds_stream_lead(fixture.stream, -1), "is led no more once it is closed");
  finish(&fixture); /* the thread's memory is counted at the end */
}

int main(void) {
  test_reports();
  test_small_queue();
  test_time();
  test_woken();
  test_pipe();
  test_away();
  test_not();
  test_close();
  return done();
}
