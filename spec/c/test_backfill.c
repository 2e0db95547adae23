/* SPDX-License-Identifier: MIT
 * What a stream missed, asked for over REST: page by page, with failures of every kind, slowly, in vain. */
#include "history_service.h"
#include "stream/backfill.h"

static struct history service;

static struct ws_parallel *begin_history(struct fixture *fixture, unsigned page_size) {
  memset(&service, 0, sizeof service);
  service.page_size = page_size;
  service.skip_from = 4;
  service.skip_to = 19;
  return history_begin(fixture, &service);
}

/* Opens the stream, and lets the connection send 1, 2, 3 and 20 of each feed. */
static void open_with_gap(struct fixture *fixture, size_t feeds) {
  struct seen_events seen = {0};
  open_stream(fixture, feeds);
  WAIT_FOR(fixture, &seen, atomic_load(&service.up) == 1);
  atomic_store(&service.sent, 20);
}

static void test_page_by_page(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 4);
  open_with_gap(&fixture, 1);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  atomic_store(&service.sent, 22);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 22);
  struct cds_stream_stats stats = stats_of(&fixture);
  is_number((long long)log.jumps, 0, "every report, in order");
  is_number((long long)stats.backfilled, 16, "sixteen of them over REST");
  is_number((long long)stats.accepted, 22, "and none counted twice");
  is_number((long long)stats.gaps, 1, "there was one gap");
  is_number((long long)log.gaps, 1, "which was told");
  is_number((long long)stats.empty_gaps, 0, "and not empty");
  is_number((long long)stats.lost, 0, "nothing was lost");
  is_number(atomic_load(&service.questions[1]), 6, "six pages of four, each from the second where the last ended");
  is_number(atomic_load(&service.out_of_order), 0, "in order");
  is_number((long long)log.backfilled, 6, "and each was told");
  ok(log.filled_from[1] == 4 && log.filled_to[1] == 19 && log.filled_odd == 0, "with the seconds that it had");
  history_end(&fixture, host);
}

/* Each feed's first question meets another failure, the last three feeds' one that is final. */
static void test_failures(void) {
  static const char *const failures[] = {
    NULL,
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<html>sorry</html>..",
    "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"reports\":[",
    "",
    NULL, /* reports from before what was asked for */
    NULL, /* a report of another feed */
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
  };
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  memcpy(service.wrong, failures, sizeof failures);
  char *early = history_answer(history_page(6, 1, 2, false)), *other = history_answer(history_page(1, 4, 5, false));
  service.wrong[6] = early;
  service.wrong[7] = other;
  open_with_gap(&fixture, 10);
  HISTORY_UNTIL(&fixture, &log, history_all_at(&log, 10, 20));
  struct cds_stream_stats stats = stats_of(&fixture);
  is_number((long long)stats.backfilled, 7 * 16, "seven feeds are complete");
  is_number((long long)log.jumps, 3, "the other three go on after the gap");
  is_number((long long)log.back, 0, "no report is older than the one before");
  for (unsigned feed = 1; feed <= 10; feed++)
    is_number(atomic_load(&service.questions[feed]) == 1, feed >= 8, feed >= 8 ? "not asked again" : "asked again");
  long long waited_ms = atomic_load(&service.second_ms[2]) - atomic_load(&service.first_ms[2]);
  ok(waited_ms >= 1000, "not sooner than the service said: after %lld ms", waited_ms);
  is_number((long long)stats.lost, 3, "three ranges are lost");
  is_number((long long)log.lost, 3, "which is told");
  ok(log.lost_from >= 3 && log.lost_from <= 4 && log.lost_to >= 19 && log.lost_to <= 20, "from %u to %u", log.lost_from,
     log.lost_to);
  is_string(log.reason, "the service refused to answer for it", "with the reason");
  history_end(&fixture, host);
  free(early);
  free(other);
}

static void test_backwards(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  char *backwards = history_answer(history_page(1, 3, 20, true));
  service.wrong[1] = backwards;
  open_with_gap(&fixture, 1);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  is_number((long long)log.jumps, 0, "a page that goes backwards comes in order");
  is_number(atomic_load(&service.questions[1]), 1, "and need not be asked for again");
  history_end(&fixture, host);
  free(backwards);
}

