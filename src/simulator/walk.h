/* SPDX-License-Identifier: MIT
 * A random walk without a state: every point follows from the series' key and the position alone, in integers, so that
 * all origins, runs and machines agree on it. */
#ifndef CDS_SIM_WALK_H
#define CDS_SIM_WALK_H

#include "base/cds.h"

#define CDS_SIM_STEPS 1024                /* positions within a second */
#define CDS_SIM_WALK_UNIT 1000000000000LL /* cds_sim_walk's 1.0 */

/* A well mixed function of its arguments. */
uint64_t cds_sim_hash(uint64_t a, uint64_t b);

/* The walk's value at second * CDS_SIM_STEPS + step; always within -0.5 to 0.5, in units of 1 / CDS_SIM_WALK_UNIT. */
int64_t cds_sim_walk(uint64_t key, uint64_t position);

#endif
