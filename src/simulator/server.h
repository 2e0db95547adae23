/* SPDX-License-Identifier: MIT
 * Listens, and serves until the service is told to stop. */
#ifndef CDS_SIM_SERVER_H
#define CDS_SIM_SERVER_H

#include "simulator/certificate.h"
#include "simulator/service.h"

/* certificate NULL: plain. listening is called once the port is open. */
CDS_MUST_CHECK enum cds_status cds_sim_serve(struct cds_sim *sim, struct cds_sim_certificate *certificate,
                                             void (*listening)(int port, void *context), void *context,
                                             struct cds_error *err);

#endif
