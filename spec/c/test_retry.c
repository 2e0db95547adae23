/* SPDX-License-Identifier: MIT
 * Which failures are tried again, how often, and after how long. */
#include "tap.h"

#include "rest/retry.h"

static struct cds_client client;
static struct cds_call call = {.client = &client, .max_retries = 3, .attempts = 1};

static struct cds_error failure(enum cds_status status, bool retryable, int http_status) {
  return (struct cds_error){.status = status, .retryable = retryable, .http_status = http_status};
}

static bool may(enum cds_status status, bool retryable, int http_status) {
  const struct cds_error err = failure(status, retryable, http_status);
  return cds_retry_may(&call, &err);
}

static bool is_service_failure(enum cds_status status, int http_status) {
  const struct cds_error err = failure(status, true, http_status);
  return cds_retry_is_service_failure(&err);
}

static void test_service(void) {
  ok(is_service_failure(CDS_E_NETWORK, 0), "no connection is the service's failure");
  ok(is_service_failure(CDS_E_TIMEOUT, 0), "no answer in time");
  ok(is_service_failure(CDS_E_API, 500) && is_service_failure(CDS_E_API, 501), "its own error");
  ok(!is_service_failure(CDS_E_API, 499) && !is_service_failure(CDS_E_API, 404), "an answer about the question is not");
  ok(!is_service_failure(CDS_E_AUTH, 500) && !is_service_failure(CDS_E_DECODE, 500), "nor anything else");
  ok(!is_service_failure(CDS_E_RATE_LIMIT, 429), "nor too many requests");
}

static void test_kinds(void) {
  ok(may(CDS_E_NETWORK, true, 0) && may(CDS_E_TIMEOUT, true, 0), "tried again: no answer");
  ok(may(CDS_E_API, true, 503) && may(CDS_E_RATE_LIMIT, true, 429), "the service's errors, too many requests");
  ok(!may(CDS_E_NETWORK, false, 0), "not what is told to be final");
  ok(!may(CDS_E_RATE_LIMIT, false, 429) && !may(CDS_E_API, false, 503), "whatever its kind");
  ok(!may(CDS_E_MEMORY, true, 0), "not our own trouble");
  ok(!may(CDS_E_API, true, 404), "not an answer about the question");
}

static void test_number(void) {
  for (unsigned attempts = 1; attempts <= 3; attempts++) {
    call.attempts = attempts;
    ok(may(CDS_E_NETWORK, true, 0), "retry %u of 3", attempts);
  }
  call.attempts = 4;
  ok(!may(CDS_E_NETWORK, true, 0), "and not a fourth");
  call.attempts = 1;
  call.max_retries = 0;
  ok(!may(CDS_E_NETWORK, true, 0), "none where none is wanted");
  call.max_retries = 3;
  atomic_store(&call.cancelled, true);
  ok(!may(CDS_E_NETWORK, true, 0), "nor when nobody waits any more");
  atomic_store(&call.cancelled, false);
}

static void test_retry_after(void) {
  struct cds_error err = failure(CDS_E_RATE_LIMIT, true, 429);
  err.has_retry_after = true;
  err.retry_after = 300;
  ok(cds_retry_may(&call, &err) && cds_retry_delay(&call, &err) == 300, "five minutes that are asked for are waited");
  err.retry_after = 300.5;
  ok(!cds_retry_may(&call, &err), "more is left to the caller");
  err.retry_after = 0;
  ok(cds_retry_may(&call, &err) && cds_retry_delay(&call, &err) == 0, "at once, when that is asked for");
  err.has_retry_after = false;
  err.retry_after = 1000;
  ok(cds_retry_may(&call, &err), "a number that was not given says nothing");
}

/* A refused signature is worth another try, once, when the next one will be of another time. */
static void test_clock(void) {
  const struct cds_error err = failure(CDS_E_AUTH, false, 401);
  client.config.retry_delay = client.config.retry_max_delay = 5;
  client.clock.is_followed = true;
  atomic_store(&client.clock.ahead_ms, 10000);
  call.signed_ahead_ms = 0;
  ok(cds_retry_may(&call, &err), "a refusal by the clock");
  ok(cds_retry_delay(&call, &err) == 0, "is tried again at once");
  ok(!may(CDS_E_API, false, 404), "no other is");
  atomic_store(&call.cancelled, true);
  ok(!cds_retry_may(&call, &err), "nor when nobody waits any more");
  atomic_store(&call.cancelled, false);
  call.attempts = 2;
  ok(!cds_retry_may(&call, &err), "it is once");
  call.attempts = 1;
  call.signed_ahead_ms = 10000;
  ok(!cds_retry_may(&call, &err), "and not when the time was the same");
  client.clock.is_followed = false;
  call.signed_ahead_ms = 0;
  ok(!cds_retry_may(&call, &err), "or is not followed");
}

/* Of many random delays none is as long as allowed, and one is longer than half of that. */
static void test_delay(void) {
  static const double ceilings[] = {1, 2, 4, 5, 5};
  const struct cds_error err = failure(CDS_E_NETWORK, true, 0);
  client.config.retry_delay = 1;
  client.config.retry_max_delay = 5;
  for (unsigned retry = 0; retry < 5; retry++) {
    double longest = 0;
    call.attempts = retry + 1;
    for (int i = 0; i < 200; i++) {
      double delay = cds_retry_delay(&call, &err);
      if (delay > longest) longest = delay;
    }
    ok(longest > 0.8 * ceilings[retry] && longest < ceilings[retry], "retry %u is within %g s (%g)", retry + 1,
       ceilings[retry], longest);
  }
}

static void test_refused(void) {
  struct cds_breaker breaker;
  struct cds_error err;
  cds_breaker_init(&breaker, 2, 10);
  cds_breaker_failure(&breaker, 1000);
  cds_breaker_failure(&breaker, 1000);
  is_number(cds_retry_refuse(&err, &breaker, CDS_HEAD_ORIGINS, 4500), CDS_E_CIRCUIT_OPEN, "an open circuit");
  is_string(err.message, "HEAD /: not sent after 2 failures in a row; next try in 6.5 s", "in words");
  ok(err.status == CDS_E_CIRCUIT_OPEN && err.has_retry_after && err.retry_after == 6.5, "and as a number");
}

int main(void) {
  test_service();
  test_kinds();
  test_number();
  test_retry_after();
  test_clock();
  test_delay();
  test_refused();
  return done();
}
