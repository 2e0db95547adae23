/* SPDX-License-Identifier: MIT
 * Writes report blobs and full reports in the Solidity ABI. */
#ifndef CDS_SIM_ENCODER_H
#define CDS_SIM_ENCODER_H

#include "base/cds.h"

#define CDS_SIM_MAX_SIGNERS 31
#define CDS_SIM_MAX_BLOB_WORDS 18
#define CDS_SIM_MAX_REPORT (32 * (10 + CDS_SIM_MAX_BLOB_WORDS + 2 * CDS_SIM_MAX_SIGNERS))

__extension__ typedef __int128 cds_sim_int; /* prices with 18 decimals pass 64 bits */

struct cds_sim_signatures {
  size_t count;
  uint8_t r[CDS_SIM_MAX_SIGNERS][32], s[CDS_SIM_MAX_SIGNERS][32];
  uint8_t v[CDS_SIM_MAX_SIGNERS]; /* 0 or 1 */
};

/* A number as a 32-byte word, sign-extended. */
void cds_sim_put_int(uint8_t word[32], cds_sim_int value);

/* Writes the full report and returns its length; out has room for CDS_SIM_MAX_REPORT bytes, the blob is at most
 * CDS_SIM_MAX_BLOB_WORDS long and a whole number of words. */
size_t cds_sim_encode_report(uint8_t *out, const uint8_t context[96], const uint8_t *blob, size_t blob_length,
                             const struct cds_sim_signatures *signatures);

#endif
