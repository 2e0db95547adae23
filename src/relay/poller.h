/* SPDX-License-Identifier: MIT
 * One descriptor for several connections and a timer, for whoever waits: readable while one of them has something to
 * do. Used by one thread at a time. */
#ifndef CDS_RELAY_POLLER_H
#define CDS_RELAY_POLLER_H

#include "base/error.h"

struct cds_poller;

CDS_MUST_CHECK enum cds_status cds_poller_open(struct cds_poller **out, struct cds_error *err);
struct cds_poller *cds_poller_ref(struct cds_poller *poller);
void cds_poller_unref(struct cds_poller *poller); /* NULL is accepted; the last one closes it */

int cds_poller_fd(const struct cds_poller *poller);

/* The timer: readable after so many seconds, and until this is called again; 0: at once, below 0: never. */
void cds_poller_arm(struct cds_poller *poller, double seconds);

/* A descriptor that is waited for: to be readable, and with to_write to be writable too. It is forgotten once it is
 * closed. change: of one that was added. */
CDS_MUST_CHECK bool cds_poller_add(struct cds_poller *poller, int fd, bool to_write);
CDS_MUST_CHECK bool cds_poller_change(struct cds_poller *poller, int fd, bool to_write);

/* Those that have something to do now, `most` at most; -> how many. */
size_t cds_poller_ready(int *fds, size_t most, const struct cds_poller *poller);

#endif
