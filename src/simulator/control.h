/* SPDX-License-Identifier: MIT
 * What tests ask of the simulator itself. */
#ifndef CDS_SIM_CONTROL_H
#define CDS_SIM_CONTROL_H

#include "simulator/answer.h"

void cds_sim_control(struct cds_sim_exchange *exchange);

#endif
