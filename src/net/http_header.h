/* SPDX-License-Identifier: MIT
 * Reading the header lines of an HTTP answer, and the one struct for headers a user adds. */
#ifndef CDS_HTTP_HEADER_H
#define CDS_HTTP_HEADER_H

#include "base/cds.h"

struct cds_header {
  char *name, *value; /* owned */
};

/* Finds the first header of that name (any case) in raw lines "Name: value\r\n"; blanks around the value are cut.
 * The value points into headers. headers may be NULL. */
bool cds_http_header(const char **value, size_t *length, const char *headers, const char *name);

/* The Date header as Unix seconds. */
bool cds_http_date(double *seconds, const char *headers);

/* Retry-After as seconds from now, 0 to CDS_MAX_RETRY_AFTER, which more is taken for: given so, or as a date (compared
 * with the answer's own Date, or with now_ms when it has none). False when absent or unreadable. */
bool cds_http_retry_after(double *seconds, const char *headers, int64_t now_ms);

/* For how long a client of its own may keep the answer, 0 to CDS_MAX_KEEP_SECONDS, which more is taken for: max-age of
 * Cache-Control, less Age. 0 without it, where it is unreadable, and with no-store or no-cache. */
double cds_http_keep_seconds(const char *headers);

#endif
