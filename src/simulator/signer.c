/* SPDX-License-Identifier: MIT
 * Signatures over keccak256(keccak256(blob) || context), recoverable, by libsecp256k1. */
#include "simulator/signer.h"

#include "base/alloc.h"
#include "crypto/keccak.h"
#include "simulator/source.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>

static void put_u64(uint8_t out[8], uint64_t value) {
  for (size_t i = 8; i-- > 0; value >>= 8) out[i] = (uint8_t)value;
}

/* keccak256 of a label and three numbers */
static void derive(uint8_t out[32], const char label[8], uint64_t a, uint64_t b, uint64_t c) {
  uint8_t input[32];
  memcpy(input, label, 8);
  put_u64(input + 8, a);
  put_u64(input + 16, b);
  put_u64(input + 24, c);
  cds_keccak256(out, input, sizeof input);
}

static bool make_oracle(struct cds_sim_signer *signer, uint64_t seed, size_t index) {
  for (uint64_t attempt = 0;; attempt++) { /* all but about one hash in 2^128 is a valid key */
    derive(signer->secret[index], "oracle-k", seed, index, attempt);
    if (secp256k1_ec_seckey_verify(signer->curve, signer->secret[index])) break;
  }
  secp256k1_pubkey key;
  uint8_t text[65], hash[32];
  size_t length = sizeof text;
  if (!secp256k1_ec_pubkey_create(signer->curve, &key, signer->secret[index])) return false;
  secp256k1_ec_pubkey_serialize(signer->curve, text, &length, &key, SECP256K1_EC_UNCOMPRESSED);
  cds_keccak256(hash, text + 1, 64);
  memcpy(signer->address[index], hash + 12, 20);
  return true;
}

enum cds_status cds_sim_signer_init(struct cds_sim_signer *signer, uint64_t seed, int oracles, int signers,
                                    struct cds_error *err) {
  memset(signer, 0, sizeof *signer);
  if (oracles < 1 || oracles > CDS_SIM_MAX_SIGNERS)
    return cds_error_set(err, CDS_E_CONFIG, "oracles must be 1 to %d", CDS_SIM_MAX_SIGNERS);
  if (signers < 1 || signers > oracles)
    return cds_error_set(err, CDS_E_CONFIG, "signers must be 1 to the number of oracles, %d", oracles);
  signer->oracles = (size_t)oracles;
  signer->signers = (size_t)signers;
  signer->curve = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
  bool good = signer->curve != NULL;
  for (size_t i = 0; good && i < signer->oracles; i++) good = make_oracle(signer, seed, i);
  derive(signer->config_digest, "config-d", seed, signer->oracles, signer->signers);
  signer->config_digest[0] = 0x00; /* the prefix that marks this kind of configuration */
  signer->config_digest[1] = 0x06;
  if (good) return CDS_OK;
  cds_sim_signer_clear(signer);
  return cds_error_set(err, CDS_E_MEMORY, "cannot make the oracle keys");
}

void cds_sim_signer_clear(struct cds_sim_signer *signer) {
  if (signer->curve) secp256k1_context_destroy(signer->curve);
  memset(signer, 0, sizeof *signer);
}

/* Four epochs a second, as a round has one byte and a second up to 1,000 reports. */
void cds_sim_context(uint8_t context[96], const struct cds_sim_signer *signer, uint32_t second, unsigned step) {
  uint32_t epoch = (second - CDS_SIM_GENESIS) * 4 + step / 256;
  memset(context, 0, 96);
  memcpy(context, signer->config_digest, 32);
  for (size_t i = 0; i < 4; i++) context[59 + i] = (uint8_t)(epoch >> (24 - 8 * i));
  context[63] = (uint8_t)step;
}

void cds_sim_sign(struct cds_sim_signatures *out, const struct cds_sim_signer *signer, const uint8_t context[96],
                  const uint8_t *blob, size_t blob_length) {
  uint8_t input[128], digest[32];
  cds_keccak256(input, blob, blob_length);
  memcpy(input + 32, context, 96);
  cds_keccak256(digest, input, sizeof input);
  size_t turn = (size_t)context[62] / 4 + context[63];
  out->count = signer->signers;
  for (size_t i = 0; i < signer->signers; i++) {
    secp256k1_ecdsa_recoverable_signature signature;
    uint8_t compact[64];
    int recovery = 0;
    size_t oracle = (turn + i) % signer->oracles;
    if (!secp256k1_ecdsa_sign_recoverable(signer->curve, &signature, digest, signer->secret[oracle], NULL, NULL))
      memset(&signature, 0, sizeof signature); /* cannot be: the key was checked */
    secp256k1_ecdsa_recoverable_signature_serialize_compact(signer->curve, compact, &recovery, &signature);
    memcpy(out->r[i], compact, 32);
    memcpy(out->s[i], compact + 32, 32);
    out->v[i] = (uint8_t)recovery;
  }
}
