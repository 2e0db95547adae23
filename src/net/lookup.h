/* SPDX-License-Identifier: MIT
 * A host name being resolved by a thread of its own: the system's resolver knows no limit of time and cannot be
 * interrupted, and whoever waits for it here can be. */
#ifndef CDS_LOOKUP_H
#define CDS_LOOKUP_H

#include "net/resolve.h"

struct cds_lookup;

/* done is called once, from the lookup's thread, when there is an answer to take; never after cds_lookup_free. */
CDS_MUST_CHECK enum cds_status cds_lookup_start(struct cds_lookup **out, const char *host, void (*done)(void *context),
                                                void *context, struct cds_error *err);

/* lookup may be NULL. */
bool cds_lookup_is_of(const struct cds_lookup *lookup, const char *host);

/* False: there is no answer yet. True: *status is what cds_resolve answered, with *out or *err. */
bool cds_lookup_take(struct cds_lookup *lookup, enum cds_status *status, struct cds_addresses *out,
                     struct cds_error *err);

/* Never waits: a thread that is still in the resolver ends on its own. */
void cds_lookup_free(struct cds_lookup *lookup);

#endif
