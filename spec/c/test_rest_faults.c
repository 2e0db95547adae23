/* SPDX-License-Identifier: MIT
 * REST calls that go wrong: each fault's error kind, words and number of attempts. */
#include "base/clock.h"
#include "rest_fixture.h"

#define MIB (1024 * 1024)

/* One call of GET latest against the steps; ends the fixture. */
static struct outcome call_and_end(struct fixture *f, size_t *requests) {
  struct outcome got = run_call(f, CDS_GET_LATEST_REPORT, 1);
  *requests = f->server == NULL ? 0 : http_request_count(f->server);
  end(f);
  return got;
}

static struct outcome meet(const struct http_step *steps, size_t count, size_t *requests) {
  struct fixture f;
  begin(&f, steps, count);
  return call_and_end(&f, requests);
}

static struct outcome meet_text(const char *text, size_t *requests) {
  struct http_step step = answer(text);
  return meet(&step, 1, requests);
}

/* ---- statuses ---- */

static void test_rate_limited(void) {
  char *limited = with_body(HEAD("429 Too Many Requests", "Retry-After: 0\r\n"), "{\"error\":\"slow\\ndown\"}");
  char *dated = with_body(HEAD("429 Too Many Requests", "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
                                                        "Retry-After: Tue, 14 Nov 2023 23:13:21 GMT\r\n"),
                          "");
  char *never = with_body(HEAD("429 Too Many Requests", "Retry-After: 301\r\n"), "{\"error\":\"slow\"}"),
       *good = report_answer(1);
  struct http_step steps[] = {answer(limited), answer(good)};
  size_t requests;
  struct outcome got = meet(steps, 2, &requests);
  ok(got.status == CDS_OK && got.report_count == 1, "429, then good");
  is_number(requests, 2, "two attempts");
  is_number(got.warnings, 1, "one warning");
  ok(strstr(got.last_warning, "answered 429") != NULL && strstr(got.last_warning, "retry 1 of 3 in 0.000 s") != NULL,
     "which says: %s", got.last_warning);
  got = meet_text(limited, &requests);
  is_outcome(&got, CDS_E_RATE_LIMIT, true, "answered 429 (too many requests)");
  ok(got.err.http_status == 429 && got.err.has_retry_after && got.err.retry_after == 0, "status and Retry-After");
  is_string(got.err.body, "{\"error\":\"slow\\ndown\"}", "body");
  is_number(requests, 4, "four attempts with three retries");
  got = meet_text(never, &requests);
  is_outcome(&got, CDS_E_RATE_LIMIT, true, "answered 429");
  ok(got.err.retry_after == 301 && requests == 1, "a wait of 301 s is left to the script");
  got = meet_text(dated, &requests);
  ok(got.err.has_retry_after && got.err.retry_after == 3600 && requests == 1,
     "so is a date more than an hour off, as an hour (%g s)", got.err.retry_after);
  free(limited), free(dated), free(never), free(good);
}

static void test_retry_after_waited(void) {
  char *limited = with_body(HEAD("429 Too Many Requests", "Retry-After: 1\r\n"), "{}"), *good = report_answer(1);
  struct http_step steps[] = {answer(limited), answer(good)};
  size_t requests;
  int64_t begin_ms = cds_clock_mono_ms();
  struct outcome got = meet(steps, 2, &requests);
  ok(got.status == CDS_OK && strstr(got.last_warning, "retry 1 of 3 in 1.000 s") != NULL, "what Retry-After asks for");
  ok(cds_clock_mono_ms() - begin_ms >= 1000, "is waited for, in seconds");
  free(limited), free(good);
}

/* The longest wait begins; it is not sat out. */
static void test_retry_after_longest(void) {
  char *limited = with_body(HEAD("429 Too Many Requests", "Retry-After: 300\r\n"), "{}");
  struct http_step step = answer(limited);
  struct fixture f;
  struct outcome outcome = {0};
  begin(&f, &step, 1);
  struct cds_call *call = start_call(&f, CDS_GET_LATEST_REPORT, 1);
  while (outcome.warnings == 0 && !cds_call_is_done(call)) {
    struct pollfd fd = {cds_call_fd(call), POLLIN, 0};
    http_check(poll(&fd, 1, WAIT_MS) == 1, "nothing came of the call");
    struct cds_event *event = cds_call_take_event(call);
    if (event != NULL) note_event(&outcome, event);
    cds_event_free(event);
  }
  ok(strstr(outcome.last_warning, "retry 1 of 3 in 300.000 s") != NULL, "five minutes are waited for: %s",
     outcome.last_warning);
  cds_call_free(call);
  end(&f);
  free(limited);
}

