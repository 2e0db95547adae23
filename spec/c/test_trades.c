/* SPDX-License-Identifier: MIT
 * A stream of trades in the engine: token, queue, connections that are made again, and its end. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strcasestr */
#endif

#include "rest_fixture.h"
#include "torture.h"

#define TOKEN_MEMBERS "\"s\":\"ok\",\"d\":{\"access_token\":\"to.ken\",\"expiration\":9000000000}"
#define TOKEN "{" TOKEN_MEMBERS "}"
#define STREAM HEAD("200 OK", "\r\n") /* until the connection ends */
#define TRADE "{\"f\":\"t\",\"i\":\"A\",\"p\":1e18,\"t\":1}"

static char *token_answer, *both_answer;

static void begin_trades(struct fixture *fixture, const struct http_step *steps, size_t count) {
  char url[64];
  begin(fixture, steps, count);
  snprintf(url, sizeof url, "http://127.0.0.1:%d/prices", fixture->server->port);
  http_check(cds_url_parse(&fixture->config.prices, url, "price_url", NULL) == CDS_OK, "price_url");
  fixture->config.stream.reconnect_delay = 0.001;
  fixture->config.stream.reconnect_max_delay = 0.002;
}

static struct cds_trades *open_trades(struct fixture *fixture, double patience) {
  struct cds_trades *trades;
  struct cds_error err;
  start_client(fixture);
  http_check(cds_trades_open(&trades, fixture->client, "symbol=A", patience, &err) == CDS_OK, "cds_trades_open");
  return trades;
}

/* The next trade, or the end, as a script waits for it; events are dropped. */
static enum cds_trades_pop next(struct cds_trade *trade, struct cds_trades *trades, struct cds_error *err) {
  for (;;) {
    struct cds_event *event;
    while ((event = cds_trades_take_event(trades)) != NULL) cds_event_free(event);
    enum cds_trades_pop pop = cds_trades_pop(trade, trades, err);
    if (pop != CDS_TRADES_EMPTY) return pop;
    struct pollfd fd = {cds_trades_fd(trades), POLLIN, 0};
    http_check(poll(&fd, 1, WAIT_MS) == 1, "nothing came");
  }
}

static struct cds_trades_stats stats_of(struct cds_trades *trades) {
  struct cds_trades_stats stats;
  cds_trades_stats(&stats, trades);
  return stats;
}

static void test_requests(void) {
  struct fixture fixture;
  struct cds_trade trade;
  struct cds_error err;
  const struct http_step steps[] = {answer(token_answer),
                                    answer(STREAM "{\"heartbeat\":1}\n{\"f\":\"q\"}" TRADE TRADE)};
  begin_trades(&fixture, steps, 2);
  struct cds_trades *trades = open_trades(&fixture, 60);
  is_number(next(&trade, trades, &err), CDS_TRADES_ONE, "a trade");
  is_string(trade.symbol, "A", "its symbol");
  ok(trade.received_at_ms > 0, "and when it came");
  is_number(next(&trade, trades, &err), CDS_TRADES_ONE, "another one");
  is_number(cds_trades_pop(&trade, trades, &err), CDS_TRADES_EMPTY, "no more");
  struct cds_trades_stats stats = stats_of(trades);
  ok(stats.received == 2 && stats.heartbeats == 1 && stats.ignored == 1 && stats.is_connected, "all is counted");
  is_number(http_request_count(fixture.server), 2, "requests");
  const char *text = fixture.server->requests[1].text;
  ok(strncmp(text, "GET /prices/api/v1/streaming?symbol=A HTTP/1.1\r\n", 48) == 0, "by the query");
  ok(strstr(text, "\r\nAuthorization: Bearer to.ken\r\n") != NULL, "with the token");
  ok(strcasestr(text, "X-Authorization") == NULL && strstr(text, TEST_KEY) == NULL, "and no signature");
  ok(strcasestr(text, "Accept-Encoding") == NULL, "not compressed: that would be kept back");
  cds_trades_free(trades);
  end(&fixture);
}

