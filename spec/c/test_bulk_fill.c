/* SPDX-License-Identifier: MIT
 * Many feeds' gap filled by the bulk endpoint: how often it is asked, what it may answer, and when pages are asked. */
#include "forged.h"
#include "history_service.h"
#include "stream/backfill.h"

#define FEEDS 10
#define AFTER 10     /* the gap is 7, 8 and 9 */
#define RECEIVED 7   /* reports of each feed when the gap shows */
#define DELAY_MS 100 /* then REST is asked for the first feed, and for all whose gap has shown by then */

static struct history service;
static bool is_slow; /* the gaps came to light one after the other, or may have: the first may be asked for alone */

static struct ws_parallel *begin_history(struct fixture *fixture) {
  memset(&service, 0, sizeof service);
  service.page_size = 32;
  service.skip_from = 7;
  service.skip_to = 9;
  return history_begin(fixture, &service);
}

/* A checker slows the engine's own time between a gap and its question, too. */
static bool is_checked(void) {
#ifdef __SANITIZE_THREAD__
  return true;
#else
  return getenv("WRAP") != NULL;
#endif
}

static bool shows_late(struct fixture *fixture, size_t feeds) {
  int64_t from_ms = cds_clock_mono_ms(), passed_ms = 0;
  while (stats_of(fixture).total_received < feeds * RECEIVED && passed_ms < DELAY_MS) {
    usleep(1000);
    passed_ms = cds_clock_mono_ms() - from_ms;
  }
  return passed_ms >= DELAY_MS;
}

/* Opens the stream, and lets the connection send 1 to 6 and the 10th of each feed. */
static void open_with_gap(struct fixture *fixture, struct history_log *log, size_t feeds) {
  struct seen_events seen = {0};
  open_stream(fixture, feeds);
  WAIT_FOR(fixture, &seen, atomic_load(&service.up) == 1);
  atomic_store(&service.sent, 6);
  HISTORY_UNTIL(fixture, log, history_all_at(log, (unsigned)feeds, 6));
  atomic_store(&service.sent, AFTER);
  is_slow = shows_late(fixture, feeds) || is_checked();
}

static int pages(void) {
  int count = 0;
  for (unsigned feed = 1; feed <= HISTORY_FEEDS; feed++) count += atomic_load(&service.questions[feed]);
  return count;
}

/* other: pages that are to be asked for at any speed. */
static bool is_by_bulk(int other) {
  return pages() == other || (is_slow && pages() < FEEDS / 2);
}

static void is_complete(struct fixture *fixture, struct history_log *log, size_t feeds, const char *after) {
  HISTORY_UNTIL(fixture, log, history_all_at(log, (unsigned)feeds, AFTER));
  struct cds_stream_stats stats = stats_of(fixture);
  ok(log->jumps == 0, "%s: every report, in order", after);
  ok(stats.backfilled == feeds * 3, "%s: %llu over REST", after, (unsigned long long)stats.backfilled);
  ok(stats.accepted == feeds * AFTER, "%s: none twice", after);
  ok(stats.lost == 0, "%s: nothing is lost", after);
  ok(atomic_load(&service.bulk_repeated) == 0, "%s: no feed is named twice", after);
}

static void test_second_by_second(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture);
  open_with_gap(&fixture, &log, FEEDS);
  is_complete(&fixture, &log, FEEDS, "bulk");
  int questions = atomic_load(&service.bulk_questions);
  ok(questions == 3 || (is_slow && questions % 3 == 0), "a question for each second: %d", questions);
  is_number(atomic_load(&service.bulk_feeds) + 3 * pages(), 3 * FEEDS, "of all feeds that no page was asked for");
  ok(is_by_bulk(0), "and there was none: %d pages", pages());
  is_number((long long)stats_of(&fixture).gaps, FEEDS, "each feed had a gap");
  is_number((long long)stats_of(&fixture).empty_gaps, 0, "that was not empty");
  HISTORY_UNTIL(&fixture, &log, log.backfilled == FEEDS);
  is_number((long long)log.backfilled, FEEDS, "and each was told once");
  for (unsigned feed = 1; feed <= FEEDS; feed++)
    ok(log.filled_from[feed] == 7 && log.filled_to[feed] == 9, "with its seconds");
  history_end(&fixture, host);
}

static void test_few_feeds(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture);
  open_with_gap(&fixture, &log, 4);
  is_complete(&fixture, &log, 4, "four feeds");
  is_number(atomic_load(&service.bulk_questions), 0, "are asked for by pages");
  history_end(&fixture, host);
}

