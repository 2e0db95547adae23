/* SPDX-License-Identifier: MIT
 * The connections of a stream of trades, one after another: what is told of each, after how long the next one is asked
 * for, and for how long a token is used. The clock is the test's, and so are random numbers. */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD is, and is the way to random numbers that are known */
#include <fcntl.h>
#include <math.h>
#include <openssl/rand.h>

#include "context/backoff.h"
#include "rest/rest_thread.h"
#include "rest_fixture.h"

#define STREAM HEAD("200 OK", "\r\n") /* until the connection ends */
#define TRADE "{\"f\":\"t\",\"i\":\"A\",\"p\":1e18,\"t\":1}"
#define TOKEN_END INT64_C(1700000000)

/* ---- time ---- */

static atomic_llong mono_ms = 5000, wall_ms = 1600000000000;

int64_t cds_clock_mono_ms(void) {
  return atomic_load(&mono_ms);
}

int64_t cds_clock_mono_ns(void) {
  return atomic_load(&mono_ms) * 1000000;
}

int64_t cds_clock_wall_ms(void) {
  return atomic_load(&wall_ms);
}

static int all_ones(unsigned char *out, int count) {
  memset(out, 0xff, (size_t)count);
  return 1;
}

/* ---- a stream ---- */

static char *token_answer;
static struct fixture fixture;
static struct cds_trades *trades;
static struct cds_event *events[64]; /* of a stream's state, as they came */
static size_t event_count;
static size_t trade_count;
static struct cds_error why;
static int breaker_failures;

static void begin_waiting(const struct http_step *steps, size_t count, double patience, double delay, double most) {
  char url[64];
  struct cds_error err;
  begin(&fixture, steps, count);
  snprintf(url, sizeof url, "http://127.0.0.1:%d/prices", fixture.server->port);
  http_check(cds_url_parse(&fixture.config.prices, url, "price_url", NULL) == CDS_OK, "price_url");
  fixture.config.breaker_failures = breaker_failures;
  fixture.config.stream.reconnect_delay = delay;
  fixture.config.stream.reconnect_max_delay = most;
  fixture.config.stream.max_reconnects = 4;
  event_count = trade_count = 0;
  atomic_store(&mono_ms, 5000);
  start_client(&fixture);
  http_check(cds_trades_open(&trades, fixture.client, "symbol=A", patience, &err) == CDS_OK, "cds_trades_open");
}

/* That asks again at once. */
static void begin_trades(const struct http_step *steps, size_t count, double patience) {
  begin_waiting(steps, count, patience, 0, 0);
}

static void end_trades(void) {
  for (size_t i = 0; i < event_count; i++) cds_event_free(events[i]);
  cds_trades_free(trades);
  end(&fixture);
}

/* Takes what is there; true when it is over. */
static bool take(void) {
  struct cds_event *event;
  struct cds_trade trade;
  enum cds_trades_pop pop;
  while ((pop = cds_trades_pop(&trade, trades, &why)) == CDS_TRADES_ONE) trade_count++;
  while ((event = cds_trades_take_event(trades)) != NULL)
    if (event->kind == CDS_EVENT_STATUS && event_count < 64) events[event_count++] = event;
    else cds_event_free(event);
  return pop == CDS_TRADES_OVER;
}

/* Until that many events of states and trades came, or it is over. */
static void await(size_t of_states, size_t of_trades) {
  while (!take() && (event_count < of_states || trade_count < of_trades)) {
    struct pollfd fd = {cds_trades_fd(trades), POLLIN, 0};
    http_check(poll(&fd, 1, WAIT_MS) == 1, "nothing came");
  }
}

static void await_end(void) {
  await(SIZE_MAX, SIZE_MAX);
}

static void is_state(size_t index, enum cds_link_state state, int attempt, double delay, const char *words) {
  static const struct cds_event none;
  const struct cds_event *event = index < event_count ? events[index] : &none;
  const enum cds_log_level level = state == CDS_LINK_FAILED         ? CDS_LOG_ERROR
                                   : state == CDS_LINK_RECONNECTING ? CDS_LOG_WARN
                                                                    : CDS_LOG_INFO;
  char host[64];
  snprintf(host, sizeof host, "127.0.0.1:%d", fixture.server->port);
  ok(event->kind == CDS_EVENT_STATUS && event->state == state && event->level == level, "state %zu", index);
  is_number(event->attempt, attempt, "after so many failures");
  ok(event->delay == delay, "and so long: %g", event->delay);
  is_string(event->host, host, "of this host");
  if (!ok(strstr(event->message, words) != NULL, "for this reason: %s", words)) printf("# %s\n", event->message);
}

/* ---- what is told ---- */

#define ENDED "the service has ended the stream of trades"