static void test_server_errors(void) {
  char *broken = with_body(HEAD("503 Service Unavailable", ""), "down\tfor \x01 a \xc3\xa9 \xff while"),
       *good = report_answer(1);
  struct http_step steps[] = {answer(broken), answer(broken), answer(broken), answer(good)};
  size_t requests;
  struct outcome got = meet_text(broken, &requests);
  is_outcome(&got, CDS_E_API, true, "GET /api/v1/reports/latest answered 503 (service unavailable)");
  is_number(requests, 4, "retried three times");
  is_number(got.warnings, 3, "with a warning each");
  is_string(got.err.body, "down for \\x01 a \xc3\xa9 \\xff while", "the body is made safe");
  got = meet(steps, 4, &requests);
  ok(got.status == CDS_OK && requests == 4, "the last attempt may succeed");
  free(broken), free(good);
}

static void test_client_errors(void) {
  char body[2000];
  memset(body, 'x', sizeof body - 1);
  body[sizeof body - 1] = 0;
  memcpy(body + 1022, "\xe2\x82\xac", 3); /* would end in mid-character */
  char *missing = with_body(HEAD("404 Not Found", ""), body), *forbidden = with_body(HEAD("403 Forbidden", ""), "{}");
  char *moved = with_body(HEAD("302 Found", "Location: http://127.0.0.1:1/\r\n"), "");
  char *teapot = with_body(HEAD("204 No Content", ""), ""), *partial = with_body(HEAD("206 Partial Content", ""), "{}");
  size_t requests;
  struct outcome got = meet_text(missing, &requests);
  is_outcome(&got, CDS_E_API, false, "answered 404 (not found)");
  ok(requests == 1 && got.err.http_status == 404, "one attempt");
  is_number(strlen(got.err.body), 1022, "the body is cut before the character that does not fit");
  got = meet_text(forbidden, &requests);
  is_outcome(&got, CDS_E_AUTH, false, "answered 403 (forbidden)");
  ok(requests == 1 && !got.err.has_clock_skew, "one attempt, no date, no skew");
  got = meet_text(moved, &requests);
  is_outcome(&got, CDS_E_API, false, "answered 302, a redirect, which is not followed");
  is_number(requests, 1, "one attempt");
  got = meet_text(teapot, &requests);
  is_outcome(&got, CDS_E_API, false, "answered 204");
  got = meet_text(partial, &requests);
  is_outcome(&got, CDS_E_API, false, "answered 206");
  free(missing), free(forbidden), free(moved), free(teapot), free(partial);
}

static void refuse_with_date(struct outcome *got, long offset) {
  char date[64], head[256];
  time_t server_now = time(NULL) + offset;
  struct tm tm;
  size_t requests;
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&server_now, &tm));
  snprintf(head, sizeof head, "HTTP/1.1 401 Unauthorized\r\ndate: %s\r\n", date);
  char *text = with_body(head, "{\"error\":\"unauthorized\"}");
  *got = meet_text(text, &requests);
  is_number(requests, 1, "401 is not tried again");
  free(text);
}

static void test_clock_skew(void) {
  struct outcome got;
  refuse_with_date(&got, 60);
  is_outcome(&got, CDS_E_AUTH, false, "s behind the service's, which accepts 5 s");
  ok(got.err.has_clock_skew && got.err.clock_skew > -61 && got.err.clock_skew < -50, "skew %g", got.err.clock_skew);
  refuse_with_date(&got, -60);
  is_outcome(&got, CDS_E_AUTH, false, "s ahead of the service's");
  ok(got.err.clock_skew > 59 && got.err.clock_skew < 70, "skew %g", got.err.clock_skew);
  refuse_with_date(&got, 0);
  is_outcome(&got, CDS_E_AUTH, false, "the key, the secret or the feed is refused");
  ok(got.err.has_clock_skew && got.err.http_status == 401, "the clock is right, and told");
}

/* ---- bodies ---- */