static void test_long_gap(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture);
  service.skip_from = 2;
  service.skip_to = 0;
  open_stream(&fixture, FEEDS);
  struct seen_events seen = {0};
  WAIT_FOR(&fixture, &seen, atomic_load(&service.up) == 1);
  atomic_store(&service.sent, 6);
  HISTORY_UNTIL(&fixture, &log, history_all_at(&log, FEEDS, 6));
  service.skip_from = 7;
  service.skip_to = 6 + FEEDS;
  atomic_store(&service.sent, 7 + FEEDS);
  HISTORY_UNTIL(&fixture, &log, history_all_at(&log, FEEDS, 7 + FEEDS));
  is_number((long long)log.jumps, 0, "a gap of as many seconds as feeds is filled");
  is_number(atomic_load(&service.bulk_questions), 0, "by pages, as these are no more");
  is_number(pages(), FEEDS, "one for each feed");
  history_end(&fixture, host);
}

/* One feed's reports are not to be had from the bulk endpoint: its validities prove that, and a page brings them. */
static void test_partial(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture);
  service.bulk_lacks_feed = 3;
  open_with_gap(&fixture, &log, FEEDS);
  is_complete(&fixture, &log, FEEDS, "206");
  is_number(atomic_load(&service.questions[3]), 1, "the feed that was left out is asked for by itself");
  ok(is_by_bulk(1), "and no other: %d pages", pages());
  history_end(&fixture, host);
}

/* asks_again: what failed is a matter of time. Otherwise pages are asked. */
static void test_wrong(const char *name, const char *answer, bool always, bool asks_again) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture);
  service.bulk_wrong = answer;
  service.bulk_always_wrong = always;
  open_with_gap(&fixture, &log, FEEDS);
  is_complete(&fixture, &log, FEEDS, name);
  ok(is_by_bulk(0) == asks_again, "%s: pages are asked, or not: %d", name, pages());
  history_end(&fixture, host);
}

