/* SPDX-License-Identifier: MIT
 * A circuit breaker: after so many failures in a row nothing is sent for a while, then one request tries. Pure: the
 * time comes in as a number. */
#ifndef CDS_BREAKER_H
#define CDS_BREAKER_H

#include "base/cds.h"

enum cds_circuit { CDS_CIRCUIT_CLOSED, CDS_CIRCUIT_HALF_OPEN, CDS_CIRCUIT_OPEN };

struct cds_breaker {
  int limit; /* failures that open it; 0: never */
  int64_t cooldown_ms;
  int failures; /* in a row */
  int64_t opened_at_ms;
  bool is_open;   /* open or half open */
  bool is_trying; /* half open, and its one request is under way */
};

void cds_breaker_init(struct cds_breaker *breaker, int limit, double cooldown);

enum cds_circuit cds_breaker_state(const struct cds_breaker *breaker, int64_t now_ms);
const char *cds_circuit_name(enum cds_circuit state); /* "closed", "half_open", "open" */

bool cds_breaker_allows(const struct cds_breaker *breaker, int64_t now_ms);  /* may an attempt begin */
int64_t cds_breaker_wait(const struct cds_breaker *breaker, int64_t now_ms); /* ms until the next try, 0: now */

void cds_breaker_begin(struct cds_breaker *breaker); /* an allowed attempt begins; each ends in one of: */
void cds_breaker_success(struct cds_breaker *breaker);
void cds_breaker_failure(struct cds_breaker *breaker, int64_t now_ms);
void cds_breaker_cancel(struct cds_breaker *breaker); /* nobody knows how it would have ended */

#endif
