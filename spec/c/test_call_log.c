/* SPDX-License-Identifier: MIT
 * What is told of a REST call, by calls that nobody runs: log lines, answers, the service's clock; and what a script has
 * of a call in a forked child. */
#include "rest/call_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "caught.h"
#include "rest/script_call.h"
#include "tap.h"

static struct cds_client client;
static struct cds_url url = {.tls = true, .host = (char *)"h", .port = 8443, .base = (char *)"/base"};
static struct cds_call *call;
static struct cds_event *last;
static int events;

static void on_event(void *context, struct cds_event *event) {
  (void)context;
  cds_event_free(last);
  last = event;
  events++;
}

static void nothing(struct cds_client *unused) {
  (void)unused;
}

static void begin_with(enum cds_operation operation, const struct cds_call_hooks *hooks) {
  struct cds_feed_id feed = {.bytes = {0, 3}};
  const struct cds_call_args args = {.operation = operation, .feeds = &feed, .feed_count = 1};
  const struct cds_call_args without = {.operation = operation};
  struct cds_error err;
  const bool has_feed = operation == CDS_GET_LATEST_REPORT;
  client.forks = cds_client_forks();
  client.destroy = nothing;
  atomic_store(&client.refs, 2);
  client.config.stream.log_level = CDS_LOG_DEBUG;
  events = 0;
  if (cds_call_prepare(&call, &client, has_feed ? &args : &without, &url, hooks, &err) != CDS_OK) {
    printf("# %s\n", err.message);
    exit(1);
  }
}

static void begin(enum cds_operation operation) {
  static const struct cds_call_hooks hooks = {.event = on_event};
  begin_with(operation, &hooks);
}

static void end(void) {
  cds_event_free(last);
  last = NULL;
  cds_call_unref(call);
}

#define PATH "/base/api/v1/reports/latest?feedID=0x0003000000000000000000000000000000000000000000000000000000000000"

/* ---- log lines ---- */

static void test_attempts(void) {
  begin(CDS_GET_LATEST_REPORT);
  call->exchange.http_status = 206;
  call->exchange.elapsed = 0.25;
  cds_call_log_attempt(call);
  is_string(last->message, "GET " PATH ": 206 in 0.250 s", "an answer");
  is_number(last->level, CDS_LOG_DEBUG, "is told to who looks for faults");
  call->exchange.status = CDS_E_NETWORK;
  cds_call_log_attempt(call);
  is_string(last->message, "GET " PATH ": failed in 0.250 s", "so is a failure");
  call->log_level = CDS_LOG_INFO;
  cds_call_log_attempt(call);
  is_number(events, 2, "and to nobody else");
  cds_call_log(call, CDS_LOG_INFO, "%d", 7);
  ok(events == 3 && strcmp(last->message, "7") == 0 && last->level == CDS_LOG_INFO, "others are told by their level");
  end();
}

/* An endpoint for POSTs may have a key in its path, which is not told. */
static void test_hidden_target(void) {
  url.base = (char *)"/secret";
  begin(CDS_POST_JSON);
  cds_call_log_attempt(call);
  ok(strncmp(last->message, "POST ", 5) == 0 && strstr(last->message, "secret") == NULL,
     "a POST's path is not told: %s", last->message);
  client.config.want_responses = true;
  call->exchange.http_status = 200;
  cds_call_tell_response(call);
  ok(last->kind == CDS_EVENT_RESPONSE && strstr(last->url, "secret") == NULL, "nor with its answer: %s", last->url);
  end();
  url.base = (char *)"/base";
}

/* ---- answers ---- */

static void test_answers(void) {
  begin(CDS_GET_LATEST_REPORT);
  call->exchange.http_status = 429;
  call->exchange.elapsed = 1.5;
  client.config.want_responses = false;
  cds_call_tell_response(call);
  is_number(events, 0, "answers are told only to who wants them");
  client.config.want_responses = true;
  cds_call_tell_response(call);
  ok(events == 1 && last->kind == CDS_EVENT_RESPONSE, "then they are");
  is_string(last->method, "GET", "with the method");
  is_string(last->url, "https://h:8443" PATH, "and where it went");
  is_string(last->headers, "", "its headers, if there are any");
  ok(last->http_status == 429 && last->elapsed == 1.5, "the status, and how long it took");
  cds_buf_init(&call->exchange.headers, 100);
  ok(cds_buf_append(&call->exchange.headers, "A: b\r\n", 6) == CDS_OK, "headers");
  cds_call_tell_response(call);
  is_string(last->headers, "A: b\r\n", "are told");
  call->exchange.http_status = 0;
  cds_call_tell_response(call);
  is_number(events, 2, "what never came is not");
  call->exchange.http_status = 200;
  for (long after = 0; after < 4; after++) {
    cds_alloc_fail_one(after);
    cds_call_tell_response(call);
    cds_alloc_fail_after(-1);
  }
  is_number(events, 2, "without memory it is left out");
  cds_call_tell_response(call);
  is_number(events, 3, "and then told again");
  end();
}

