/* SPDX-License-Identifier: MIT
 * What an answer without success becomes: kind, words, the hint at the clock, the body as it is kept. */
#include "tap.h"

#include "rest/api_error.h"

#define DATE "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
#define DATE_MS INT64_C(1700000000000)

static enum cds_status error_of(struct cds_error *err, int status, const char *headers, int64_t received_at_ms) {
  struct cds_exchange exchange = {.http_status = status, .received_at_ms = received_at_ms};
  cds_buf_init(&exchange.headers, 4096);
  if (cds_buf_append(&exchange.headers, headers, strlen(headers) + 1) != CDS_OK) return CDS_OK;
  cds_error_clear(err);
  enum cds_status kind = cds_api_http_error(err, "/path", &exchange);
  cds_exchange_clear(&exchange);
  ok(kind == err->status && err->http_status == status, "the error of status %d", status);
  return kind;
}

/* ---- the status ---- */

static void test_words(void) {
  static const struct {
    int status;
    enum cds_status kind;
    bool retryable;
    const char *words;
  } cases[] = {
    {204, CDS_E_API, false, "GET /path answered 204"},
    {299, CDS_E_API, false, "GET /path answered 299"},
    {300, CDS_E_API, false, "GET /path answered 300, a redirect, which is not followed"},
    {399, CDS_E_API, false, "GET /path answered 399, a redirect, which is not followed"},
    {400, CDS_E_API, false, "GET /path answered 400 (bad request)"},
    {401, CDS_E_AUTH, false, "GET /path answered 401 (unauthorized): the key, the secret or the feed is refused"},
    {402, CDS_E_API, false, "GET /path answered 402"},
    {403, CDS_E_AUTH, false, "GET /path answered 403 (forbidden): the key, the secret or the feed is refused"},
    {404, CDS_E_API, false, "GET /path answered 404 (not found)"},
    {429, CDS_E_RATE_LIMIT, true, "GET /path answered 429 (too many requests)"},
    {499, CDS_E_API, false, "GET /path answered 499"},
    {500, CDS_E_API, true, "GET /path answered 500 (internal server error)"},
    {501, CDS_E_API, true, "GET /path answered 501"},
    {502, CDS_E_API, true, "GET /path answered 502 (bad gateway)"},
    {503, CDS_E_API, true, "GET /path answered 503 (service unavailable)"},
    {504, CDS_E_API, true, "GET /path answered 504 (gateway timeout)"},
  };
  struct cds_error err;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    is_number(error_of(&err, cases[i].status, "", 0), cases[i].kind, "kind");
    is_string(err.message, cases[i].words, "words");
    ok(err.retryable == cases[i].retryable, "retryable: %d", err.retryable);
    ok(!err.has_retry_after && !err.has_clock_skew && err.clock_skew == 0 && err.body[0] == 0, "nothing more is known");
  }
}

static void test_retry_after(void) {
  struct cds_error err;
  error_of(&err, 429, "Retry-After: 7\r\n", 0);
  ok(err.has_retry_after && err.retry_after == 7, "Retry-After in seconds");
  error_of(&err, 503, "Retry-After: Tue, 14 Nov 2023 22:13:25 GMT\r\n", DATE_MS);
  ok(err.has_retry_after && err.retry_after == 5, "and as a date, from when the answer came");
}

/* ---- the clock ---- */

static void test_clock(void) {
  static const char ahead[] =
    "GET /path answered 401 (unauthorized); the local clock is 6 s ahead of the service's, which accepts 5 s: set the "
    "clock";
  static const char behind[] =
    "GET /path answered 403 (forbidden); the local clock is 6 s behind the service's, which accepts 5 s: set the clock";
  struct cds_error err;
  error_of(&err, 401, DATE, DATE_MS + 6000);
  is_string(err.message, ahead, "ahead");
  ok(err.has_clock_skew && err.clock_skew == 6, "by 6 s");
  error_of(&err, 403, DATE, DATE_MS - 6000);
  is_string(err.message, behind, "behind");
  ok(err.has_clock_skew && err.clock_skew == -6, "by 6 s");
  for (int sign = -1; sign <= 1; sign += 2) {
    error_of(&err, 401, DATE, DATE_MS + sign * 5000);
    ok(strstr(err.message, "clock") == NULL, "5 s are what the service accepts");
    ok(err.has_clock_skew && err.clock_skew == sign * 5, "and are told as a number");
    error_of(&err, 401, DATE, DATE_MS + sign * 5001);
    ok(strstr(err.message, "set the clock") != NULL, "a millisecond more is not");
  }
  error_of(&err, 401, DATE, DATE_MS);
  ok(err.has_clock_skew && err.clock_skew == 0, "none at all is a known skew too");
  error_of(&err, 404, DATE, DATE_MS + 6000);
  ok(!err.has_clock_skew && strstr(err.message, "clock") == NULL, "what is no refusal says nothing of the clock");
}