static void test_wrong_bodies(void) {
  static const struct {
    const char *body, *words;
  } cases[] = {
    {"<!DOCTYPE html><html>hi</html>", "expected JSON"},
    {"", "expected JSON"},
    {"  [1]", "expected JSON"},
    {"{\"report\":1}", "expected"},
    {"{\"report\":{\"feedID\":\"0x00\"}}", "expected"},
    {"{\"report\":{\"feedID\":\"0x0003000000000000000000000000000000000000000000000000000000000001\",\"fullReport\":"
     "\"0x00\"}}",
     ""},
    {"{\"rep", "expected"},
  };
  size_t requests;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = with_body(HEAD("200 OK", ""), cases[i].body);
    struct outcome got = meet_text(text, &requests);
    is_outcome(&got, CDS_E_DECODE, false, cases[i].words);
    ok(requests == 1 && got.err.http_status == 200 && got.report_count == 0, "one attempt for %.30s", cases[i].body);
    free(text);
  }
  char *other = report_answer(2);
  struct outcome got = meet_text(other, &requests);
  is_outcome(&got, CDS_E_DECODE, false, "which was not asked for");
  free(other);
}

static void test_cut(void) {
  struct http_step cut = answer_and_close(HEAD("200 OK", "Content-Length: 1000\r\n\r\n") "{\"report\":");
  struct http_step chunk = answer_and_close(HEAD("200 OK", "Transfer-Encoding: chunked\r\n\r\n") "a\r\n{\"report\":");
  struct http_step nothing = {NULL, 0, HTTP_CLOSE}, garbage = answer_and_close("not HTTP at all\r\n\r\n");
  size_t requests;
  struct outcome got = meet(&cut, 1, &requests);
  is_outcome(&got, CDS_E_NETWORK, true, "the answer was cut short");
  is_number(requests, 4, "retried");
  got = meet(&chunk, 1, &requests);
  is_outcome(&got, CDS_E_NETWORK, true, "http://127.0.0.1:");
  got = meet(&nothing, 1, &requests);
  is_outcome(&got, CDS_E_NETWORK, true, "Empty reply");
  got = meet(&garbage, 1, &requests);
  is_outcome(&got, CDS_E_NETWORK, true, "http://127.0.0.1:");
}

static struct http_step spaces(const char *head, size_t count) {
  size_t length = strlen(head);
  char *text = malloc(length + count);
  memcpy(text, head, length);
  memset(text + length, ' ', count);
  return (struct http_step){text, length + count, HTTP_CLOSE};
}

static void put_bits(uint8_t *out, size_t *at, uint32_t code, int count) {
  for (int i = count - 1; i >= 0; i--, ++*at) out[*at / 8] = (uint8_t)(out[*at / 8] | ((code >> i) & 1u) << *at % 8);
}

/* 17 MiB of one letter in about 110 KB: a gzip header and one deflate block with the fixed codes. */
static struct http_step bomb(void) {
  static const uint8_t gzip[10] = {0x1f, 0x8b, 8};
  static const char head[] = HEAD("200 OK", "Content-Encoding: gzip\r\n\r\n");
  size_t start = sizeof head - 1, bits = 8 * (start + sizeof gzip), size = 256 * 1024;
  uint8_t *out = calloc(1, size);
  memcpy(out, head, start);
  memcpy(out + start, gzip, sizeof gzip);
  put_bits(out, &bits, 6, 3);    /* the last block: 1, then the type, low bit first: 10 */
  put_bits(out, &bits, 0x91, 8); /* the letter 'a' */
  for (size_t made = 0; made < 17 * MIB; made += 258) put_bits(out, &bits, 0xc5 << 5, 13); /* length 258, distance 1 */
  put_bits(out, &bits, 0, 7);
  return (struct http_step){(char *)out, bits / 8 + 1, HTTP_CLOSE};
}

