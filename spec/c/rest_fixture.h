/* SPDX-License-Identifier: MIT
 * What the REST tests share: a client of a scripted server, answers, and waiting for a call. */
#ifndef REST_FIXTURE_H
#define REST_FIXTURE_H

#include <stdarg.h>
#include <time.h>

#include "base/alloc.h"
#include "client/client.h"
#include "codec/hex.h"
#include "http_server.h"
#include "sample.h"
#include "tap.h"

#define TEST_KEY "test-key"
#define TEST_SECRET "hunter2"
#define WAIT_MS 90000 /* a bound for a hang, not a measure */

#define HEAD(status, extra) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" extra

struct fixture {
  struct http_server *server; /* NULL: nothing listens */
  struct cds_client *client;
  struct cds_config config; /* set up by begin; start_client takes it */
};

__attribute__((unused)) static const struct http_step no_step;

/* What a finished call left. */
struct outcome {
  enum cds_status status;
  struct cds_error err;
  int http_status;
  size_t report_count;
  struct cds_feed_id feed; /* of the first report */
  bool has_next_page;
  int64_t next_page;
  double keep_seconds;
  char body[512];
  size_t warnings, debugs, responses;
  char last_warning[384], response_headers[512], response_url[512];
};

/* A step that answers text and keeps the connection; text must live on. */
__attribute__((unused)) static struct http_step answer(const char *text) {
  return (struct http_step){text, strlen(text), HTTP_KEEP};
}

__attribute__((unused)) static struct http_step answer_and_close(const char *text) {
  return (struct http_step){text, strlen(text), HTTP_CLOSE};
}

