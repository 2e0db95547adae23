/* SPDX-License-Identifier: MIT
 * The header by which the service names its origins: X-Cll-Available-Origins: {one,two}. */
#ifndef CDS_ORIGINS_H
#define CDS_ORIGINS_H

#include "base/error.h"
#include "base/limits.h"

#define CDS_HEADER_ORIGINS "X-Cll-Available-Origins"
#define CDS_HEADER_ORIGIN "X-Cll-Origin"

struct cds_origins {
  char names[CDS_MAX_ORIGINS][CDS_MAX_ORIGIN_TEXT];
  size_t count;
};

/* Reads the header's value: names with commas between them, braces and blanks around them allowed. Repeated names,
 * those past CDS_MAX_ORIGINS, and names that are too long or could not stand in a header of ours are left out: false
 * when there was such a one, so that it can be told. Nothing in the value makes it fail beyond that. */
bool cds_origins_parse(struct cds_origins *out, const char *value, size_t length);

bool cds_origins_has(const struct cds_origins *origins, const char *name);

#endif
