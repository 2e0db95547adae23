/* SPDX-License-Identifier: MIT
 * Tokens of the candlestick service: they say whose they are and how long they are good for, and are signed. */
#ifndef CDS_SIM_TOKEN_H
#define CDS_SIM_TOKEN_H

#include "simulator/auth.h"

#define CDS_SIM_TOKEN_SECONDS 3600

/* Appends a token for the account, which is good until `expiration`, Unix seconds. */
CDS_MUST_CHECK enum cds_status cds_sim_token_make(struct cds_buf *out, const struct cds_sim_account *account,
                                                  int64_t expiration);

/* Whose token the request bears; NULL when it has none that is good now. */
struct cds_sim_account *cds_sim_token_account(struct cds_sim *sim, const struct cds_sim_request *request);

#endif
