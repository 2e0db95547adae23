/* SPDX-License-Identifier: MIT
 * One request by itself, and what is told of it: a service of the test's own takes the place of net/rest.c. */
#include "net/probe.h"

#include "base/limits.h"
#include "net/rest.h"
#include "tap.h"

struct cds_rest {
  struct cds_exchange *exchange;
};

static struct cds_rest service;
static enum cds_status of_new, of_start;
static int made, waits, waits_left, waited_ms;
static struct cds_exchange answer; /* what is told of it, its headers aside */
static const char *headers;
static struct cds_journey way;
static bool was_head, was_anonymous;
static char target[32];
static const struct cds_url *asked_of;

enum cds_status cds_rest_new(struct cds_rest **out, const struct cds_rest_options *options, struct cds_error *err) {
  *out = NULL;
  ok(options->timeout == 3, "by these options");
  if (of_new != CDS_OK) return cds_error_set(err, of_new, "no service");
  made++;
  *out = &service;
  return CDS_OK;
}

void cds_rest_free(struct cds_rest *rest) {
  ok(rest == &service, "what is freed was made");
  made--;
}

enum cds_status cds_rest_start(struct cds_rest *rest, struct cds_exchange *exchange, struct cds_error *err) {
  if (of_start != CDS_OK) return cds_error_set(err, of_start, "no request");
  rest->exchange = exchange;
  was_head = exchange->head;
  was_anonymous = exchange->anonymous;
  asked_of = exchange->url;
  snprintf(target, sizeof target, "%s", exchange->target);
  cds_buf_init(&exchange->headers, 1000);
  waits = 0;
  return CDS_OK;
}

void cds_rest_wait(struct cds_rest *rest, int timeout_ms) {
  (void)rest;
  waits++;
  waited_ms = timeout_ms;
}

struct cds_exchange *cds_rest_take_done(struct cds_rest *rest) {
  struct cds_exchange *exchange = rest->exchange;
  if (waits < waits_left) return NULL;
  if (headers != NULL && cds_buf_append(&exchange->headers, headers, strlen(headers)) != CDS_OK) return NULL;
  *exchange->journey = way;
  exchange->status = answer.status;
  exchange->err = answer.err;
  exchange->http_status = answer.http_status;
  exchange->received_at_ms = answer.received_at_ms;
  return exchange;
}

/* ---- tests ---- */

static struct cds_probe probe;
static const struct cds_url url = {.host = (char *)"h", .port = 1, .base = (char *)""};

static void ask(bool is_signed) {
  const struct cds_rest_options options = {.timeout = 3, .url = &url};
  memset(&probe, 0x55, sizeof probe);
  cds_probe(&probe, &options, "/x", is_signed);
  is_number(made, 0, "nothing is left");
}

static void test_answer(void) {
  answer = (struct cds_exchange){.http_status = 404, .received_at_ms = 100000};
  way = (struct cds_journey){.total_s = 2.5, .sent_s = 1, .stage = CDS_STAGE_DONE};
  headers = "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\nX-Cll-Available-Origins: {one,two}\r\n";
  waits_left = 3;
  ask(true);
  ok(was_head && !was_anonymous && asked_of == &url && strcmp(target, "/x") == 0, "HEAD, signed, as it is asked for");
  ok(waits == 3 && waited_ms > 0, "it is waited for");
  ok(probe.err.status == CDS_OK && probe.http_status == 404, "an answer of whatever status");
  ok(probe.received_ms == 100000 && probe.sent_ms == 98500, "that took its time: from %lld", (long long)probe.sent_ms);
  ok(probe.has_date && probe.date == 1700000000, "with a date");
  ok(probe.has_origins && probe.origins.count == 2 && cds_origins_has(&probe.origins, "two"), "and origins");
  is_number(probe.journey.stage, CDS_STAGE_DONE, "by its way");
  headers = "X: y\r\n";
  waits_left = 0;
  ask(false);
  ok(was_anonymous, "or not signed");
  ok(!probe.has_date && !probe.has_origins && probe.origins.count == 0, "without either");
}

static void test_failures(void) {
  headers = NULL;
  answer = (struct cds_exchange){.status = CDS_E_TIMEOUT};
  (void)!cds_error_set(&answer.err, CDS_E_NETWORK, "late");
  ask(true);
  ok(probe.err.status == CDS_E_TIMEOUT && strcmp(probe.err.message, "late") == 0, "a failure is told");
  of_start = CDS_E_MEMORY;
  ask(true);
  ok(probe.err.status == CDS_E_MEMORY && strcmp(probe.err.message, "no request") == 0,
     "so is a request that cannot be");
  of_new = CDS_E_CONFIG;
  ask(true);
  ok(probe.err.status == CDS_E_CONFIG && strcmp(probe.err.message, "no service") == 0, "and nothing to send it by");
  ok(probe.http_status == 0 && probe.journey.total_s == 0, "then nothing else is");
}

int main(void) {
  test_answer();
  test_failures();
  return done();
}
