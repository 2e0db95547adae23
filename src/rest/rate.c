/* SPDX-License-Identifier: MIT
 * Rate limit over a sliding window. */
#include "rest/rate.h"

#include <math.h>

void cds_rate_init(struct cds_rate *rate, double per_second) {
  *rate = (struct cds_rate){0};
  if (per_second <= 0) return;
  rate->slots = per_second < 1 ? 1 : per_second < CDS_RATE_SLOTS ? (size_t)per_second : CDS_RATE_SLOTS;
  rate->window_ms = (int64_t)ceil((double)rate->slots * 1000 / per_second);
}

int64_t cds_rate_wait(const struct cds_rate *rate, int64_t now_ms) {
  if (rate->used < rate->slots || rate->slots == 0) return 0;
  int64_t free_at = rate->starts[rate->next] + rate->window_ms;
  return free_at > now_ms ? free_at - now_ms : 0;
}

void cds_rate_take(struct cds_rate *rate, int64_t now_ms) {
  if (rate->slots == 0) return;
  rate->starts[rate->next] = now_ms;
  rate->next = (rate->next + 1) % rate->slots;
  if (rate->used < rate->slots) rate->used++;
}