static void test_oversize(void) {
  struct http_step told = answer_and_close(HEAD("200 OK", "Content-Length: 16777217\r\n\r\n") "{");
  struct http_step untold = spaces(HEAD("200 OK", "\r\n"), 17 * MIB), packed = bomb();
  char *long_line = malloc(80000);
  snprintf(long_line, 80000, "HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 7; i++)
    snprintf(long_line + strlen(long_line), 80000 - strlen(long_line), "X-%d: %010000d\r\n", i, 0);
  strcat(long_line, "Content-Length: 0\r\n\r\n");
  struct http_step headers = answer_and_close(long_line);
  size_t requests;
  struct outcome got = meet(&told, 1, &requests);
  is_outcome(&got, CDS_E_DECODE, false, "larger than 16 MiB");
  got = meet(&untold, 1, &requests);
  is_outcome(&got, CDS_E_DECODE, false, "larger than 16 MiB");
  is_number(requests, 1, "one attempt");
  got = meet(&packed, 1, &requests);
  is_outcome(&got, CDS_E_DECODE, false, "larger than 16 MiB");
  got = meet(&headers, 1, &requests);
  is_outcome(&got, CDS_E_DECODE, false, "headers are longer than 64 KiB");
  char *one_line = malloc(200000);
  snprintf(one_line, 200000, "HTTP/1.1 200 OK\r\nX: %0150000d\r\nContent-Length: 0\r\n\r\n", 0);
  struct http_step header = answer_and_close(one_line);
  got = meet(&header, 1, &requests); /* longer than libcurl itself takes */
  is_outcome(&got, CDS_E_DECODE, false, "headers are longer than 64 KiB");
  free((char *)untold.bytes), free((char *)packed.bytes), free(long_line), free(one_line);
}

/* ---- time, routes, circuit ---- */

static void test_silence(void) {
  struct http_step silent = {NULL, 0, HTTP_KEEP};
  struct fixture f;
  size_t requests;
  begin(&f, &silent, 1);
  f.config.timeout = 1; /* enough for the request to arrive on a slow machine */
  f.config.max_retries = 1;
  int64_t begin_ms = cds_clock_mono_ms();
  struct outcome got = call_and_end(&f, &requests);
  is_outcome(&got, CDS_E_TIMEOUT, true, "no complete answer within 1 s");
  is_number(requests, 2, "tried twice");
  ok(cds_clock_mono_ms() - begin_ms >= 1000, "for seconds");
}

/* Less than a millisecond is no word for ever. */
static void test_no_time(void) {
  struct http_step silent = {NULL, 0, HTTP_KEEP};
  struct fixture f;
  size_t requests;
  begin(&f, &silent, 1);
  f.config.timeout = 0.0001;
  f.config.max_retries = 0;
  struct outcome got = call_and_end(&f, &requests);
  is_outcome(&got, CDS_E_TIMEOUT, true, "within 0.0001 s");
}

static void test_refused(void) {
  struct http_step none = {NULL, 0, HTTP_CLOSE};
  struct fixture f;
  struct cds_client_stats stats;
  begin(&f, &none, 1);
  http_stop(f.server); /* its port is free now */
  http_free(f.server);
  f.server = NULL;
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_outcome(&got, CDS_E_NETWORK, true, "http://127.0.0.1:");
  is_number(got.warnings, 3, "three retries");
  cds_client_stats(&stats, f.client);
  ok(stats.requests == 4 && stats.retries == 3 && stats.failures == 1 && stats.connections == 0, "counted");
  end(&f);
}

/* The service itself was not even asked. */
static void test_dead_proxy(void) {
  struct fixture f;
  struct http_step none = {NULL, 0, HTTP_CLOSE};
  char proxy[64], expected[96];
  begin(&f, &none, 1);
  int port = f.server->port;
  http_stop(f.server); /* nothing listens there now */
  http_free(f.server);
  f.server = NULL;
  snprintf(proxy, sizeof proxy, "http://user:hunter3@127.0.0.1:%d", port);
  snprintf(expected, sizeof expected, "cannot connect to the proxy 127.0.0.1:%d: Connection refused", port);
  cds_free(f.config.proxy);
  f.config.proxy = cds_strdup(proxy);
  f.config.max_retries = 0;
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_outcome(&got, CDS_E_NETWORK, true, expected);
  ok(strstr(got.err.message, "hunter3") == NULL, "and not its password");
  end(&f);
}

static void test_unknown_host(void) {
  struct fixture f;
  begin(&f, &no_step, 0);
  cds_url_clear(&f.config.rest);
  /* a label longer than DNS allows: no resolver is asked */
  const char *url = "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test";
  http_check(cds_url_parse(&f.config.rest, url, "rest_url", NULL) == CDS_OK, "rest_url");
  f.config.max_retries = 0;
  struct outcome got = run_call(&f, CDS_GET_FEEDS, 0);
  is_outcome(&got, CDS_E_NETWORK, true, "Could not resolve host");
  end(&f);
}

static void test_circuit(void) {
  char *broken = with_body(HEAD("500 Internal Server Error", ""), "{}"),
       *good = with_body(HEAD("200 OK", ""), "{\"feeds\":[]}");
  struct http_step steps[] = {answer(broken), answer(broken), answer(good)};
  struct cds_client_stats stats;
  struct fixture f;
  begin(&f, steps, 3);
  f.config.breaker_failures = 2;
  f.config.breaker_cooldown = 3600;
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_outcome(&got, CDS_E_API, true, "answered 500");
  is_number(http_request_count(f.server), 2, "the second failure opens the circuit, which ends the retries");
  got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_outcome(&got, CDS_E_CIRCUIT_OPEN, true, "not sent after 2 failures in a row");
  ok(got.err.has_retry_after && got.err.retry_after > 3000, "with the time left");
  is_number(http_request_count(f.server), 2, "nothing was sent");
  cds_client_stats(&stats, f.client);
  is_string(stats.circuit, "open", "circuit");
  ok(run_call(&f, CDS_GET_FEEDS, 0).status == CDS_OK, "another endpoint has a circuit of its own");
  end(&f);
  begin(&f, steps, 3);
  f.config.breaker_failures = 2;
  f.config.breaker_cooldown = 0;
  f.config.max_retries = 1;
  ok(run_call(&f, CDS_GET_FEEDS, 0).status == CDS_E_API, "opened again");
  ok(run_call(&f, CDS_GET_FEEDS, 0).status == CDS_OK, "after the cooldown one may try");
  cds_client_stats(&stats, f.client);
  is_string(stats.circuit, "closed", "and its success closes the circuit");
  end(&f);
  free(broken), free(good);
}

/* A call that waits for its retry while another one's failure opens the circuit: its own failure tells more. */
static void test_circuit_opened_meanwhile(void) {
  char *busy = with_body(HEAD("503 Service Unavailable", "Retry-After: 1\r\n"), "{}"),
       *broken = with_body(HEAD("500 Internal Server Error", ""), "{}");
  struct http_step steps[] = {answer(busy), answer(broken)};
  struct fixture f;
  begin(&f, steps, 2);
  f.config.breaker_failures = 2;
  f.config.breaker_cooldown = 3600;
  struct cds_call *waiting = start_call(&f, CDS_GET_LATEST_REPORT, 1);
  struct outcome seen = {0};
  while (seen.warnings == 0) { /* that it will be tried again */
    struct pollfd fd = {cds_call_fd(waiting), POLLIN, 0};
    http_check(poll(&fd, 1, WAIT_MS) == 1, "nothing came of the call");
    struct cds_event *event = cds_call_take_event(waiting);
    if (event != NULL) note_event(&seen, event);
    cds_event_free(event);
  }
  struct outcome got = run_call(&f, CDS_GET_LATEST_REPORT, 1);
  is_outcome(&got, CDS_E_API, true, "answered 500");
  got = finish_call(waiting);
  is_outcome(&got, CDS_E_API, true, "answered 503");
  is_number(http_request_count(f.server), 2, "no more is sent");
  end(&f);
  free(busy), free(broken);
}

/* A client whose circuit is half open: the next call is its trial. */
static void begin_half_open(struct fixture *f, const struct http_step *steps, size_t count) {
  begin(f, steps, count);
  f->config.breaker_failures = 2;
  f->config.breaker_cooldown = 0;
  f->config.max_retries = 1;
  http_check(run_call(f, CDS_GET_FEEDS, 0).status == CDS_E_API, "the circuit did not open");
}

static void test_trial_cancelled(void) {
  char *broken = with_body(HEAD("500 Internal Server Error", ""), "{}"),
       *good = with_body(HEAD("200 OK", ""), "{\"feeds\":[]}");
  const struct http_step steps[] = {answer(broken), answer(broken), no_step, answer(good)};
  struct fixture f;
  begin_half_open(&f, steps, 4);
  struct cds_call *trial = start_call(&f, CDS_GET_FEEDS, 0);
  while (http_request_count(f.server) < 3) usleep(1000);
  is_string(cds_status_kind(run_call(&f, CDS_GET_FEEDS, 0).status), "CircuitOpenError", "while one tries no other may");
  cds_call_free(trial);
  ok(run_call(&f, CDS_GET_FEEDS, 0).status == CDS_OK, "a trial that is cancelled lets the next one try");
  end(&f);
  free(broken), free(good);
}

/* Each allocation of a trial fails once. */
static void test_trial_without_memory(void) {
  enum { ALLOCATIONS = 60 };
  char *broken = with_body(HEAD("500 Internal Server Error", ""), "{}"),
       *good = with_body(HEAD("200 OK", ""), "{\"feeds\":[]}");
  const struct http_step steps[] = {answer(broken), answer(broken), answer(good)};
  size_t failed = 0, stuck = 0;
  for (long i = 0; i < ALLOCATIONS; i++) {
    const struct cds_call_args args = {.operation = CDS_GET_FEEDS};
    struct cds_call *trial;
    struct cds_error err;
    struct fixture f;
    begin_half_open(&f, steps, 3);
    cds_alloc_fail_one(i);
    if (cds_call_start(&trial, f.client, &args, &err) == CDS_OK) failed += finish_call(trial).status == CDS_E_MEMORY;
    cds_alloc_fail_after(-1);
    stuck += run_call(&f, CDS_GET_FEEDS, 0).status != CDS_OK;
    end(&f);
  }
  ok(failed > 0, "%zu trials lacked memory on their way", failed);
  is_number(stuck, 0, "after which the next one may try");
  free(broken), free(good);
}

static void test_rate_limit(void) {
  char *good = with_body(HEAD("200 OK", ""), "{\"feeds\":[]}");
  struct http_step step = answer(good);
  struct fixture f;
  struct cds_call *calls[12];
  struct timespec before, after;
  begin(&f, &step, 1);
  f.config.rate_limit = 50;
  clock_gettime(CLOCK_MONOTONIC, &before);
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 12; i++) calls[i] = start_call(&f, CDS_GET_FEEDS, 0);
    for (int i = 0; i < 12; i++) ok(finish_call(calls[i]).status == CDS_OK, "call %d", round * 12 + i);
  }
  clock_gettime(CLOCK_MONOTONIC, &after);
  double seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
  ok(seconds >= 0.99, "60 calls at 50 a second take more than a second (%.2f)", seconds);
  end(&f);
  free(good);
}

