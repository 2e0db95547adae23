/* SPDX-License-Identifier: MIT
 * The circuit breaker, with a held clock. */
#include "tap.h"

#include "rest/breaker.h"

static void fail(struct cds_breaker *breaker, int times, int64_t now_ms) {
  for (int i = 0; i < times; i++) {
    cds_breaker_begin(breaker);
    cds_breaker_failure(breaker, now_ms);
  }
}

static void state_is(const struct cds_breaker *breaker, int64_t now_ms, const char *expected) {
  is_string(cds_circuit_name(cds_breaker_state(breaker, now_ms)), expected, "state");
}

static void test_opens(void) {
  struct cds_breaker breaker;
  cds_breaker_init(&breaker, 3, 2.5);
  fail(&breaker, 2, 100);
  ok(cds_breaker_allows(&breaker, 100), "two failures of three: closed");
  cds_breaker_success(&breaker);
  fail(&breaker, 2, 100);
  ok(cds_breaker_allows(&breaker, 100), "a success starts the count anew");
  fail(&breaker, 1, 1000);
  ok(!cds_breaker_allows(&breaker, 1000), "the third in a row opens it");
  state_is(&breaker, 1000, "open");
  is_number(cds_breaker_wait(&breaker, 2000), 1500, "the rest of the cooldown");
  ok(!cds_breaker_allows(&breaker, 3499), "still open at its last millisecond");
  state_is(&breaker, 3500, "half_open");
  cds_breaker_failure(&breaker, 2000);
  cds_breaker_failure(&breaker, 2000);
  is_number(breaker.failures, 3, "what fails behind the third, sent before it was known, is not counted");
}

static void test_half_open(void) {
  struct cds_breaker breaker;
  cds_breaker_init(&breaker, 1, 1);
  fail(&breaker, 1, 0);
  ok(cds_breaker_allows(&breaker, 1000), "after the cooldown one may try");
  cds_breaker_begin(&breaker);
  ok(!cds_breaker_allows(&breaker, 1000), "and only one");
  ok(!cds_breaker_allows(&breaker, 90000), "however long it takes");
  cds_breaker_cancel(&breaker);
  ok(cds_breaker_allows(&breaker, 90000), "a cancelled try makes room for another");
  cds_breaker_begin(&breaker);
  cds_breaker_failure(&breaker, 90000);
  state_is(&breaker, 90001, "open");
  ok(cds_breaker_allows(&breaker, 91000), "its failure opens for another cooldown");
  cds_breaker_begin(&breaker);
  cds_breaker_success(&breaker);
  state_is(&breaker, 91000, "closed");
  ok(cds_breaker_allows(&breaker, 91000) && breaker.failures == 0, "its success closes");
  is_number(cds_breaker_wait(&breaker, 90001), 0, "and then nobody waits");
}

int main(void) {
  struct cds_breaker never;
  test_opens();
  test_half_open();
  cds_breaker_init(&never, 0, 10);
  fail(&never, 1000, 0);
  ok(cds_breaker_allows(&never, 0), "a limit of 0 never opens");
  state_is(&never, 0, "closed");
  return done();
}
