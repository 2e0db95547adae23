/* SPDX-License-Identifier: MIT
 * HTTP requests over libcurl's multi interface: one exchange is one attempt. All functions but cds_rest_new and
 * cds_rest_wake belong to one thread. */
#ifndef CDS_REST_H
#define CDS_REST_H

#include "net/exchange.h"

struct cds_rest;

CDS_MUST_CHECK enum cds_status cds_rest_new(struct cds_rest **out, const struct cds_rest_options *options,
                                            struct cds_error *err);

/* Sends a request, signed unless it is a POST or anonymous. The exchange is busy until it is taken or cancelled; its out members are
 * reset first. */
CDS_MUST_CHECK enum cds_status cds_rest_start(struct cds_rest *rest, struct cds_exchange *exchange,
                                              struct cds_error *err);

/* Works on the exchanges until something happened, at most timeout_ms. */
void cds_rest_wait(struct cds_rest *rest, int timeout_ms);

struct cds_exchange *cds_rest_take_done(struct cds_rest *rest); /* NULL when none */
void cds_rest_cancel(struct cds_rest *rest, struct cds_exchange *exchange);

/* Makes the current or next cds_rest_wait return at once; from any thread. */
void cds_rest_wake(struct cds_rest *rest);

void cds_rest_free(struct cds_rest *rest); /* no exchange may be busy; closes the connections */

#endif
