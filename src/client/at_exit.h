/* SPDX-License-Identifier: MIT
 * Stops every client's threads when the process exits with clients open. exit() takes OpenSSL's tables down, which a
 * thread in the middle of a handshake would run into. */
#ifndef CDS_AT_EXIT_H
#define CDS_AT_EXIT_H

#include "context/context.h"

/* False where there is no memory for it, or for noticing forks. */
CDS_MUST_CHECK bool cds_at_exit_add(struct cds_client *client);
void cds_at_exit_remove(struct cds_client *client); /* does nothing for one that was never added */

#endif