static void test_no_end_in_time(void) {
  struct fixture fixture;
  struct cds_trade trade;
  struct cds_error err;
  const struct http_step steps[] = {answer(token_answer), answer(STREAM TRADE), answer_and_close(STREAM TRADE TRADE),
                                    answer(STREAM TRADE)};
  begin_trades(&fixture, steps, 4);
  fixture.config.timeout = 0.2; /* of other requests */
  struct cds_trades *trades = open_trades(&fixture, 0.5);
  for (int i = 0; i < 4; i++) is_number(next(&trade, trades, &err), CDS_TRADES_ONE, "a trade");
  ok(stats_of(trades).reconnects >= 2, "behind silence and an end");
  cds_trades_free(trades);
  end(&fixture);
}

/* The script is slow: the oldest are dropped. */
static void test_overflow(void) {
  struct fixture fixture;
  struct cds_trade trade;
  struct cds_error err;
  const size_t count = CDS_MAX_TRADES + 10;
  char *text = malloc(sizeof STREAM + count * 64), *at = stpcpy(text, STREAM);
  for (size_t i = 0; i < count; i++) at += sprintf(at, "{\"f\":\"t\",\"i\":\"A\",\"p\":1,\"t\":%zu}", i);
  const struct http_step steps[] = {answer(token_answer), answer_and_close(text),
                                    answer(HEAD("404 Not Found", "Content-Length: 0\r\n\r\n"))};
  begin_trades(&fixture, steps, 3);
  struct cds_trades *trades = open_trades(&fixture, 60);
  while (stats_of(trades).reconnects == 0) poll(NULL, 0, 1);
  is_number(stats_of(trades).dropped, 10, "the oldest are dropped");
  is_number(stats_of(trades).waiting, CDS_MAX_TRADES, "as many wait as may");
  for (size_t i = 10; i < count; i++)
    if (next(&trade, trades, &err) != CDS_TRADES_ONE || trade.time != (int64_t)i) ok(false, "trade %zu", i);
  is_number(next(&trade, trades, &err), CDS_TRADES_OVER, "then the end");
  is_number(err.http_status, 404, "by what the service answered");
  cds_trades_free(trades);
  end(&fixture);
  free(text);
}

/* A token is used once, whatever its end, and another one is got when that has come. */
static void test_old_token(void) {
  struct fixture fixture;
  struct cds_trade trade;
  struct cds_error err;
  char *old = with_body(HEAD("200 OK", ""), "{\"s\":\"ok\",\"d\":{\"access_token\":\"old\",\"expiration\":1}}");
  const struct http_step steps[] = {answer(old), answer_and_close(STREAM TRADE), answer(token_answer),
                                    answer(STREAM TRADE)};
  begin_trades(&fixture, steps, 4);
  struct cds_trades *trades = open_trades(&fixture, 60);
  is_number(next(&trade, trades, &err), CDS_TRADES_ONE, "a trade");
  is_number(next(&trade, trades, &err), CDS_TRADES_ONE, "and one by another token");
  is_number(http_request_count(fixture.server), 4, "requests");
  ok(strstr(fixture.server->requests[1].text, "Bearer old\r\n") != NULL, "the first token");
  ok(strncmp(fixture.server->requests[2].text, "POST /prices/api/v1/authorize ", 30) == 0, "is renewed");
  ok(strstr(fixture.server->requests[3].text, "Bearer to.ken\r\n") != NULL, "by the next");
  cds_trades_free(trades);
  end(&fixture);
  free(old);
}

static void ends(const struct http_step *steps, size_t count, enum cds_status status, const char *words) {
  struct fixture fixture;
  struct cds_trade trade;
  struct cds_error err;
  begin_trades(&fixture, steps, count);
  fixture.config.stream.max_reconnects = 1;
  struct cds_trades *trades = open_trades(&fixture, 60);
  is_number(next(&trade, trades, &err), CDS_TRADES_OVER, "it ends");
  is_string(cds_status_kind(err.status), cds_status_kind(status), "kind");
  if (!ok(strstr(err.message, words) != NULL, "in words: %s", words)) printf("#   got: %s\n", err.message);
  ok(strstr(err.message, TEST_SECRET) == NULL && strstr(err.message, "to.ken") == NULL, "and no secret");
  is_number(cds_trades_is_closed(trades), 0, "not by a close");
  cds_trades_free(trades);
  end(&fixture);
}

