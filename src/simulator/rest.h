/* SPDX-License-Identifier: MIT
 * The REST endpoints, once a request has passed authentication and rate limit. */
#ifndef CDS_SIM_REST_H
#define CDS_SIM_REST_H

#include "simulator/auth.h"
#include "simulator/page.h"

/* Answers, or starts the page that will. */
void cds_sim_rest(struct cds_sim_exchange *exchange, struct cds_sim_page *page, const struct cds_sim_account *account);

#endif
