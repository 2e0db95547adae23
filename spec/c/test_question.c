/* SPDX-License-Identifier: MIT
 * What a failed question for missing reports means: whether it is asked again, how soon, and how often that is told. */
#include "base/clock.h"
#include "stream/core.h"
#include "stream/outlet.h"
#include "stream/parts.h"
#include "tap.h"

static bool is_repeated(enum cds_status status, int http_status) {
  const struct cds_error err = {.status = status, .http_status = http_status};
  return cds_question_is_worth_repeating(&err);
}

static void test_repeated(void) {
  ok(is_repeated(CDS_E_NETWORK, 0) && is_repeated(CDS_E_TIMEOUT, 0) && is_repeated(CDS_E_DECODE, 200),
     "no answer, or one that is not understood, may be another one next time");
  ok(is_repeated(CDS_E_RATE_LIMIT, 429) && is_repeated(CDS_E_MEMORY, 0), "so may too many, and no memory");
  ok(!is_repeated(CDS_E_AUTH, 401) && !is_repeated(CDS_E_AUTH, 0), "refused is refused");
  ok(!is_repeated(CDS_E_CONFIG, 0), "and what cannot be asked cannot");
  ok(is_repeated(CDS_E_API, 399) && !is_repeated(CDS_E_API, 400), "from 400");
  ok(!is_repeated(CDS_E_API, 499) && is_repeated(CDS_E_API, 500), "to 499 the answer is final");
  ok(is_repeated(CDS_E_DECODE, 404), "an answer, that is");
}

static int64_t delay(bool has_retry_after, double retry_after) {
  const struct cds_error err = {.has_retry_after = has_retry_after, .retry_after = retry_after};
  return cds_question_retry_after_ms(&err);
}

static void test_delay(void) {
  is_number(delay(false, 5), 0, "nothing was asked for");
  is_number(delay(true, 1.5), 1500, "a second and a half");
  is_number(delay(true, 3600), 3600000, "an hour");
  is_number(delay(true, 1e9), 3600000, "and no more");
}

/* Failures of many questions come one after the other: one a second is told. */
static void test_told(void) {
  static struct cds_stream stream;
  const struct cds_error err = {.status = CDS_E_NETWORK, .message = "no route"};
  int64_t silent_until_ms = 0, began_ms = cds_clock_mono_ms();
  struct cds_question_place place = {.stream = &stream, .silent_until_ms = &silent_until_ms};
  stream.core.config.log_level = CDS_LOG_WARN;
  pthread_mutex_init(&stream.core.mu, NULL);
  cds_outlet_be_closed(&stream);
  struct cds_error ignored;
  ok(cds_outlet_init(&stream, 1, 1000, NULL, &ignored) == CDS_OK, "a stream's outlet");
  cds_question_tell_failure(&place, &err);
  struct cds_event *event = cds_outlet_take_event(&stream);
  is_string(event->message, "what is missing could not be had: no route", "the first is told");
  is_number(event->level, CDS_LOG_WARN, "as a warning");
  cds_event_free(event);
  ok(silent_until_ms >= began_ms + 1000 && silent_until_ms <= cds_clock_mono_ms() + 1000, "then none for a second");
  silent_until_ms += 3600000;
  int64_t later_ms = silent_until_ms;
  cds_question_tell_failure(&place, &err);
  ok(cds_outlet_take_event(&stream) == NULL && silent_until_ms == later_ms, "which is not made longer");
  silent_until_ms = cds_clock_mono_ms();
  cds_question_tell_failure(&place, &err);
  event = cds_outlet_take_event(&stream);
  ok(event != NULL, "when it is over the next one is");
  cds_event_free(event);
  cds_outlet_clear(&stream);
  pthread_mutex_destroy(&stream.core.mu);
}

int main(void) {
  test_repeated();
  test_delay();
  test_told();
  return done();
}
