/* SPDX-License-Identifier: MIT
 * Calls of the candlestick service, ready to be submitted: its token, and what is asked with that. */
#ifndef CDS_PRICES_H
#define CDS_PRICES_H

#include "rest/call.h"

/* Asks for a token, by the client's credentials. *out is NULL after a failure, here as below. CDS_E_CONFIG: the client
 * has no price_url. */
CDS_MUST_CHECK enum cds_status cds_prices_authorize(struct cds_call **out, struct cds_client *client,
                                                    const struct cds_call_hooks *hooks, struct cds_error *err);

/* Asks by an encoded query ("" for none) and a token, which must be visible ASCII of at most CDS_MAX_TOKEN_BYTES. */
CDS_MUST_CHECK enum cds_status cds_prices_ask(struct cds_call **out, struct cds_client *client,
                                              enum cds_operation operation, const char *query, const char *token,
                                              const struct cds_call_hooks *hooks, struct cds_error *err);

#endif
