/* SPDX-License-Identifier: MIT
 * Is a report signed as the Verifier contract wants it? The verdict and its reason are the contract's. */
#ifndef CDS_VERIFY_H
#define CDS_VERIFY_H

#include "codec/report.h"
#include "crypto/signers.h"

enum cds_reason {
  CDS_VERIFIED = 0,
#define CDS_REASON(reason, name, meaning) reason,
#include "crypto/reasons.def"
#undef CDS_REASON
  CDS_REASON_COUNT
};

/* got and expected: the numbers in question when there are not as many signatures as there should be;
 * got alone: which signature, from 1; both 0 when neither applies. */
struct cds_verification {
  enum cds_reason reason;
  size_t got, expected;
};

/* The contract's name of a reason ("BadVerification"), "" for CDS_VERIFIED. */
const char *cds_reason_name(enum cds_reason reason);

/* What the oracles signed: keccak256(keccak256(blob) || context). */
void cds_report_digest(uint8_t out[CDS_DIGEST], const struct cds_report *report);

/* The signer of signature `index` (less than 32 and than the number of r and of s) over the report's digest, as
 * ecrecover finds it: any s up to n - 1, v 27 or 28. CDS_REASON_BAD when there is none. */
enum cds_reason cds_recover_signer(uint8_t out[CDS_ADDRESS], const struct cds_report *report,
                                   const uint8_t digest[CDS_DIGEST], size_t index);

/* By one configuration, whatever digest the report names; by the one of the registry that it names. Neither
 * allocates nor waits, but that the first call of a process makes the curve's context. */
CDS_MUST_CHECK struct cds_verification cds_verify(const struct cds_signer_set *set, const struct cds_report *report);
CDS_MUST_CHECK struct cds_verification cds_verify_report(struct cds_signer_registry *registry,
                                                         const struct cds_report *report);

/* The VerificationError (MemoryError) of a verification that failed; returns its status. */
enum cds_status cds_verification_error(struct cds_error *err, const struct cds_verification *verification);

#endif
