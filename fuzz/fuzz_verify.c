/* SPDX-License-Identifier: MIT
 * Signed reports with some bytes changed: the verdict and its reason are those of the contract's own steps, written
 * down here once more and literally. Input: f, signatures, changes (each two bytes of place and one of value), feed. */
#include "fuzz.h"
#include "signed.h"

/* ecrecover of the chain: the address zero for whatever cannot be. */
static void ecrecover(uint8_t out[20], const uint8_t digest[32], unsigned v, const uint8_t *r, const uint8_t *s) {
  secp256k1_ecdsa_recoverable_signature signature;
  secp256k1_pubkey key;
  uint8_t r_s[64], point[65], hash[32];
  size_t length = sizeof point;
  memset(out, 0, 20);
  if (v != 27 && v != 28) return;
  memcpy(r_s, r, 32);
  memcpy(r_s + 32, s, 32);
  if (!secp256k1_ecdsa_recoverable_signature_parse_compact(signed_curve, &signature, r_s, (int)v - 27)) return;
  if (!secp256k1_ecdsa_recover(signed_curve, &key, &signature, digest)) return;
  secp256k1_ec_pubkey_serialize(signed_curve, point, &length, &key, SECP256K1_EC_UNCOMPRESSED);
  cds_keccak256(hash, point + 1, 64);
  memcpy(out, hash + 12, 20);
}

/* _validateReport and _verifySignatures. */
static const char *contract(const struct cds_report *report, size_t oracles, size_t f) {
  uint8_t input[128], h[32], address[20];
  unsigned signed_count[SIGNED_KEYS] = {0};
  if (report->rs.length != f + 1) return "IncorrectSignatureCount";
  if (report->rs.length != report->ss.length) return "MismatchedSignatures";
  cds_keccak256(input, report->bytes + report->blob.offset, report->blob.length);
  memcpy(input + 32, report->bytes, 96);
  cds_keccak256(h, input, sizeof input);
  for (size_t i = 0; i < report->rs.length; i++) {
    unsigned v = report->bytes[6 * 32 + i] + 27u;
    if (v > 255) return "Panic";
    ecrecover(address, h, v, report->bytes + report->rs.offset + 32 * i, report->bytes + report->ss.offset + 32 * i);
    size_t index = 0;
    while (index < oracles && memcmp(signed_addresses[index], address, 20) != 0) index++;
    if (index == oracles) return "BadVerification";
    signed_count[index]++;
  }
  for (size_t i = 0; i < oracles; i++)
    if (signed_count[i] > 1) return "BadVerification";
  return "";
}

/* Signed by the keys 0, 1, 2 …, but for an odd choice by one of them twice. */
static struct cds_report *make(size_t signatures, bool twice, const uint8_t *feed, size_t length) {
  struct sample sample;
  struct cds_report *report;
  uint8_t blob[9 * 32] = {0, 3};
  memcpy(blob + 2, feed, length < 30 ? length : 30);
  sample_state = 1;
  sample_report(&sample, blob, sizeof blob, signatures);
  MUST(cds_report_from_bytes(&report, sample.bytes, sample.length, NULL) == CDS_OK);
  for (size_t i = 0; i < signatures; i++) signed_sign(report, i, twice && i > 0 ? i - 1 : i);
  return report;
}

static void check(const struct cds_report *report, size_t oracles, size_t f) {
  struct cds_signer_set set = signed_set(oracles, (int64_t)f);
  struct cds_verification got = cds_verify(&set, report);
  struct cds_error err = {0};
  MUST(strcmp(cds_reason_name(got.reason), contract(report, oracles, f)) == 0);
  if (got.reason != CDS_VERIFIED) fuzz_check_error(&err, cds_verification_error(&err, &got));
  set.active = false;
  MUST(cds_verify(&set, report).reason == CDS_REASON_DIGEST_INACTIVE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (signed_curve == NULL) signed_init();
  if (size < 3) return 0;
  size_t f = data[0] % 3u + 1, signatures = data[1] % 6u, changes = data[2] % 9u;
  data += 3;
  size -= 3;
  if (size < 3 * changes) return 0;
  struct cds_report *report = make(signatures, data[-2] >= 128, data + 3 * changes, size - 3 * changes);
  struct cds_report *changed;
  for (size_t i = 0; i < changes; i++)
    report->bytes[(size_t)(data[3 * i] << 8 | data[3 * i + 1]) % report->length] = data[3 * i + 2];
  if (cds_report_from_bytes(&changed, report->bytes, report->length, NULL) == CDS_OK) check(changed, 3 * f + 1, f);
  cds_report_unref(changed);
  cds_report_unref(report);
  return 0;
}
