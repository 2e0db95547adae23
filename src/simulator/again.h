/* SPDX-License-Identifier: MIT
 * A recorded report once more, of a later time: its times are moved, and the service's own oracles sign it. */
#ifndef CDS_SIM_AGAIN_H
#define CDS_SIM_AGAIN_H

#include "simulator/replay.h"
#include "simulator/signer.h"

/* Can it be made again? Its schema is one that is known here. */
bool cds_sim_again_is_possible(const struct cds_sim_record *record);

struct cds_sim_later {
  uint64_t observed, valid_from; /* what its times are to be, in its unit */
  unsigned round;                /* tells reports of a second apart */
};

/* out has room for CDS_SIM_MAX_REPORT bytes. -> the full report's length */
size_t cds_sim_again(uint8_t *out, const struct cds_sim_record *record, const struct cds_sim_later *later,
                     const struct cds_sim_signer *signer);

#endif
