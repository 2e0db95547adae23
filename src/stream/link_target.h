/* SPDX-License-Identifier: MIT
 * What a link asks for: path, version and feeds. */
#ifndef CDS_LINK_TARGET_H
#define CDS_LINK_TARGET_H

#include "stream/link.h"

/* A feed whose times version 1 of the service's messages has no room for; NULL: there is none. */
const struct cds_feed_id *cds_link_finer_feed(const struct cds_link_plan *plan);

bool cds_link_speaks_v2(const struct cds_link_plan *plan);

/* Path and query for that host of the configuration, which are also what is signed. CDS_E_MEMORY: no room. */
CDS_MUST_CHECK enum cds_status cds_link_target(struct cds_buf *target, const struct cds_link_plan *plan, size_t host);

size_t cds_link_longest_target(const struct cds_link_plan *plan); /* bytes, of any host */

/* The handshake goes out: for a trace. */
void cds_link_trace(const struct cds_link_plan *plan, size_t host, const char *target, const char *origin);

#endif