static void test_states(void) {
  const struct http_step steps[] = {answer(token_answer), answer_and_close(STREAM TRADE), answer_and_close(STREAM),
                                    answer(HEAD("404 Not Found", "Content-Length: 0\r\n\r\n"))};
  begin_trades(steps, 4, 60);
  await_end();
  is_state(0, CDS_LINK_CONNECTED, 0, 0, "");
  is_state(1, CDS_LINK_DISCONNECTED, 0, 0, ENDED);
  is_state(2, CDS_LINK_RECONNECTING, 1, 0, ENDED);
  is_state(3, CDS_LINK_RECONNECTING, 2, 0, ENDED);
  is_state(4, CDS_LINK_FAILED, 3, 0, "404");
  is_number(event_count, 5, "and nothing else is told");
  struct cds_trades_stats stats;
  cds_trades_stats(&stats, trades);
  ok(stats.reconnects == 2 && !stats.is_connected && trade_count == 1, "as is counted");
  ok(why.status == CDS_E_API && why.http_status == 404, "the end is the last failure");
  end_trades();
}

/* Of what a connection ended in the middle of, nothing is left for the next one. */
static void test_cut(void) {
  const struct http_step steps[] = {answer(token_answer), answer_and_close(STREAM "{\"f\":\"t\",\"i\":\"B"),
                                    answer(STREAM TRADE)};
  struct cds_trades_stats stats;
  begin_trades(steps, 3, 60);
  await(2, 1);
  is_state(1, CDS_LINK_CONNECTED, 1, 0, "");
  cds_trades_stats(&stats, trades);
  ok(trade_count == 1 && stats.decode_errors == 0, "what is cut short is left out");
  end_trades();
}

/* A client that is closed tells of no failure. */
static void test_closed(void) {
  const struct http_step steps[] = {answer(token_answer), answer(STREAM TRADE)};
  begin_trades(steps, 2, 60);
  await(1, 1);
  cds_client_close(fixture.client);
  await_end();
  is_number(why.status, CDS_E_CLOSED, "the client's end is the stream's");
  is_number(event_count, 2, "which is told");
  is_state(1, CDS_LINK_DISCONNECTED, 0, 0, "closed");
  end_trades();
}

/* ---- how long it waits ---- */

static void on_ring(void *context) {
  atomic_fetch_add((atomic_int *)context, 1);
}

/* The REST thread has done all that it had begun, and looked at the clock. */
static void settle(void) {
  atomic_int rings = 0;
  struct cds_timer timer = {.ring = on_ring, .context = &rings};
  struct cds_error err;
  bool added;
  for (int i = 1; i <= 2; i++) { /* the second rings when all behind the first was done */
    http_check(cds_rest_thread_set_timer(fixture.client->rest, &timer, 0, &added, &err) == CDS_OK, "a timer");
    for (int polls = 0; atomic_load(&rings) < i && polls < WAIT_MS; polls++) poll(NULL, 0, 1);
    http_check(atomic_load(&rings) == i, "the REST thread stands still");
  }
}

static void set_clock(int64_t ms) {
  settle();
  atomic_store(&mono_ms, ms);
  settle();
}

static void test_delays(void) {
  const RAND_METHOD ones = {.bytes = all_ones};
  const struct http_step steps[] = {answer(token_answer), answer_and_close(STREAM)};
  const double almost_one = nextafter(1, 0);
  int64_t now_ms = 5000;
  RAND_set_rand_method(&ones);
  begin_waiting(steps, 2, 1e6, 16, 100);
  for (size_t i = 0; i < 4; i++) {
    await(i + 1, 0);
    double delay = cds_backoff_delay((unsigned)i, 16, 100, almost_one);
    is_state(i, CDS_LINK_RECONNECTING, (int)i + 1, delay, ENDED);
    size_t requests = http_request_count(fixture.server);
    now_ms += (int64_t)(delay * 1000);
    set_clock(now_ms - 1);
    is_number(http_request_count(fixture.server), requests, "before its time nothing is asked");
    set_clock(now_ms);
  }
  await_end();
  RAND_set_rand_method(NULL);
  is_state(4, CDS_LINK_FAILED, 5, 0, ENDED);
  is_number(http_request_count(fixture.server), 6, "one token serves them all");
  end_trades();
}

static void test_told_delay(void) {
  const struct http_step steps[] = {
    answer(token_answer), answer(HEAD("429 Too Many Requests", "Retry-After: 7\r\nContent-Length: 0\r\n\r\n")),
    answer(STREAM TRADE)};
  begin_waiting(steps, 3, 1e6, 1000, 1000);
  await(1, 0);
  is_state(0, CDS_LINK_RECONNECTING, 1, 7, "429");
  set_clock(5000 + 7000);
  await(2, 1);
  is_state(1, CDS_LINK_CONNECTED, 1, 0, "");
  end_trades();
}

/* A client's circuit breaker, which opens at the first failure of anything else. */
static void test_no_circuit(void) {
  const struct http_step steps[] = {
    answer(token_answer), answer(HEAD("503 Service Unavailable", "Content-Length: 0\r\n\r\n")), answer(STREAM TRADE)};
  breaker_failures = 1;
  begin_trades(steps, 3, 60);
  breaker_failures = 0;
  await(2, 1);
  is_state(0, CDS_LINK_RECONNECTING, 1, 0, "503");
  is_state(1, CDS_LINK_CONNECTED, 1, 0, "");
  end_trades();
}

