/* SPDX-License-Identifier: MIT
 * Signatures made ahead. */
#ifndef CDS_SIM_PRESIGN_H
#define CDS_SIM_PRESIGN_H

#include "simulator/source.h"

/* Signs `seconds` seconds of reports on all processors before they are due. Picks a first second such that the work
 * should be done by then, and waits for it. Stops early, with the cache empty, once *stop is true. */
CDS_MUST_CHECK enum cds_status cds_sim_presign(struct cds_sim_source *source, unsigned seconds, int64_t now_ms,
                                               const volatile bool *stop, struct cds_error *err);

#endif
