/* SPDX-License-Identifier: MIT
 * What a page may bring and what becomes of it: forged reports, those from before a stream's beginning, more than the
 * queue has room for; and questions that nobody waits for any more. */
#include "forged.h"
#include "history_service.h"
#include "stream/backfill.h"

static struct history service;

static struct ws_parallel *begin_history(struct fixture *fixture, unsigned page_size) {
  memset(&service, 0, sizeof service);
  service.page_size = page_size;
  return history_begin(fixture, &service);
}

/* Opens the stream; the connection sends the reports up to skip_from - 1, and then the 20th, of each feed. */
static void open_with_gap(struct fixture *fixture, size_t feeds, uint32_t skip_from) {
  struct seen_events seen = {0};
  service.skip_from = skip_from;
  service.skip_to = 19;
  open_stream(fixture, feeds);
  WAIT_FOR(fixture, &seen, atomic_load(&service.up) == 1);
  atomic_store(&service.sent, 20);
}

/* ---- signatures ---- */

static void test_forged_page(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  struct cds_signer_registry *signers = forged_begin(&fixture);
  history_message = signed_message;
  forges = true;
  char *forged = history_answer(history_page(1, 4, 19, false));
  forges = false;
  service.wrong[1] = forged;
  open_with_gap(&fixture, 1, 4);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  struct cds_stream_stats stats = stats_of(&fixture);
  is_number((long long)stats.unverified, 16, "a page's forged reports are counted");
  is_number((long long)log.odd, 0, "and not delivered");
  is_number((long long)stats.accepted, 20, "which leaves twenty");
  is_number((long long)stats.backfilled, 16, "the genuine ones are asked for");
  is_number((long long)log.jumps, 0, "and come in order");
  history_end(&fixture, host);
  forged_end(signers);
  history_message = next_message;
  free(forged);
}

/* ---- the beginning ---- */

/* A stream begins in the middle of a second: what that one had before is not the stream's. */
static void test_before_beginning(void) {
  static const char opening[] = "{\"reports\":[", envelope[] = "{\"report\":";
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  char *page = history_page(1, 1, 20, false), *with = malloc(strlen(page) + 2 * (size_t)ENVELOPE_MAX);
  if (with == NULL) abort();
  int used = sprintf(with, "%s", opening);
  for (unsigned variant = 8; variant <= 9; variant++) {
    const char *earlier = message(1, base_time + 1, base_time + 1, variant) + strlen(envelope);
    used += sprintf(with + used, "%.*s,", (int)strlen(earlier) - 1, earlier);
  }
  sprintf(with + used, "%s", page + strlen(opening));
  char *answer = history_answer(with);
  service.wrong[1] = answer;
  open_with_gap(&fixture, 1, 2);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  is_number((long long)stats_of(&fixture).accepted, 20, "nothing from before the first report is delivered");
  is_number((long long)log.jumps, 0, "and all that came after it");
  history_end(&fixture, host);
  free(page);
  free(answer);
}

/* Its first page has only what the second had before, and not the beginning itself: nothing shows where that lies. */
static void test_without_beginning(void) {
  static const char envelope[] = "{\"report\":";
  struct fixture fixture;
  struct history_log log = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  char *with = malloc(2 * (size_t)ENVELOPE_MAX + 64);
  if (with == NULL) abort();
  int used = sprintf(with, "{\"reports\":[");
  for (unsigned variant = 8; variant <= 9; variant++) {
    const char *earlier = message(1, base_time + 1, base_time + 1, variant) + strlen(envelope);
    used += sprintf(with + used, "%s%.*s", variant > 8 ? "," : "", (int)strlen(earlier) - 1, earlier);
  }
  sprintf(with + used, "]}");
  char *answer = history_answer(with);
  service.wrong[1] = answer;
  open_with_gap(&fixture, 1, 2);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  is_number((long long)stats_of(&fixture).accepted, 22, "so all of it is taken, and all that is missing");
  history_end(&fixture, host);
  free(answer);
}

static void test_start_without_backfill(void) {
  struct fixture fixture;
  struct cds_error err = {0};
  struct cds_feed_id feed = feed_number(1);
  begin(&fixture, NULL, NULL);
  add_origin(&fixture, "127.0.0.1", 9, "");
  struct cds_stream_config config = fixture.config.stream;
  config.has_start = true;
  config.start = base_time;
  if (cds_client_new(&fixture.client, &fixture.config, &err) != CDS_OK) abort();
  is_number(cds_stream_open(&fixture.stream, fixture.client, &feed, 1, &config, &err), CDS_E_CONFIG,
            "a start without backfill is refused");
  is_string(err.message, "start: a stream that begins in the past needs backfill", "in words");
  ok(fixture.stream == NULL, "and there is no stream");
  finish(&fixture);
}

/* ---- bounds ---- */

/* A page has far more than the queue has room for. */
static void test_page_and_queue(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  fixture.config.stream.queue_size = 4;
  open_with_gap(&fixture, 1, 2);
  WAIT_FOR(&fixture, &seen, stats.queue_length >= 4 && atomic_load(&service.questions[1]) == 1);
  usleep(200000); /* time for a mistake; none is needed to pass */
  is_number((long long)stats_of(&fixture).queue_length, 4, "a page fills the queue, and no more");
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  is_number((long long)log.jumps, 0, "reading brings the rest, complete");
  is_number((long long)stats_of(&fixture).accepted, 20, "and once");
  history_end(&fixture, host);
}

static void test_queue_bytes(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_history(&fixture, 32);
  fixture.config.stream.queue_bytes = 8000; /* the queue's part has room for five or six of these reports */
  open_with_gap(&fixture, 1, 2);
  WAIT_FOR(&fixture, &seen, stats.queue_length >= 4);
  usleep(200000);
  ok(stats_of(&fixture).queue_length < 8, "bytes bound the queue too");
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  is_number((long long)log.jumps, 0, "and nothing is missing");
  history_end(&fixture, host);
}

/* ---- questions without a purpose ---- */

static void test_given_up(void) {
  struct fixture fixture;
  struct history_log log = {0};
  struct cds_error err = {0};
  struct cds_feed_id feed = feed_number(2);
  struct ws_parallel *host = begin_history(&fixture, 4);
  atomic_store(&service.silent, true);
  fixture.config.timeout = 3600;
  open_with_gap(&fixture, 2, 4);
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.open_questions) == 2);
  is_number(cds_stream_unsubscribe(fixture.stream, &feed, 1, &err), CDS_OK, "a feed is taken out");
  HISTORY_UNTIL(&fixture, &log, atomic_load(&service.open_questions) == 1);
  atomic_store(&service.silent, false);
  HISTORY_UNTIL(&fixture, &log, log.last[1] == 20);
  is_number((long long)log.jumps, 0, "the other one's question is answered");
  history_end(&fixture, host);
}

int main(void) {
  test_forged_page();
  test_before_beginning();
  test_without_beginning();
  test_start_without_backfill();
  test_page_and_queue();
  test_queue_bytes();
  test_given_up();
  return done();
}