/* ---- silence, and what was good before ---- */

static void silent_after(double patience, int attempt) {
  const struct http_step steps[] = {answer(token_answer), answer_and_close(STREAM), answer(STREAM TRADE)};
  const int64_t until_ms = 5000 + (int64_t)(patience * 1000);
  char words[64];
  begin_trades(steps, 3, patience);
  await(2, 1);
  is_state(0, CDS_LINK_RECONNECTING, 1, 0, ENDED);
  is_state(1, CDS_LINK_CONNECTED, 1, 0, "");
  set_clock(until_ms - 1);
  take();
  is_number(event_count, 2, "before its time nothing is silent");
  set_clock(until_ms);
  await(5, 2);
  snprintf(words, sizeof words, "nothing was heard for %g s (heartbeat_timeout)", patience);
  is_state(2, CDS_LINK_DISCONNECTED, attempt - 1, 0, words);
  is_state(3, CDS_LINK_RECONNECTING, attempt, 0, words);
  is_state(4, CDS_LINK_CONNECTED, attempt, 0, "");
  end_trades();
}

/* ---- tokens ---- */

static void used_at(int64_t ms, size_t requests) {
  const struct http_step again[] = {answer(token_answer), answer_and_close(STREAM TRADE), answer(token_answer),
                                    answer(STREAM TRADE)};
  const struct http_step once[] = {answer(token_answer), answer_and_close(STREAM TRADE), answer(STREAM TRADE)};
  atomic_store(&wall_ms, ms);
  begin_trades(requests == 4 ? again : once, requests, 60);
  await(4, 2);
  is_number(http_request_count(fixture.server), requests, "requests");
  ok(strncmp(fixture.server->requests[2].text, requests == 4 ? "POST " : "GET ", 4) == 0,
     requests == 4 ? "for another token, too" : "by the same token");
  end_trades();
}

/* A token that is refused and was good before is got anew, at once; a new one is not. */
static void test_refused_later(void) {
  const struct http_step refused = answer(HEAD("401 Unauthorized", "Content-Length: 0\r\n\r\n"));
  const struct http_step steps[] = {answer(token_answer), answer_and_close(STREAM TRADE), refused, answer(token_answer),
                                    refused};
  begin_trades(steps, 5, 60);
  await_end();
  is_number(http_request_count(fixture.server), 5, "requests");
  ok(strncmp(fixture.server->requests[3].text, "POST ", 5) == 0, "a token that was good is got anew");
  is_state(2, CDS_LINK_RECONNECTING, 1, 0, ENDED);
  is_state(3, CDS_LINK_FAILED, 2, 0, "401");
  is_number(event_count, 4, "of which nothing is told");
  end_trades();
}

/* ---- the child of a fork ---- */

static void test_forked(void) {
  const struct http_step steps[] = {answer(token_answer), answer(STREAM TRADE)};
  struct cds_trades_stats stats;
  struct cds_trade trade;
  struct cds_error err = {0};
  begin_trades(steps, 2, 60);
  while (cds_trades_stats(&stats, trades), stats.received == 0) poll(NULL, 0, 1);
  fixture.client->forks++;
  ok(cds_trades_pop(&trade, trades, &err) == CDS_TRADES_OVER && err.status == CDS_E_CLOSED, "a child has no trades");
  ok(cds_trades_take_event(trades) == NULL, "nor events");
  cds_trades_stats(&stats, trades);
  ok(stats.received == 0 && stats.waiting == 0, "nor numbers");
  ok(cds_trades_is_closed(trades), "for it all is over");
  cds_trades_close(trades);
  fixture.client->forks--;
  ok(!cds_trades_is_closed(trades), "which is not so for the parent");
  await(1, 1);
  is_number(trade_count, 1, "who has them");
  fixture.client->forks++;
  int fd = cds_trades_fd(trades);
  cds_trades_free(trades);
  ok(fcntl(fd, F_GETFD) < 0, "a child gives its descriptor back");
  fixture.client->forks--;
  end_trades();
  cds_trades_free(NULL);
}

int main(void) {
  token_answer =
    with_body(HEAD("200 OK", ""), "{\"s\":\"ok\",\"d\":{\"access_token\":\"to.ken\",\"expiration\":1700000000}}");
  test_states();
  test_cut();
  test_closed();
  test_delays();
  test_told_delay();
  test_no_circuit();
  silent_after(1, 1);
  silent_after(0.999, 2);
  used_at((TOKEN_END - 60) * 1000 - 1, 3);
  used_at((TOKEN_END - 60) * 1000, 4);
  atomic_store(&wall_ms, 1600000000000);
  test_refused_later();
  test_forked();
  free(token_answer);
  return done();
}