/* A call that is dropped at any time, with all that may be going on, leaves nothing behind. */
static void test_dropped(void) {
  char *broken = with_body(HEAD("500 Internal Server Error", ""), "{}");
  struct http_step steps[] = {answer(broken), {NULL, 0, HTTP_KEEP}};
  struct fixture f;
  begin(&f, steps, 2);
  f.config.retry_delay = 3600;
  f.config.retry_max_delay = 3600;
  struct cds_call *retrying = start_call(&f, CDS_GET_LATEST_REPORT, 1);
  struct pollfd fd = {cds_call_fd(retrying), POLLIN, 0};
  for (int i = 0; i < 2; i++) { /* a debug line, a warning */
    ok(poll(&fd, 1, WAIT_MS) == 1 && !cds_call_is_done(retrying), "readable before the retry");
    struct cds_event *event = cds_call_take_event(retrying);
    ok(event != NULL, "an event");
    cds_event_free(event);
  }
  ok(poll(&fd, 1, 0) == 0, "not readable after the last event");
  cds_call_free(retrying);
  for (int i = 0; i < 20; i++) cds_call_free(start_call(&f, CDS_GET_LATEST_REPORT, 1));
  end(&f);
  free(broken);
}

int main(void) {
  test_rate_limited();
  test_retry_after_waited();
  test_retry_after_longest();
  test_server_errors();
  test_client_errors();
  test_clock_skew();
  test_wrong_bodies();
  test_cut();
  test_oversize();
  test_silence();
  test_no_time();
  test_refused();
  test_dead_proxy();
  test_unknown_host();
  test_circuit();
  test_circuit_opened_meanwhile();
  test_trial_cancelled();
  test_trial_without_memory();
  test_rate_limit();
  test_dropped();
  return done();
}