/* ---- the service's clock ---- */

static bool note(int64_t received_at_ms, double elapsed, const char *date) {
  events = 0;
  cds_buf_clear(&call->exchange.headers);
  cds_buf_init(&call->exchange.headers, 100);
  if (cds_buf_append(&call->exchange.headers, date, strlen(date)) != CDS_OK) exit(1);
  call->exchange.received_at_ms = received_at_ms;
  call->exchange.elapsed = elapsed;
  cds_call_note_clock(call);
  return events > 0;
}

#define DATE "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
#define DATE_MS INT64_C(1700000000000)

static void test_clock(void) {
  begin(CDS_GET_LATEST_REPORT);
  client.clock.is_followed = true;
  atomic_store(&client.clock.ahead_ms, 0);
  ok(!note(DATE_MS, 0, DATE), "the same time");
  ok(note(DATE_MS - 10000, 0, DATE), "a service that is ahead");
  is_number(cds_service_clock_ahead_ms(&client.clock), 10500, "by the middle of a date's second");
  ok(strstr(last->message, "behind the service's") != NULL && last->level == CDS_LOG_WARN, "is told: %s",
     last->message);
  atomic_store(&client.clock.ahead_ms, 0);
  ok(note(DATE_MS - 10000, 4, DATE), "one that took its time");
  is_number(cds_service_clock_ahead_ms(&client.clock), 12500, "and of that");
  atomic_store(&client.clock.ahead_ms, 0);
  ok(!note(DATE_MS + 2000, 0, DATE) && note(DATE_MS + 2001, 0, DATE),
     "what a date may mean is looked at with a second more");
  ok(!note(DATE_MS - 10000, 0, "X: y\r\n"), "without a date nothing is known");
  call->exchange.anonymous = true;
  ok(!note(DATE_MS - 10000, 0, DATE), "nor is it of what was not signed");
  call->exchange.anonymous = false;
  call->exchange.post = "";
  ok(!note(DATE_MS - 10000, 0, DATE), "or of a POST");
  end();
}

/* ---- the script's side ---- */

static void test_forked(void) {
  struct cds_answer answer = {0};
  begin_with(CDS_GET_FEEDS, NULL);
  ok(!cds_call_is_done(call) && cds_call_take_report(call) == NULL, "before its end a call has nothing");
  answer.reports = cds_calloc(1, sizeof *answer.reports);
  answer.count = 1;
  answer.reports[0] = cds_calloc(1, 1); /* any block */
  cds_call_finish(call, NULL, &answer);
  struct cds_report *report = call->answer.reports[0];
  client.forks++;
  ok(cds_call_is_done(call) && cds_call_take_report(call) == NULL, "a child has none of its parent's answers");
  ok(cds_call_take_event(call) == NULL, "nor events");
  struct cds_error err = {0};
  is_number(cds_call_error(call, &err), CDS_E_CLOSED, "and is told why");
  client.forks--;
  ok(cds_call_take_report(call) == report, "the parent has");
  ok(cds_call_take_report(call) == NULL, "each once");
  is_number(cds_call_error(call, &err), CDS_OK, "it ended well");
  cds_free(report);
  end();
}

/* ---- a trace ---- */

/* What is written to standard error meanwhile, without the time before it. */
static const char *traced(void (*what)(struct cds_call *)) {
  catch_begin();
  what(call);
  const char *words = strpbrk(catch_end(), "<>");
  return words != NULL ? words : "";
}

static void trace_sent(struct cds_call *of) {
  cds_call_trace_sent(of);
}

static void test_trace(void) {
  begin(CDS_GET_LATEST_REPORT);
  call->attempts = 2;
  call->exchange.http_status = 200;
  is_string(traced(trace_sent), "", "nothing is traced");
  setenv("CHAINLINK_STREAMS_TRACE", "1", 1);
  cds_trace_begin();
  is_string(traced(trace_sent), "> GET https://h:8443" PATH ", attempt 2, signed (key and signature are not shown)\n",
            "but where it is asked for");
  call->exchange.anonymous = true;
  is_string(traced(trace_sent), "> GET https://h:8443" PATH ", attempt 2\n", "one that is not signed is none");
  is_string(traced(cds_call_log_attempt), "< GET " PATH ": 200 in 0.000 s\n", "an answer is traced");
  is_number(events, 1, "and told");
  call->log_level = CDS_LOG_NONE;
  is_string(traced(cds_call_log_attempt), "< GET " PATH ": 200 in 0.000 s\n", "it is traced to who wants no lines");
  is_number(events, 1, "and not told");
  end();
}

int main(void) {
  test_attempts();
  test_hidden_target();
  test_answers();
  test_clock();
  test_forked();
  test_trace();
  return done();
}
