/* SPDX-License-Identifier: MIT
 * How many threads of connections there are in the process. */
#ifndef CDS_THREADS_H
#define CDS_THREADS_H

#include "base/cds.h"

/* A connection's thread: before it is created, and the last that it does. */
void cds_threads_starts(void);
void cds_threads_ends(void);

void cds_threads_wait(int64_t limit_ms); /* until there is none, so long at most */
void cds_threads_forget(void);           /* in the child of a fork, which takes none of them along */

#endif