static void test_ends(void) {
  const struct http_step bad = answer(HEAD("200 OK", "Content-Length: 2\r\n\r\n{}"));
  const struct http_step refused = answer(HEAD("401 Unauthorized", "Content-Length: 0\r\n\r\n"));
  const struct http_step garbage[] = {answer(token_answer), answer_and_close(STREAM "<html>")};
  const struct http_step new_token[] = {answer(token_answer), refused};
  ends(&bad, 1, CDS_E_DECODE, "expected an answer with s");
  ends(&refused, 1, CDS_E_AUTH, "401");
  ends(garbage, 2, CDS_E_DECODE, "expected an object");
  ends(new_token, 2, CDS_E_AUTH, "401");
}

static void test_closed(void) {
  struct fixture fixture;
  struct cds_trade trade;
  struct cds_error err;
  const struct http_step steps[] = {answer(token_answer), answer(STREAM TRADE TRADE)};
  begin_trades(&fixture, steps, 2);
  struct cds_trades *trades = open_trades(&fixture, 60), *others;
  while (stats_of(trades).received < 2) poll(NULL, 0, 1);
  cds_trades_close(trades);
  cds_trades_close(trades);
  is_number(next(&trade, trades, &err), CDS_TRADES_OVER, "what waits is given up");
  is_number(err.status, CDS_E_CLOSED, "as it was closed");
  is_number(cds_trades_is_closed(trades), 1, "which is known");
  http_check(cds_trades_open(&others, fixture.client, "symbol=A", 60, &err) == CDS_OK, "cds_trades_open");
  cds_client_close(fixture.client);
  while (next(&trade, others, &err) == CDS_TRADES_ONE) continue;
  is_number(err.status, CDS_E_CLOSED, "a client that is closed ends its own");
  cds_trades_free(others);
  is_number(cds_trades_open(&others, fixture.client, "symbol=A", 60, &err), CDS_E_CLOSED, "and has no more");
  end(&fixture);
  cds_trades_free(trades);
}

static void test_refusals(void) {
  struct fixture fixture;
  struct cds_trades *trades;
  struct cds_error err;
  const struct http_step step = answer(token_answer);
  begin(&fixture, &step, 1);
  start_client(&fixture);
  ok(cds_trades_open(&trades, fixture.client, "symbol=A", 60, &err) == CDS_E_CONFIG && trades == NULL, "no endpoint");
  is_string(err.message, "price_url: missing", "in words");
  end(&fixture);
}

/* Its answer is a token, and a trade too: whatever is asked again may have it. */
static enum cds_status run_tortured(void) {
  struct fixture fixture;
  struct cds_trades *trades = NULL;
  struct cds_trade trade;
  struct cds_error err;
  cds_alloc_fail_after(-1);
  const struct http_step step = answer(both_answer);
  begin_trades(&fixture, &step, 1);
  torture_arm();
  enum cds_status status = cds_client_new(&fixture.client, &fixture.config, &err);
  if (status == CDS_OK) status = cds_trades_open(&trades, fixture.client, "symbol=A", 60, &err);
  if (status == CDS_OK && next(&trade, trades, &err) == CDS_TRADES_OVER) status = err.status;
  cds_trades_free(trades);
  end(&fixture);
  return status;
}

int main(void) {
  token_answer = with_body(HEAD("200 OK", ""), TOKEN);
  both_answer = with_body(HEAD("200 OK", ""), "{\"f\":\"t\",\"i\":\"A\",\"p\":1,\"t\":1," TOKEN_MEMBERS "}");
  test_requests();
  test_no_end_in_time();
  test_overflow();
  test_old_token();
  test_ends();
  test_closed();
  test_refusals();
  torture("trades, no memory from some moment on", cds_alloc_fail_after, run_tortured, TORTURE_MAY_GO_ON);
  torture("trades, one failure", cds_alloc_fail_one, run_tortured, TORTURE_MAY_GO_ON);
  free(token_answer);
  free(both_answer);
  return done();
}
