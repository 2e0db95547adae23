/* SPDX-License-Identifier: MIT
 * The thread behind all REST calls of a client: it holds them to the rate limit and the circuit breaker, sends them,
 * retries them. It rings timers too. Started by the first call or timer. */
#ifndef CDS_REST_THREAD_H
#define CDS_REST_THREAD_H

#include "rest/call.h"
#include "rest/timers.h"

struct cds_rest_thread;

/* client is borrowed: it owns the thread, and stops it before it goes. */
CDS_MUST_CHECK enum cds_status cds_rest_thread_new(struct cds_rest_thread **out, struct cds_client *client,
                                                   struct cds_error *err);

/* Takes a reference to the call when it returns CDS_OK. */
CDS_MUST_CHECK enum cds_status cds_rest_thread_submit(struct cds_rest_thread *thread, struct cds_call *call,
                                                      struct cds_error *err);

/* Rings at that monotonic time, from the REST thread with no lock held, or sooner if it was to ring sooner already.
 * *added: it was not set before. CDS_E_CLOSED after stop. */
CDS_MUST_CHECK enum cds_status cds_rest_thread_set_timer(struct cds_rest_thread *thread, struct cds_timer *timer,
                                                         int64_t due_ms, bool *added, struct cds_error *err);

/* True: it was set, and will not ring. False: it was not, or is about to ring. */
bool cds_rest_thread_cancel_timer(struct cds_rest_thread *thread, struct cds_timer *timer);

/* Any thread, with a reference to the call: it is to end soon, with CDS_E_CLOSED. */
void cds_rest_thread_cancel(struct cds_rest_thread *thread, struct cds_call *call);

void cds_rest_thread_stats(struct cds_client_stats *out, struct cds_rest_thread *thread);
void cds_rest_thread_stop(struct cds_rest_thread *thread); /* ends every call with CDS_E_CLOSED and joins; idempotent */
void cds_rest_thread_free(struct cds_rest_thread *thread); /* after stop, or never started */

#endif