/* ---- the body ---- */

static void shows(const char *body, size_t length, const char *expected, const char *name) {
  struct cds_exchange exchange = {.http_status = 500};
  struct cds_error err;
  cds_error_clear(&err);
  cds_buf_init(&exchange.body, 4096);
  ok(cds_buf_append(&exchange.body, body, length) == CDS_OK, "a body of %zu bytes", length);
  cds_api_http_error(&err, "/", &exchange);
  is_string(err.body, expected, name);
  cds_exchange_clear(&exchange);
}

#define SHOWS(body, expected, name) shows(body, sizeof body - 1, expected, name)

static void test_letters(void) {
  SHOWS("a b\tc\rd\ne", "a b c d e", "blanks and line ends are spaces");
  SHOWS("\x08\x0b\x0c\x0e\x1f ~\x7f\0", "\\x08\\x0b\\x0c\\x0e\\x1f ~\\x7f\\x00", "other control characters are shown");
  SHOWS("\x80.\xbf.\xc1\xbf", "\\x80.\\xbf.\\xc1\\xbf", "what begins no sequence");
  SHOWS("\xc2\xa0.\xdf\xbf.", "\xc2\xa0.\xdf\xbf.", "the first and last of two bytes");
  SHOWS("\xe0\xa0\x80.\xef\xbf\xbd.", "\xe0\xa0\x80.\xef\xbf\xbd.", "of three");
  SHOWS("\xf0\x90\x80\x80.\xf4\x8f\xbf\xbf.", "\xf0\x90\x80\x80.\xf4\x8f\xbf\xbf.", "of four");
  SHOWS("\xf5\x80\x80\x80.\xff", "\\xf5\\x80\\x80\\x80.\\xff", "beyond them");
  SHOWS("\xe0\xa0\x80", "\xe0\xa0\x80", "a sequence may be the last");
  SHOWS("\xc3", "\\xc3", "one that is cut is none");
  SHOWS("\xe2\x82", "\\xe2\\x82", "of three bytes");
  SHOWS("\xf0\x9f\x98", "\\xf0\\x9f\\x98", "of four");
  SHOWS("\xc3(", "\\xc3(", "nor one that goes on with something else");
  SHOWS("\xe2(\x82", "\\xe2(\\x82", "at its second byte");
  SHOWS("\xe2\x82(", "\\xe2\\x82(", "at its third");
  SHOWS("\xf0\x9f\x98(", "\\xf0\\x9f\\x98(", "at its fourth");
  SHOWS("\xc3\xc3\xa4", "\\xc3\xc3\xa4", "or with the next sequence");
}

/* What lies behind the body would make its last sequence whole. */
static void test_end(void) {
  char bytes[] = "x\xc3\xa9";
  const struct cds_exchange exchange = {.http_status = 500, .body = {.data = bytes, .length = 2}};
  struct cds_error err;
  cds_error_clear(&err);
  cds_api_http_error(&err, "/", &exchange);
  is_string(err.body, "x\\xc3", "nothing is read behind the body");
}

/* What is kept has a bound, within which everything is whole. */
static void test_bound(void) {
  enum { MOST = sizeof(((struct cds_error *)0)->body) - 1 };
  static char body[MOST + 2], expected[MOST + 1];
  memset(body, 'x', sizeof body);
  memset(expected, 'x', MOST);
  shows(body, MOST, expected, "as much as fits");
  shows(body, MOST + 1, expected, "and no more");
  body[MOST - 4] = 1;
  memcpy(expected + MOST - 4, "\\x01", 4);
  shows(body, MOST - 3, expected, "four letters for one byte, where they fit");
  body[MOST - 4] = 'x';
  body[MOST - 3] = 1;
  expected[MOST - 4] = 'x';
  expected[MOST - 3] = 0;
  shows(body, MOST - 2, expected, "and not half of them");
  memcpy(body + MOST - 3, "\xe2\x82\xac", 3);
  memcpy(expected + MOST - 3, "\xe2\x82\xac", 4);
  shows(body, MOST, expected, "a sequence that fits to the byte");
  body[MOST - 3] = '\n';
  expected[MOST - 3] = ' ';
  expected[MOST - 2] = 0;
  shows(body, MOST - 2, expected, "a line's end is one letter");
}

int main(void) {
  test_words();
  test_retry_after();
  test_clock();
  test_letters();
  test_end();
  test_bound();
  return done();
}
