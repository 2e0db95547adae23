/* SPDX-License-Identifier: MIT
 * What an HTTP answer that is no success means to the caller. Private to rest/api.c. */
#ifndef CDS_API_ERROR_H
#define CDS_API_ERROR_H

#include "net/exchange.h"

/* The error of an answer whose status is not a success: kind, retry_after, clock_skew, start of the body. */
enum cds_status cds_api_http_error(struct cds_error *err, const char *path, const struct cds_exchange *exchange);

#endif
