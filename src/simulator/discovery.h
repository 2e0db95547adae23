/* SPDX-License-Identifier: MIT
 * Which feeds there are: the catalogue, which needs no credentials. */
#ifndef CDS_SIM_DISCOVERY_H
#define CDS_SIM_DISCOVERY_H

#include "simulator/answer.h"
#include "simulator/auth.h"

/* Answers; account is NULL for whoever sent no credentials. */
void cds_sim_discovery(struct cds_sim_exchange *exchange, const struct cds_sim_account *account);

#endif
