/* SPDX-License-Identifier: MIT
 * One connection of a stream, kept up by a thread of its own: connect, subscribe, heartbeat, reconnect.
 *
 * After a connection that worked is lost, the first attempt follows at once; the later ones after an exponentially
 * growing delay with full jitter, or when the service said. A connection has worked once it has brought a message and
 * lived a second, or has lived five; only then the count of consecutive failures starts again from 0, so that a
 * service which accepts and drops at once is not hammered. 400, 401, 403 and 404 end the stream: asking again would
 * not help. */
#ifndef CDS_LINK_H
#define CDS_LINK_H

#include "client/stream_internal.h"

struct cds_link;

/* Starts the thread, which holds a reference of the stream. CDS_E_MEMORY when there is no thread to be had. */
CDS_MUST_CHECK enum cds_status cds_link_start(struct cds_link **out, struct cds_stream *stream, size_t index,
                                              struct cds_error *err);

/* Any thread: lets the link look at its stream: is it stopping, may it read on. */
void cds_link_wake(struct cds_link *link);

/* The stream is stopping: waits until the thread has ended, or detaches it when it takes too long (a resolver cannot
 * be interrupted). Once. */
void cds_link_stop(struct cds_link *link);

void cds_link_free(struct cds_link *link); /* when the stream's last reference has gone */

/* The ping's way there and back, negative when not known. The stream's mu is held. */
double cds_link_latency_ms(const struct cds_link *link);

#endif
