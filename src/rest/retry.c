/* SPDX-License-Identifier: MIT
 * Which failures are worth another attempt. */
#include "rest/retry.h"

#include "context/backoff.h"

#define MAX_RETRY_AFTER 300.0 /* seconds; whoever asks for more is not waited for */

bool cds_retry_is_service_failure(const struct cds_error *err) {
  return err->status == CDS_E_NETWORK || err->status == CDS_E_TIMEOUT ||
         (err->status == CDS_E_API && err->http_status >= 500);
}

/* The signature was refused, and another one will be of a better time: by this attempt or meanwhile. Once a call, as the
 * service may mean something else. */
static bool has_better_clock(const struct cds_call *call, const struct cds_error *err) {
  return err->status == CDS_E_AUTH && call->attempts == 1 &&
         cds_service_clock_ahead_ms(&call->client->clock) != call->signed_ahead_ms;
}

bool cds_retry_may(const struct cds_call *call, const struct cds_error *err) {
  if (has_better_clock(call, err)) return !atomic_load(&call->cancelled);
  if (!err->retryable || (err->status != CDS_E_RATE_LIMIT && !cds_retry_is_service_failure(err))) return false;
  if (err->has_retry_after && err->retry_after > MAX_RETRY_AFTER) return false;
  return call->attempts <= (unsigned)call->max_retries && !atomic_load(&call->cancelled);
}

double cds_retry_delay(const struct cds_call *call, const struct cds_error *err) {
  const struct cds_config *config = &call->client->config;
  if (err->has_retry_after) return err->retry_after;
  if (err->status == CDS_E_AUTH) return 0;
  return cds_backoff_delay(call->attempts - 1, config->retry_delay, config->retry_max_delay, cds_backoff_random());
}

enum cds_status cds_retry_refuse(struct cds_error *err, const struct cds_breaker *breaker, enum cds_operation operation,
                                 int64_t now_ms) {
  double seconds = (double)cds_breaker_wait(breaker, now_ms) / 1000;
  cds_error_set(err, CDS_E_CIRCUIT_OPEN, "%s %s: not sent after %d failures in a row; next try in %.1f s",
                cds_api_method(operation), cds_api_path(operation), breaker->failures, seconds);
  err->has_retry_after = true;
  err->retry_after = seconds;
  return CDS_E_CIRCUIT_OPEN;
}
