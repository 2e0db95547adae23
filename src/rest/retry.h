/* SPDX-License-Identifier: MIT
 * Whether and when a call is tried again. */
#ifndef CDS_RETRY_H
#define CDS_RETRY_H

#include "rest/breaker.h"
#include "rest/call.h"

/* It says something about the service, not about the question. */
bool cds_retry_is_service_failure(const struct cds_error *err);

/* After an attempt that ended in err: retries are left, and another one may help. */
bool cds_retry_may(const struct cds_call *call, const struct cds_error *err);

/* Seconds until it: what the service asked for, else a growing time with full jitter. */
double cds_retry_delay(const struct cds_call *call, const struct cds_error *err);

/* The circuit's breaker lets nothing through: that as an error. */
enum cds_status cds_retry_refuse(struct cds_error *err, const struct cds_breaker *breaker, enum cds_operation operation,
                                 int64_t now_ms);

#endif
