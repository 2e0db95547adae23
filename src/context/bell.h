/* SPDX-License-Identifier: MIT
 * A doorbell for hosts that wait for nothing but sockets which they have connected themselves, as nginx. They connect
 * to the bell's unix socket and write a line:
 *
 *   wait FD MS   one byte comes when descriptor FD of this process is readable, or when MS milliseconds have passed
 *                (-1: no end); the next line may follow then
 *   listen       one byte comes at once, and one at each cds_bell_ring; the connection ends with the process
 *
 * A thread of its own answers. A line that is neither ends the connection. */
#ifndef CDS_BELL_H
#define CDS_BELL_H

#include "base/error.h"

struct cds_bell;

/* CDS_E_MEMORY when no socket, thread or memory can be had. */
CDS_MUST_CHECK enum cds_status cds_bell_open(struct cds_bell **out, struct cds_error *err);

/* The path of the socket, for this process and others of the same user. */
const char *cds_bell_address(const struct cds_bell *bell);

/* To all that listen. One that does not read what it was sent is not waited for. Any thread. */
void cds_bell_ring(struct cds_bell *bell);

/* Ends the thread and the connections. NULL is ignored. In a forked child only the socket is closed. */
void cds_bell_close(struct cds_bell *bell);

#endif
