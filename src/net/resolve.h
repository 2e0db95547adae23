/* SPDX-License-Identifier: MIT
 * Host names to addresses, in the order to try them. */
#ifndef CDS_RESOLVE_H
#define CDS_RESOLVE_H

#include "base/error.h"

#define CDS_MAX_ADDRESSES 8

struct cds_addresses {
  char text[CDS_MAX_ADDRESSES][64]; /* numeric */
  size_t count;
};

/* False: not an address in numbers. */
bool cds_resolve_numeric(struct cds_addresses *out, const char *host);

/* Blocks for as long as the system's resolver does. CDS_E_NETWORK with the resolver's reason. */
CDS_MUST_CHECK enum cds_status cds_resolve(struct cds_addresses *out, const char *host, struct cds_error *err);

#endif