/* An answer with this body and its Content-Length; the caller frees it. */
__attribute__((unused)) static char *with_body(const char *head, const char *body) {
  size_t size = strlen(head) + strlen(body) + 64;
  char *text = malloc(size);
  snprintf(text, size, "%sContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
  return text;
}

/* ---- reports ---- */

__attribute__((unused)) static struct cds_feed_id test_feed(int number) {
  struct cds_feed_id feed = {{0, 3}};
  feed.bytes[31] = (uint8_t)number;
  return feed;
}

/* Writes {"feedID":…,"fullReport":…} of a version 3 report of the feed. */
__attribute__((unused)) static void write_report(char *out, size_t size, int number) {
  struct cds_feed_id feed = test_feed(number);
  uint8_t blob[SAMPLE_MAX];
  struct sample sample;
  static char hex[2 * SAMPLE_MAX + 1];
  char id[CDS_FEED_ID_TEXT + 1];
  size_t length = sample_blob(blob, cds_schema_find(3));
  memcpy(blob, feed.bytes, 32);
  sample_report(&sample, blob, length, 2);
  cds_hex_encode(hex, sample.bytes, sample.length);
  hex[2 * sample.length] = 0;
  cds_feed_id_format(id, &feed);
  int written = snprintf(out, size, "{\"feedID\":\"%s\",\"fullReport\":\"0x%s\"}", id, hex);
  http_check(written > 0 && (size_t)written < size, "write_report");
}

/* The body {"report":…}; the caller frees it. */
__attribute__((unused)) static char *report_body(int number) {
  static char report[8192];
  char *body = malloc(sizeof report + 32);
  write_report(report, sizeof report, number);
  snprintf(body, sizeof report + 32, "{\"report\":%s}", report);
  return body;
}

/* A good answer with a report of the feed; the caller frees it. */
__attribute__((unused)) static char *report_answer(int number) {
  char *body = report_body(number), *text = with_body(HEAD("200 OK", ""), body);
  free(body);
  return text;
}

/* ---- client ---- */

static void begin(struct fixture *fixture, const struct http_step *steps, size_t count) {
  char url[64];
  *fixture = (struct fixture){0};
  if (count > 0) fixture->server = http_start(steps, count);
  cds_config_init(&fixture->config);
  snprintf(url, sizeof url, "http://127.0.0.1:%d/base", count > 0 ? fixture->server->port : 1);
  http_check(cds_url_parse(&fixture->config.rest, url, "rest_url", NULL) == CDS_OK, "rest_url");
  http_check(cds_url_parse(&fixture->config.ws[0], "ws://127.0.0.1:1", "ws_url", NULL) == CDS_OK, "ws_url");
  fixture->config.ws_count = 1;
  fixture->config.api_key = cds_strdup(TEST_KEY);
  fixture->config.api_secret = cds_strdup(TEST_SECRET);
  fixture->config.proxy = cds_strdup("");
  fixture->config.timeout = fixture->config.connect_timeout = 60;
  fixture->config.retry_delay = 0.01;
  fixture->config.retry_max_delay = 0.02;
  fixture->config.rate_limit = 0;
  fixture->config.breaker_failures = 0;
  fixture->config.stream.log_level = CDS_LOG_DEBUG;
}

static void start_client(struct fixture *fixture) {
  struct cds_error err;
  if (cds_client_new(&fixture->client, &fixture->config, &err) != CDS_OK) {
    printf("# %s\n", err.message);
    exit(2);
  }
}

static void end(struct fixture *fixture) {
  cds_client_free(fixture->client);
  cds_config_clear(&fixture->config);
  if (fixture->server != NULL) {
    http_stop(fixture->server);
    http_free(fixture->server);
  }
}

/* ---- calls ---- */

__attribute__((unused)) static struct cds_call *start_call(struct fixture *fixture, enum cds_operation operation,
                                                           size_t feed_count) {
  struct cds_feed_id feeds[4] = {test_feed(1), test_feed(2), test_feed(3), test_feed(4)};
  struct cds_call_args args = {operation, feeds, feed_count, 1700000000, operation == CDS_GET_REPORT_PAGE ? 7 : 0};
  struct cds_call *call;
  struct cds_error err;
  if (fixture->client == NULL) start_client(fixture);
  if (cds_call_start(&call, fixture->client, &args, &err) != CDS_OK) {
    printf("# %s\n", err.message);
    exit(2);
  }
  return call;
}

__attribute__((unused)) static void note_event(struct outcome *outcome, const struct cds_event *event) {
  if (event->kind == CDS_EVENT_RESPONSE) {
    outcome->responses++;
    snprintf(outcome->response_headers, sizeof outcome->response_headers, "%s", event->headers);
    snprintf(outcome->response_url, sizeof outcome->response_url, "%s %s", event->method, event->url);
  } else if (event->level == CDS_LOG_WARN) {
    outcome->warnings++;
    snprintf(outcome->last_warning, sizeof outcome->last_warning, "%s", event->message);
  } else {
    outcome->debugs++;
  }
}

/* Waits for the end as a script does, through the descriptor; frees the call. */
__attribute__((unused)) static struct outcome finish_call(struct cds_call *call) {
  struct outcome outcome = {0};
  struct cds_event *event;
  struct cds_report *report;
  bool is_done;
  do {
    struct pollfd fd = {cds_call_fd(call), POLLIN, 0};
    http_check(poll(&fd, 1, WAIT_MS) == 1, "the call did not end");
    is_done = cds_call_is_done(call);
    while ((event = cds_call_take_event(call)) != NULL) {
      note_event(&outcome, event);
      cds_event_free(event);
    }
  } while (!is_done);
  outcome.status = cds_call_error(call, &outcome.err);
  outcome.http_status = cds_call_http_status(call);
  outcome.has_next_page = cds_call_next_page(call, &outcome.next_page);
  outcome.keep_seconds = cds_call_keep_seconds(call);
  size_t length;
  const char *body = cds_call_body(call, &length);
  snprintf(outcome.body, sizeof outcome.body, "%.*s", (int)length, body == NULL ? "" : body);
  for (; (report = cds_call_take_report(call)) != NULL; cds_report_unref(report))
    if (outcome.report_count++ == 0) outcome.feed = report->feed_id;
  cds_call_free(call);
  return outcome;
}

__attribute__((unused)) static struct outcome run_call(struct fixture *fixture, enum cds_operation operation,
                                                       size_t feed_count) {
  return finish_call(start_call(fixture, operation, feed_count));
}

__attribute__((unused)) static void is_outcome(const struct outcome *outcome, enum cds_status status, bool retryable,
                                               const char *words) {
  is_string(cds_status_kind(outcome->status), cds_status_kind(status), "kind");
  ok(outcome->err.retryable == retryable, "retryable: %s", retryable ? "yes" : "no");
  if (!ok(strstr(outcome->err.message, words) != NULL, "the message has: %s", words))
    printf("#   got: %s\n", outcome->err.message);
  ok(strstr(outcome->err.message, TEST_SECRET) == NULL, "and no secret");
}

#endif
