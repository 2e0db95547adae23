/* SPDX-License-Identifier: MIT
 * The set of oracle keys as a verifier knows it: digest, addresses, and how many of them sign. */
#include "simulator/oracles.h"

static enum cds_status put_hex(struct cds_buf *out, const uint8_t *bytes, size_t length) {
  enum cds_status status = cds_buf_printf(out, "\"0x");
  for (size_t i = 0; status == CDS_OK && i < length; i++) status = cds_buf_printf(out, "%02x", bytes[i]);
  return status == CDS_OK ? cds_buf_printf(out, "\"") : status;
}

enum cds_status cds_sim_oracles(struct cds_buf *out, const struct cds_sim_signer *signer) {
  enum cds_status status = cds_buf_printf(out, "{\"f\":%zu,\"config_digest\":", signer->signers - 1);
  if (status == CDS_OK) status = put_hex(out, signer->config_digest, 32);
  if (status == CDS_OK) status = cds_buf_printf(out, ",\"signers\":[");
  for (size_t i = 0; status == CDS_OK && i < signer->oracles; i++) {
    if (i > 0) status = cds_buf_printf(out, ",");
    if (status == CDS_OK) status = put_hex(out, signer->address[i], 20);
  }
  return status == CDS_OK ? cds_buf_printf(out, "]}") : status;
}
