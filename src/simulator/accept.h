/* SPDX-License-Identifier: MIT
 * What goes wrong before HTTP. */
#ifndef CDS_SIM_ACCEPT_H
#define CDS_SIM_ACCEPT_H

#include "simulator/service.h"

bool cds_sim_accept(struct cds_sim *sim, int fd); /* false: it is not to be served */
void cds_sim_accept_tick(int64_t mono_ms);

#endif
