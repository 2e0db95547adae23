/* SPDX-License-Identifier: MIT
 * Who signs the simulator's reports, in JSON. */
#ifndef CDS_SIM_ORACLES_H
#define CDS_SIM_ORACLES_H

#include "base/buf.h"
#include "simulator/signer.h"

/* Appends {"f":1,"config_digest":"0x…","signers":["0x…",…]}. */
CDS_MUST_CHECK enum cds_status cds_sim_oracles(struct cds_buf *out, const struct cds_sim_signer *signer);

#endif
