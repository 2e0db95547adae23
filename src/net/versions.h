/* SPDX-License-Identifier: MIT
 * The libraries that this process runs with. */
#ifndef CDS_VERSIONS_H
#define CDS_VERSIONS_H

#include "base/error.h"

struct cds_versions { /* as the libraries themselves tell */
  const char *libcurl, *libwebsockets, *openssl;
};

/* Loads libcurl; a failure is that it cannot be, and the others are told all the same. */
CDS_MUST_CHECK enum cds_status cds_versions(struct cds_versions *out, struct cds_error *err);

#endif