static void test_slow(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  atomic_store(&service.silent, true);
  open_with_gap(&fixture, 1);
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.open_questions) == 1);
  atomic_store(&service.sent, 25);
  HISTORY_UNTIL(&fixture, &log, stats_of(&fixture).total_received == 3 + 6);
  is_number(log.last[1], 3, "what is live waits for the answer");
  is_number((long long)stats_of(&fixture).accepted, 3, "and is not delivered before it");
  atomic_store(&service.silent, false);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 25);
  is_number((long long)log.jumps, 0, "then all comes in order");
  is_number((long long)stats_of(&fixture).accepted, 25, "each once");
  history_end(&fixture, host);
}

static void test_at_once(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  atomic_store(&service.silent, true);
  open_with_gap(&fixture, HISTORY_FEEDS);
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.open_questions) == CDS_BACKFILL_AT_ONCE);
  atomic_store(&service.silent, false);
  HISTORY_UNTIL(&fixture, &log, history_all_at(&log, HISTORY_FEEDS, 20));
  is_number(atomic_load(&service.at_most), CDS_BACKFILL_AT_ONCE, "so many questions at once, and no more");
  is_number((long long)log.jumps, 0, "every feed is complete");
  history_end(&fixture, host);
}

/* The queue holds four: as long as it is full, REST is not asked for more. */
static void test_reader_behind(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_history(&fixture, 4);
  fixture.config.stream.queue_size = 4;
  open_with_gap(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.queue_length >= 4);
  usleep(200000); /* time for a mistake; none is needed to pass */
  is_number(atomic_load(&service.questions[1]), 1, "one page is asked for while nobody reads");
  ok(stats_of(&fixture).queue_length <= 4 + 4, "and no more than it waits in the queue");
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  is_number((long long)log.jumps, 0, "reading brings the rest, complete");
  history_end(&fixture, host);
}

static void test_start(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 4);
  service.skip_to = 0;
  atomic_store(&service.sent, 30);
  fixture.config.stream.has_start = true;
  fixture.config.stream.start = base_time + 11;
  log.last[1] = 10;
  open_stream(&fixture, 1);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 30 && atomic_load(&service.up) == 1);
  atomic_store(&service.sent, 35);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 35);
  is_number((long long)log.jumps, 0, "from the second that was asked for into live, without a seam");
  history_end(&fixture, host);
}

/* The first report that goes out is a live one then, which the page has as well. */
static void test_start_by_arrival(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  atomic_store(&service.silent, true);
  atomic_store(&service.sent, 29);
  fixture.config.stream.order = CDS_ORDER_ARRIVAL;
  fixture.config.stream.has_start = true;
  fixture.config.stream.start = base_time + 11;
  open_stream(&fixture, 1);
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.up) == 1);
  atomic_store(&service.sent, 30);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 30);
  atomic_store(&service.silent, false);
  HISTORY_UNTIL(&fixture, &log, stats_of(&fixture).backfilled == 19);
  is_number((long long)stats_of(&fixture).accepted, 20, "what lies before the first live report comes after it");
  is_number((long long)stats_of(&fixture).lost, 0, "nothing is lost");
  history_end(&fixture, host);
}

static void test_close(bool whole_client) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 4);
  atomic_store(&service.silent, true);
  fixture.config.timeout = 3600; /* so that a question which is not given up stays */
  open_with_gap(&fixture, 3);
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.open_questions) == 3);
  int64_t before = cds_clock_mono_ms();
  if (whole_client) cds_client_close(fixture.client);
  else cds_stream_close(fixture.stream);
  ok(cds_clock_mono_ms() - before < WAIT_MS / 3, "closing does not wait for an answer");
  int64_t until = cds_clock_mono_ms() + WAIT_MS;
  while (atomic_load(&service.open_questions) > 0 && cds_clock_mono_ms() < until) usleep(2000);
  is_number(atomic_load(&service.open_questions), 0, "and gives the questions up");
  struct cds_error err = {0};
  ok(history_take(&log, &fixture, &err) && err.status == CDS_E_CLOSED, "the stream is closed");
  is_number((long long)stats_of(&fixture).lost, 0, "nothing is told as lost");
  history_end(&fixture, host);
}

/* Whatever the client does with calls of the script's. */
static void test_repeated_by_sequence(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  fixture.config.max_retries = 3;
  fixture.config.retry_delay = fixture.config.retry_max_delay = 3600;
  service.wrong[1] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  open_with_gap(&fixture, 1);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  is_number((long long)log.jumps, 0, "a failed question is asked again by the sequence's times, not by the client's");
  history_end(&fixture, host);
}

int main(void) {
  test_page_by_page();
  test_failures();
  test_repeated_by_sequence();
  test_backwards();
  test_slow();
  test_at_once();
  test_reader_behind();
  test_start();
  test_start_by_arrival();
  test_close(false);
  test_close(true);
  return done();
}
