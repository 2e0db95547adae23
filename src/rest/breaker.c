/* SPDX-License-Identifier: MIT
 * The circuit breaker. */
#include "rest/breaker.h"

void cds_breaker_init(struct cds_breaker *breaker, int limit, double cooldown) {
  *breaker = (struct cds_breaker){.limit = limit, .cooldown_ms = (int64_t)(cooldown * 1000)};
}

int64_t cds_breaker_wait(const struct cds_breaker *breaker, int64_t now_ms) {
  int64_t try_at = breaker->opened_at_ms + breaker->cooldown_ms;
  return breaker->is_open && try_at > now_ms ? try_at - now_ms : 0;
}

enum cds_circuit cds_breaker_state(const struct cds_breaker *breaker, int64_t now_ms) {
  if (!breaker->is_open) return CDS_CIRCUIT_CLOSED;
  return cds_breaker_wait(breaker, now_ms) > 0 ? CDS_CIRCUIT_OPEN : CDS_CIRCUIT_HALF_OPEN;
}

const char *cds_circuit_name(enum cds_circuit state) {
  static const char *const names[] = {"closed", "half_open", "open"};
  return names[state];
}

bool cds_breaker_allows(const struct cds_breaker *breaker, int64_t now_ms) {
  enum cds_circuit state = cds_breaker_state(breaker, now_ms);
  return state == CDS_CIRCUIT_CLOSED || (state == CDS_CIRCUIT_HALF_OPEN && !breaker->is_trying);
}

void cds_breaker_begin(struct cds_breaker *breaker) {
  breaker->is_trying = breaker->is_open;
}

void cds_breaker_success(struct cds_breaker *breaker) {
  breaker->failures = 0;
  breaker->is_open = false;
}

void cds_breaker_failure(struct cds_breaker *breaker, int64_t now_ms) {
  if (breaker->limit == 0) return;
  if (breaker->failures < breaker->limit) breaker->failures++;
  if (breaker->failures < breaker->limit) return;
  breaker->is_open = true;
  breaker->is_trying = false;
  breaker->opened_at_ms = now_ms;
}

void cds_breaker_cancel(struct cds_breaker *breaker) {
  breaker->is_trying = false;
}
