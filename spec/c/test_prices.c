/* SPDX-License-Identifier: MIT
 * Calls of the candlestick service: what is sent, and what is never shown. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strcasestr */
#endif

#include "rest_fixture.h"

static const char good[] = HEAD("200 OK", "Content-Length: 10\r\n\r\n{\"s\":\"ok\"}");

/* The service is at /prices, and nowhere else. */
static void begin_prices(struct fixture *fixture, const struct http_step *steps, size_t count) {
  char url[64];
  begin(fixture, steps, count);
  snprintf(url, sizeof url, "http://127.0.0.1:%d/prices", fixture->server->port);
  http_check(cds_url_parse(&fixture->config.prices, url, "price_url", NULL) == CDS_OK, "price_url");
  fixture->config.want_responses = true;
}

static struct outcome finish(struct fixture *fixture, struct cds_call *call) {
  struct outcome outcome = finish_call(call);
  http_request_count(fixture->server); /* takes the server's lock: what it received may be read now */
  return outcome;
}

static void test_token(void) {
  struct fixture fixture;
  const struct http_step step = answer(good);
  struct cds_call *call;
  struct cds_error err;
  begin_prices(&fixture, &step, 1);
  cds_free(fixture.config.api_secret);
  fixture.config.api_secret = cds_strdup("a b&c=%+\xc3\xa9~");
  start_client(&fixture);
  is_number(cds_call_authorize(&call, fixture.client, &err), CDS_OK, "a token is asked for");
  struct outcome outcome = finish(&fixture, call);
  const char *text = fixture.server->requests[0].text, *body = strstr(text, "\r\n\r\n");
  is_number(outcome.status, CDS_OK, "and comes");
  is_string(outcome.body, "{\"s\":\"ok\"}", "its answer's body");
  ok(strncmp(text, "POST /prices/api/v1/authorize HTTP/1.1\r\n", 40) == 0, "by a POST");
  ok(strstr(text, "\r\nContent-Type: application/x-www-form-urlencoded\r\n") != NULL, "of a form");
  ok(strcasestr(text, "\r\nauthorization:") == NULL, "without a signature");
  is_string(body ? body + 4 : "", "login=" TEST_KEY "&password=a%20b%26c%3D%25%2B%C3%A9~", "encoded");
  ok(strstr(outcome.response_url, "password") == NULL, "what is told has no secret: %s", outcome.response_url);
  end(&fixture);
}

static void test_question(void) {
  struct fixture fixture;
  const struct http_step step = answer(good);
  struct cds_call *call;
  struct cds_error err;
  begin_prices(&fixture, &step, 1);
  start_client(&fixture);
  is_number(cds_call_prices(&call, fixture.client, CDS_GET_CANDLES, "symbol=A&from=1", "to.ken", &err), CDS_OK,
            "asked");
  struct outcome outcome = finish(&fixture, call);
  const char *text = fixture.server->requests[0].text;
  is_number(outcome.status, CDS_OK, "candles come");
  ok(strncmp(text, "GET /prices/api/v1/history/rows?symbol=A&from=1 HTTP/1.1\r\n", 58) == 0, "by their query");
  ok(strstr(text, "\r\nAuthorization: Bearer to.ken\r\n") != NULL, "with the token");
  ok(strcasestr(text, "X-Authorization") == NULL && strstr(text, TEST_KEY) == NULL, "and no signature");
  end(&fixture);
}

static void refuses(struct fixture *fixture, const char *query, const char *token, const char *words) {
  struct cds_call *call;
  struct cds_error err;
  ok(cds_call_prices(&call, fixture->client, CDS_GET_GROUPS, query, token, &err) == CDS_E_CONFIG && call == NULL,
     "refused");
  ok(strstr(err.message, words) != NULL, "in words: %s", err.message);
}

static void test_refusals(void) {
  struct fixture fixture;
  const struct http_step step = answer(good);
  struct cds_call *call;
  struct cds_error err;
  static char long_token[CDS_MAX_TOKEN_BYTES + 2];
  memset(long_token, 'x', CDS_MAX_TOKEN_BYTES + 1);
  begin_prices(&fixture, &step, 1);
  start_client(&fixture);
  refuses(&fixture, "a b", "token", "the query is not encoded at byte 1");
  refuses(&fixture, "", "", "the token has 0 bytes");
  refuses(&fixture, "", long_token, "the token has 4097 bytes");
  refuses(&fixture, "", "a\r\nX-Evil: 1", "the token is no header's value");
  end(&fixture);
  begin(&fixture, &step, 1);
  start_client(&fixture);
  ok(cds_call_authorize(&call, fixture.client, &err) == CDS_E_CONFIG && call == NULL, "no endpoint, no token");
  is_string(err.message, "price_url: missing", "in words");
  end(&fixture);
}

static void test_longest_token(void) {
  struct fixture fixture;
  const struct http_step step = answer(good);
  struct cds_call *call;
  struct cds_error err;
  static char token[CDS_MAX_TOKEN_BYTES + 1];
  memset(token, 'x', CDS_MAX_TOKEN_BYTES);
  begin_prices(&fixture, &step, 1);
  start_client(&fixture);
  is_number(cds_call_prices(&call, fixture.client, CDS_GET_GROUPS, "", token, &err), CDS_OK, "the longest token");
  is_number(finish(&fixture, call).status, CDS_OK, "is taken");
  const char *sent = strstr(fixture.server->requests[0].text, "Authorization: Bearer xxx");
  is_number(sent ? strspn(sent + 22, "x") : 0, CDS_MAX_TOKEN_BYTES, "whole");
  end(&fixture);
}

int main(void) {
  test_token();
  test_question();
  test_refusals();
  test_longest_token();
  return done();
}
