/* SPDX-License-Identifier: MIT
 * Threads of the engine, and how many of connections there are in the process. */
#ifndef CDS_THREADS_H
#define CDS_THREADS_H

#include <pthread.h>

#include "base/cds.h"

/* pthread_create with all signals blocked in the new thread: the host's handlers, and EINTR in its waits, depend on its
 * own threads having them. 0, or an error number. */
CDS_MUST_CHECK int cds_threads_create(pthread_t *out, void *(*run)(void *argument), void *argument);

/* A connection's thread: before it is created, and the last that it does. */
void cds_threads_starts(void);
void cds_threads_ends(void);

void cds_threads_wait(int64_t limit_ms); /* until there is none, so long at most */
void cds_threads_forget(void);           /* in the child of a fork, which takes none of them along */

#endif
