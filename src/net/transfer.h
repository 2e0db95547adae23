/* SPDX-License-Identifier: MIT
 * One request on its way: its handle of libcurl with all options set, and what comes in for it. Private to net/rest.c. */
#ifndef CDS_TRANSFER_H
#define CDS_TRANSFER_H

#include "net/curl.h"
#include "net/exchange.h"

/* Makes exchange->transfer, whose easy handle is then ready to run. False: out of memory, and there is none. */
CDS_MUST_CHECK bool cds_transfer_begin(struct cds_exchange *exchange, const struct cds_curl *curl,
                                       const struct cds_rest_options *options);

CURL *cds_transfer_easy(const struct cds_transfer *transfer);
struct cds_exchange *cds_transfer_of(const struct cds_curl *curl, CURL *easy); /* whose handle it is */

/* libcurl is done with it: what came of it, into the exchange's out members. */
void cds_transfer_finish(struct cds_exchange *exchange, CURLcode code);

void cds_transfer_free(struct cds_transfer *transfer); /* libcurl has its handle no more */

#endif
