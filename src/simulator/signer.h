/* SPDX-License-Identifier: MIT
 * The oracle network: keys from the seed, report contexts and signatures. */
#ifndef CDS_SIM_SIGNER_H
#define CDS_SIM_SIGNER_H

#include "base/error.h"
#include "simulator/encoder.h"

struct secp256k1_context_struct;

struct cds_sim_signer {
  struct secp256k1_context_struct *curve;
  size_t oracles, signers;
  uint8_t secret[CDS_SIM_MAX_SIGNERS][32];
  uint8_t address[CDS_SIM_MAX_SIGNERS][20];
  uint8_t config_digest[32];
};

CDS_MUST_CHECK enum cds_status cds_sim_signer_init(struct cds_sim_signer *signer, uint64_t seed, int oracles,
                                                   int signers, struct cds_error *err);
void cds_sim_signer_clear(struct cds_sim_signer *signer);

/* The context of round `step` of a second. */
void cds_sim_context(uint8_t context[96], const struct cds_sim_signer *signer, uint32_t second, unsigned step);

/* Signs with the oracles whose turn it is in that round. */
void cds_sim_sign(struct cds_sim_signatures *out, const struct cds_sim_signer *signer, const uint8_t context[96],
                  const uint8_t *blob, size_t blob_length);

#endif