static void test_failures(void) {
  static const struct {
    const char *answer;
    bool always, asks_again;
  } cases[] = {
    {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", false, true},
    {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", true, false},
    {"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", false, true},
    {"", false, true},
    {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", true, false},
    {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", true, false},
    {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", true, false},
    {"HTTP/1.1 414 URI Too Long\r\nContent-Length: 0\r\n\r\n", true, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<html>sorry</html>..", true, false},
    {"HTTP/1.1 206 OK\r\nContent-Length: 14\r\n\r\n{\"reports\":[]}", true, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    test_wrong(cases[i].answer, cases[i].answer, cases[i].always, cases[i].asks_again);
}

/* Reports that were not asked for. */
static void test_other_reports(void) {
  struct {
    const char *name;
    unsigned feed;
    uint32_t first, last;
  } cases[] = {
    {"a feed that was not asked for", HISTORY_FEEDS, 7, 7},
    {"delivered before", 1, 5, 6},
    {"before what is remembered", 1, 0, 0},
    {"of later seconds", 1, 8, 9},
    {"what is held", 1, AFTER, AFTER},
    {"later than what is held", 1, AFTER + 1, AFTER + 3},
    {"far ahead", 1, 1000000, 1000000},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *answer = history_answer(history_page(cases[i].feed, cases[i].first, cases[i].last, false));
    test_wrong(cases[i].name, answer, true, false);
    free(answer);
  }
}

static void test_repeated(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture);
  char *twice = malloc(2 * (size_t)FEEDS * ENVELOPE_MAX), *at = twice;
  if (twice == NULL) abort();
  at += sprintf(at, "{\"reports\":[");
  for (unsigned i = 0; i < 2 * FEEDS; i++) {
    char *page = history_page(i / 2 + 1, 7, 7, false);
    at += sprintf(at, "%s%.*s", i > 0 ? "," : "", (int)strlen(page) - (int)strlen("{\"reports\":[]}"),
                  strchr(page, '[') + 1);
    free(page);
  }
  sprintf(at, "]}");
  char *answer = history_answer(twice);
  service.bulk_wrong = answer;
  open_with_gap(&fixture, &log, FEEDS);
  is_complete(&fixture, &log, FEEDS, "twice the same");
  is_number(pages(), 0, "no page is needed");
  history_end(&fixture, host);
  free(answer);
}

static void test_forged(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture);
  struct cds_signer_registry *signers = forged_begin(&fixture);
  history_message = signed_message;
  forges = true;
  char *forged = history_answer(history_page(1, 7, 7, false));
  forges = false;
  service.bulk_wrong = forged;
  open_with_gap(&fixture, &log, FEEDS);
  is_complete(&fixture, &log, FEEDS, "forged");
  bool was_asked = atomic_load(&service.bulk_questions) > 0;
  ok(was_asked || is_slow, "the bulk endpoint is asked");
  is_number((long long)stats_of(&fixture).unverified, was_asked, "a forged report is counted");
  is_number((long long)log.no_memory, 0, "and not taken for a lack of memory");
  is_number((long long)log.odd, 0, "and not delivered");
  history_end(&fixture, host);
  forged_end(signers);
  history_message = next_message;
  free(forged);
}

/* ---- two reports a second ---- */

static const char *paired_message(unsigned feed, uint32_t number) {
  return message(feed, base_time + (number + 1) / 2, base_time + (number + 1) / 2, number % 2);
}

/* A validity proves nothing of a feed that has two, and the bulk endpoint brings one. */
static void test_two_a_second(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_history(&fixture);
  history_message = paired_message;
  service.skip_from = 13; /* of second 7 */
  service.skip_to = 18;
  open_stream(&fixture, FEEDS);
  WAIT_FOR(&fixture, &seen, atomic_load(&service.up) == 1);
  atomic_store(&service.sent, 12);
  HISTORY_UNTIL(&fixture, &log, history_all_at(&log, FEEDS, 6));
  atomic_store(&service.sent, 20);
  HISTORY_UNTIL(&fixture, &log, stats_of(&fixture).accepted == (size_t)FEEDS * 20);
  is_number((long long)stats_of(&fixture).backfilled, FEEDS * 6, "both reports of each second come over REST");
  is_number(atomic_load(&service.bulk_questions), 0, "by pages");
  history_end(&fixture, host);
  history_message = next_message;
}

/* ---- ends ---- */

static void test_close(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct cds_error err = {0};
  struct ws_parallel *host = begin_history(&fixture);
  atomic_store(&service.silent, true);
  fixture.config.timeout = 3600;
  open_with_gap(&fixture, &log, FEEDS);
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.open_questions) == 1);
  is_number(atomic_load(&service.bulk_questions), 1, "one question is under way");
  cds_stream_close(fixture.stream);
  int64_t until = cds_clock_mono_ms() + WAIT_MS;
  while (atomic_load(&service.open_questions) > 0 && cds_clock_mono_ms() < until) usleep(2000);
  is_number(atomic_load(&service.open_questions), 0, "closing gives it up");
  ok(history_take(&log, &fixture, &err) && err.status == CDS_E_CLOSED, "the stream is closed");
  is_number((long long)stats_of(&fixture).lost, 0, "nothing is told as lost");
  history_end(&fixture, host);
}

static void test_given_up(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct cds_error err = {0};
  struct cds_feed_id feeds[FEEDS - 1];
  struct ws_parallel *host = begin_history(&fixture);
  for (unsigned i = 0; i < FEEDS - 1; i++) feeds[i] = feed_number(i + 2);
  atomic_store(&service.silent, true);
  fixture.config.timeout = 3600;
  open_with_gap(&fixture, &log, FEEDS);
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.open_questions) == 1);
  is_number(cds_stream_unsubscribe(fixture.stream, feeds, FEEDS - 1, &err), CDS_OK, "nine feeds are taken out");
  atomic_store(&service.silent, false);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == AFTER);
  is_number((long long)log.jumps, 0, "the one that stays is complete");
  is_number(atomic_load(&service.questions[1]), 1, "by a page, once the others' seconds are not worth a question");
  history_end(&fixture, host);
}

/* The queue has room for four. */
static void test_reader_behind(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture);
  fixture.config.stream.queue_size = 4;
  struct seen_events seen = {0};
  open_with_gap(&fixture, &log, FEEDS);
  WAIT_FOR(&fixture, &seen, stats.queue_length >= 4 && atomic_load(&service.bulk_questions) == 1);
  usleep(200000); /* time for a mistake; none is needed to pass */
  is_number(atomic_load(&service.bulk_questions), 1, "while nobody reads no other second is asked for");
  is_number((long long)stats_of(&fixture).queue_length, 4, "and the queue is full, and no more");
  is_complete(&fixture, &log, FEEDS, "a small queue");
  history_end(&fixture, host);
}

int main(void) {
  test_second_by_second();
  test_few_feeds();
  test_long_gap();
  test_partial();
  test_failures();
  test_other_reports();
  test_repeated();
  test_forged();
  test_two_a_second();
  test_close();
  test_given_up();
  test_reader_behind();
  return done();
}
