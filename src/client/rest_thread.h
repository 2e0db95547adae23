/* SPDX-License-Identifier: MIT
 * The thread behind all REST calls of a client: it holds them to the rate limit and the circuit breaker, sends them,
 * retries them. Started by the first call. */
#ifndef CDS_REST_THREAD_H
#define CDS_REST_THREAD_H

#include "client/client.h"

struct cds_rest_thread;

/* client is borrowed: it owns the thread, and stops it before it goes. */
CDS_MUST_CHECK enum cds_status cds_rest_thread_new(struct cds_rest_thread **out, struct cds_client *client,
                                                   struct cds_error *err);

/* Takes a reference to the call when it returns CDS_OK. */
CDS_MUST_CHECK enum cds_status cds_rest_thread_submit(struct cds_rest_thread *thread, struct cds_call *call,
                                                      struct cds_error *err);

void cds_rest_thread_wake(struct cds_rest_thread *thread); /* a call was cancelled */
void cds_rest_thread_stats(struct cds_client_stats *out, struct cds_rest_thread *thread);
void cds_rest_thread_stop(struct cds_rest_thread *thread); /* ends every call with CDS_E_CLOSED and joins; idempotent */
void cds_rest_thread_free(struct cds_rest_thread *thread); /* after stop, or never started */

#endif
