/* SPDX-License-Identifier: MIT
 * Report digests, recovery of signers, and the checks of Verifier 2.0.0 in its order. */
#include "crypto/verify.h"

#include <secp256k1.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/keccak.h"

#define CONTEXT_BYTES (3 * CDS_WORD)
#define RAW_VS (6 * CDS_WORD)
#define LARGEST_V (UINT8_MAX - 27) /* beyond, the contract's uint8 addition panics */

const char *cds_reason_name(enum cds_reason reason) {
  static const char *const names[CDS_REASON_COUNT] = {
    [CDS_VERIFIED] = "",
#define CDS_REASON(reason, name, meaning) [reason] = name,
#include "crypto/reasons.def"
#undef CDS_REASON
  };
  return (unsigned)reason < CDS_REASON_COUNT ? names[reason] : "";
}

/* One context for the process, made on first use and kept; NULL when memory ran out. In memory of our own, as
 * libsecp256k1 would end the process. */
static const secp256k1_context *curve(void) {
  static secp256k1_context *shared;
  secp256k1_context *context = __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
  if (context) return context;
  void *memory = cds_malloc(secp256k1_context_preallocated_size(SECP256K1_CONTEXT_VERIFY));
  if (!memory) return NULL;
  context = secp256k1_context_preallocated_create(memory, SECP256K1_CONTEXT_VERIFY);
  secp256k1_context *other = NULL;
  if (__atomic_compare_exchange_n(&shared, &other, context, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return context;
  secp256k1_context_preallocated_destroy(context); /* another thread was faster */
  cds_free(memory);
  return other;
}

void cds_report_digest(uint8_t out[CDS_DIGEST], const struct cds_report *report) {
  uint8_t input[CDS_DIGEST + CONTEXT_BYTES];
  cds_keccak256(input, report->bytes + report->blob.offset, report->blob.length);
  memcpy(input + CDS_DIGEST, report->bytes, CONTEXT_BYTES);
  cds_keccak256(out, input, sizeof input);
}

/* r and s from 1 to n - 1, v 0 or 1: libsecp256k1 refuses the same numbers as the precompile of the chain. */
static bool recover(uint8_t out[CDS_ADDRESS], const secp256k1_context *context, const uint8_t digest[CDS_DIGEST],
                    const uint8_t r_s[2 * CDS_WORD], int v) {
  secp256k1_ecdsa_recoverable_signature signature;
  secp256k1_pubkey key;
  uint8_t point[65], hash[32];
  size_t length = sizeof point;
  if (!secp256k1_ecdsa_recoverable_signature_parse_compact(context, &signature, r_s, v)) return false;
  if (!secp256k1_ecdsa_recover(context, &key, &signature, digest)) return false;
  secp256k1_ec_pubkey_serialize(context, point, &length, &key, SECP256K1_EC_UNCOMPRESSED);
  cds_keccak256(hash, point + 1, sizeof point - 1);
  memcpy(out, hash + sizeof hash - CDS_ADDRESS, CDS_ADDRESS);
  return true;
}

enum cds_reason cds_recover_signer(uint8_t out[CDS_ADDRESS], const struct cds_report *report,
                                   const uint8_t digest[CDS_DIGEST], size_t index) {
  uint8_t r_s[2 * CDS_WORD];
  uint8_t v = report->bytes[RAW_VS + index];
  if (v > LARGEST_V) return CDS_REASON_PANIC;
  if (v > 1) return CDS_REASON_BAD; /* ecrecover takes 27 and 28 only */
  const secp256k1_context *context = curve();
  if (!context) return CDS_REASON_MEMORY;
  memcpy(r_s, report->bytes + report->rs.offset + index * CDS_WORD, CDS_WORD);
  memcpy(r_s + CDS_WORD, report->bytes + report->ss.offset + index * CDS_WORD, CDS_WORD);
  return recover(out, context, digest, r_s, v) ? CDS_VERIFIED : CDS_REASON_BAD;
}

/* The contract looks at every signature before it counts how often each signer signed. */
static struct cds_verification verify_signatures(const struct cds_signer_set *set, const struct cds_report *report) {
  uint8_t digest[CDS_DIGEST], address[CDS_ADDRESS];
  uint32_t signed_by = 0;
  bool twice = false;
  cds_report_digest(digest, report);
  for (size_t i = 0; i < report->rs.length; i++) {
    enum cds_reason reason = cds_recover_signer(address, report, digest, i);
    int signer = reason == CDS_VERIFIED ? cds_signer_set_find(set, address) : -1;
    if (reason == CDS_VERIFIED && signer < 0) reason = CDS_REASON_BAD;
    if (reason != CDS_VERIFIED) return (struct cds_verification){.reason = reason, .got = i + 1};
    twice = twice || (signed_by >> signer & 1) != 0;
    signed_by |= UINT32_C(1) << signer;
  }
  return (struct cds_verification){.reason = twice ? CDS_REASON_BAD : CDS_VERIFIED};
}

struct cds_verification cds_verify(const struct cds_signer_set *set, const struct cds_report *report) {
  size_t wanted = (size_t)set->f + 1;
  if (!set->active) return (struct cds_verification){.reason = CDS_REASON_DIGEST_INACTIVE};
  if (report->rs.length != wanted)
    return (struct cds_verification){CDS_REASON_SIGNATURE_COUNT, report->rs.length, wanted};
  if (report->rs.length != report->ss.length)
    return (struct cds_verification){CDS_REASON_MISMATCHED, report->ss.length, report->rs.length};
  return verify_signatures(set, report);
}

struct cds_verification cds_verify_report(struct cds_signer_registry *registry, const struct cds_report *report) {
  struct cds_signer_set set; /* a copy, so that the registry is held for no longer than the search */
  if (!cds_signer_registry_find(&set, registry, report->bytes))
    return (struct cds_verification){.reason = CDS_REASON_UNKNOWN_DIGEST};
  return cds_verify(&set, report);
}

enum cds_status cds_verification_error(struct cds_error *err, const struct cds_verification *verification) {
  size_t got = verification->got, expected = verification->expected;
  switch (verification->reason) {
  case CDS_REASON_UNKNOWN_DIGEST:
    return cds_error_set(err, CDS_E_VERIFICATION, "the registry has no signers for the report's config digest");
  case CDS_REASON_DIGEST_INACTIVE:
    return cds_error_set(err, CDS_E_VERIFICATION, "the report's configuration is not active");
  case CDS_REASON_SIGNATURE_COUNT:
    return cds_error_set(err, CDS_E_VERIFICATION, "the report has %zu signatures, not exactly %zu", got, expected);
  case CDS_REASON_MISMATCHED:
    return cds_error_set(err, CDS_E_VERIFICATION, "the report has %zu r and %zu s", expected, got);
  case CDS_REASON_PANIC: return cds_error_set(err, CDS_E_VERIFICATION, "v of signature %zu is out of range", got);
  case CDS_REASON_BAD:
    if (got == 0) return cds_error_set(err, CDS_E_VERIFICATION, "a signer signed twice");
    return cds_error_set(err, CDS_E_VERIFICATION, "signature %zu is of none of the signers", got);
  case CDS_REASON_MEMORY: return cds_error_set(err, CDS_E_MEMORY, "no memory to verify a report");
  case CDS_VERIFIED:
  case CDS_REASON_COUNT: break;
  }
  return CDS_OK;
}
