/* SPDX-License-Identifier: MIT
 * Recovery and verification: the contract's verdicts and reasons, in the contract's order. */
#include "crypto/verify.h"

#include "base/alloc.h"
#include "signed.h"
#include "tap.h"

static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                  0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};

static uint8_t *r_of(struct cds_report *report, size_t index) {
  return report->bytes + report->rs.offset + 32 * index;
}

static uint8_t *s_of(struct cds_report *report, size_t index) {
  return report->bytes + report->ss.offset + 32 * index;
}

static uint8_t *v_of(struct cds_report *report, size_t index) {
  return report->bytes + 6 * 32 + index;
}

static const char *verdict(const struct cds_signer_set *set, const struct cds_report *report) {
  return cds_reason_name(cds_verify(set, report).reason);
}

/* n - s in place of s, and the other v: the same signature, malleable. */
static void make_high(uint8_t s[32], uint8_t *v) {
  int borrow = 0;
  for (int i = 31; i >= 0; i--) {
    int difference = order[i] - s[i] - borrow;
    borrow = difference < 0;
    s[i] = (uint8_t)difference;
  }
  *v ^= 1;
}

/* The process's first verification, which makes the curve's context. */
static void test_memory(void) {
  struct cds_report *report = signed_report(2);
  struct cds_signer_set set = signed_set(4, 1);
  struct cds_error err = {0};
  cds_alloc_fail_after(0);
  struct cds_verification got = cds_verify(&set, report);
  cds_alloc_fail_after(-1);
  is_string(cds_reason_name(got.reason), "OutOfMemory", "without memory nothing is verified");
  is_number(cds_verification_error(&err, &got), CDS_E_MEMORY, "which is a MemoryError");
  is_string(verdict(&set, report), "", "with memory again it is");
  cds_alloc_fail_after(0);
  got = cds_verify(&set, report);
  cds_alloc_fail_after(-1);
  is_string(cds_reason_name(got.reason), "", "and from then on needs none");
  cds_report_unref(report);
}

static void test_good(void) {
  bool good = true, addresses = true;
  for (size_t f = 1; f <= 10; f++) {
    struct cds_report *report = signed_report(f + 1);
    struct cds_signer_set set = signed_set(3 * f + 1, (int64_t)f);
    uint8_t digest[32], address[20];
    good = good && cds_verify(&set, report).reason == CDS_VERIFIED;
    cds_report_digest(digest, report);
    for (size_t i = 0; i <= f; i++)
      addresses = addresses && cds_recover_signer(address, report, digest, i) == CDS_VERIFIED &&
                  memcmp(address, signed_addresses[i], 20) == 0;
    cds_report_unref(report);
  }
  ok(good, "f + 1 signatures of the set verify, for every f");
  ok(addresses, "their signers are found");
  ok(memcmp(signed_addresses[0], "\x7e\x5f\x45\x52\x09\x1a\x69\x12\x5d\x5d", 10) == 0,
     "the address of key 1 is the well-known one");
}

static void test_bits(void) {
  struct cds_report *report = signed_report(2);
  struct cds_signer_set set = signed_set(4, 1);
  struct {
    const char *name;
    size_t offset, length;
  } parts[] = {{"context", 0, 96},
               {"blob", report->blob.offset, report->blob.length},
               {"r", report->rs.offset, 64},
               {"s", report->ss.offset, 64},
               {"v", 6 * 32, 2}};
  for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
    size_t accepted = 0;
    for (size_t bit = 0; bit < 8 * parts[p].length; bit++) {
      uint8_t *byte = report->bytes + parts[p].offset + bit / 8;
      *byte ^= (uint8_t)(1 << bit % 8);
      enum cds_reason reason = cds_verify(&set, report).reason;
      accepted += reason != CDS_REASON_BAD && reason != CDS_REASON_PANIC;
      *byte ^= (uint8_t)(1 << bit % 8);
    }
    ok(accepted == 0, "no single bit of the %s can change (%zu tried)", parts[p].name, 8 * parts[p].length);
  }
  size_t accepted = 0;
  for (size_t bit = 0; bit < 8 * 2 * CDS_ADDRESS; bit++) {
    set.addresses[bit / 160][bit % 160 / 8] ^= (uint8_t)(1 << bit % 8);
    accepted += cds_verify(&set, report).reason != CDS_REASON_BAD;
    set.addresses[bit / 160][bit % 160 / 8] ^= (uint8_t)(1 << bit % 8);
  }
  ok(accepted == 0, "nor one of the signers' addresses");
  is_string(verdict(&set, report), "", "put back, it verifies");
  report->bytes[6 * 32 + 2] = 0xff;
  is_string(verdict(&set, report), "", "v of signatures that are not there is not looked at");
  cds_report_unref(report);
}

static void test_counts(void) {
  struct cds_signer_set set = signed_set(7, 2);
  for (size_t count = 0; count <= 40; count += count < 5 ? 1 : 35) {
    struct cds_report *report = signed_report(count < 32 ? count : 0);
    if (count >= 32) report->rs.length = report->ss.length = count;
    struct cds_verification got = cds_verify(&set, report);
    is_string(cds_reason_name(got.reason), count == 3 ? "" : "IncorrectSignatureCount", "so many signatures");
    if (count != 3) ok(got.got == count && got.expected == 3, "%zu, not 3", got.got);
    cds_report_unref(report);
  }
  struct cds_report *report = signed_report(3);
  report->ss.length = 2;
  is_string(verdict(&set, report), "MismatchedSignatures", "fewer s than r");
  report->ss.length = 4;
  is_string(verdict(&set, report), "MismatchedSignatures", "more s than r");
  report->rs.length = 2;
  is_string(verdict(&set, report), "IncorrectSignatureCount", "the count of r is looked at first");
  set.active = false;
  is_string(verdict(&set, report), "DigestInactive", "a deactivated configuration before everything");
  cds_report_unref(report);
}

static void test_signers(void) {
  struct cds_signer_set set = signed_set(7, 2);
  struct cds_report *report = signed_report(3);
  signed_sign(report, 2, 8);
  struct cds_verification got = cds_verify(&set, report);
  ok(got.reason == CDS_REASON_BAD && got.got == 3, "a signer who is not in the set");
  signed_sign(report, 2, 0);
  got = cds_verify(&set, report);
  ok(got.reason == CDS_REASON_BAD && got.got == 0, "a signer twice");
  *v_of(report, 2) = 229;
  is_string(verdict(&set, report), "Panic", "a v that overflows, after a signer twice");
  signed_sign(report, 2, 6);
  is_string(verdict(&set, report), "", "any of the set");
  signed_sign(report, 0, 8);
  *v_of(report, 1) = 255;
  is_string(verdict(&set, report), "BadVerification", "signatures are looked at in order");
  cds_report_unref(report);
}

/* Whichever two places the same signer signed in, and whichever signer of the largest set it is. */
static void test_twice(void) {
  struct cds_signer_set set = signed_set(31, 3);
  struct cds_report *report = signed_report(4);
  for (size_t first = 0; first < 4; first++) {
    for (size_t second = first + 1; second < 4; second++) {
      signed_sign(report, second, first);
      struct cds_verification got = cds_verify(&set, report);
      ok(got.reason == CDS_REASON_BAD && got.got == 0, "the signer of place %zu in place %zu too", first, second);
      signed_sign(report, second, second);
    }
  }
  bool good = true;
  for (size_t key = 4; key < SIGNED_KEYS; key++) {
    signed_sign(report, 1, key);
    good = good && cds_verify(&set, report).reason == CDS_VERIFIED;
    signed_sign(report, 2, key);
    good = good && cds_verify(&set, report).reason == CDS_REASON_BAD;
    signed_sign(report, 2, 2);
  }
  ok(good, "every signer counts once");
  cds_report_unref(report);
}

static void test_ecrecover(void) {
  struct cds_signer_set set = signed_set(4, 1);
  struct cds_report *report = signed_report(2);
  make_high(s_of(report, 0), v_of(report, 0));
  is_string(verdict(&set, report), "", "a high s, as ecrecover takes it");
  for (int v = 2; v <= 255; v++) {
    *v_of(report, 1) = (uint8_t)v;
    if (strcmp(verdict(&set, report), v <= 228 ? "BadVerification" : "Panic") != 0) ok(false, "v %d", v);
  }
  ok(true, "every v from 2 to 255");
  signed_sign(report, 1, 1);
  memcpy(r_of(report, 1), order, 32);
  is_string(verdict(&set, report), "BadVerification", "r is n");
  memset(r_of(report, 1), 0, 32);
  is_string(verdict(&set, report), "BadVerification", "r is 0");
  signed_sign(report, 1, 1);
  memcpy(s_of(report, 1), order, 32);
  is_string(verdict(&set, report), "BadVerification", "s is n");
  memset(s_of(report, 1), 0, 32);
  is_string(verdict(&set, report), "BadVerification", "s is 0");
  memset(s_of(report, 1), 0xff, 32);
  is_string(verdict(&set, report), "BadVerification", "s is 2^256 - 1");
  cds_report_unref(report);
}

/* libsecp256k1 also recovers keys from x = r + n, with v 2 and 3; ecrecover does not. */
static void test_beyond_order(void) {
  struct cds_signer_set set = signed_set(4, 1);
  struct cds_report *report = signed_report(2);
  uint8_t digest[32], r_s[64] = {0}, point[65], hash[32];
  size_t length = sizeof point;
  secp256k1_ecdsa_recoverable_signature signature;
  secp256k1_pubkey key;
  cds_report_digest(digest, report);
  r_s[63] = 1;
  do r_s[31]++;
  while (!secp256k1_ecdsa_recoverable_signature_parse_compact(signed_curve, &signature, r_s, 2) ||
         !secp256k1_ecdsa_recover(signed_curve, &key, &signature, digest));
  secp256k1_ec_pubkey_serialize(signed_curve, point, &length, &key, SECP256K1_EC_UNCOMPRESSED);
  cds_keccak256(hash, point + 1, 64);
  memcpy(set.addresses[1], hash + 12, CDS_ADDRESS);
  memcpy(r_of(report, 1), r_s, 32);
  memcpy(s_of(report, 1), r_s + 32, 32);
  *v_of(report, 1) = 2;
  is_string(verdict(&set, report), "BadVerification", "x beyond n, though the key it gives is in the set");
  cds_report_unref(report);
}

static void test_registry(void) {
  struct cds_signer_registry *registry = cds_signer_registry_new(NULL);
  struct cds_signer_set set = signed_set(4, 1), other = signed_set(7, 2);
  struct cds_report *report = signed_report(2);
  struct cds_error err = {0};
  struct cds_verification got = cds_verify_report(registry, report);
  is_string(cds_reason_name(got.reason), "UnknownDigest", "an empty registry knows no digest");
  is_number(cds_verification_error(&err, &got), CDS_E_VERIFICATION, "which is a VerificationError");
  ok(cds_signer_registry_put(registry, report->bytes, &other, &err) == CDS_OK, "a configuration of the digest");
  is_string(cds_reason_name(cds_verify_report(registry, report).reason), "IncorrectSignatureCount", "that differs");
  ok(cds_signer_registry_put(registry, report->bytes, &set, &err) == CDS_OK, "replaced");
  is_number(cds_verify_report(registry, report).reason, CDS_VERIFIED, "the report verifies");
  bool found = false;
  ok(cds_signer_registry_remove(&found, registry, report->bytes, &err) == CDS_OK && found, "removed");
  is_string(cds_reason_name(cds_verify_report(registry, report).reason), "UnknownDigest", "it is unknown again");
  cds_signer_registry_unref(registry);
  registry = cds_signer_registry_new(&set);
  is_number(cds_verify_report(registry, report).reason, CDS_VERIFIED, "a set for every digest");
  ok(cds_signer_registry_put(registry, report->bytes, &other, &err) == CDS_OK, "but for one");
  is_string(cds_reason_name(cds_verify_report(registry, report).reason), "IncorrectSignatureCount",
            "which has its own");
  cds_report_unref(report);
  cds_signer_registry_unref(registry);
}

static void refused(enum cds_reason reason, size_t got, const char *name, const char *message) {
  struct cds_error err = {0};
  struct cds_verification failed = {.reason = reason, .got = got, .expected = 3};
  enum cds_status status = reason == CDS_REASON_MEMORY ? CDS_E_MEMORY : CDS_E_VERIFICATION;
  is_string(cds_reason_name(reason), name, name);
  is_number(cds_verification_error(&err, &failed), status, "its kind");
  ok(err.status == status, "in the error too");
  is_string(err.message, message, "its words");
}

static void test_errors(void) {
  refused(CDS_REASON_UNKNOWN_DIGEST, 0, "UnknownDigest", "the registry has no signers for the report's config digest");
  refused(CDS_REASON_DIGEST_INACTIVE, 0, "DigestInactive", "the report's configuration is not active");
  refused(CDS_REASON_SIGNATURE_COUNT, 2, "IncorrectSignatureCount", "the report has 2 signatures, not exactly 3");
  refused(CDS_REASON_MISMATCHED, 2, "MismatchedSignatures", "the report has 3 r and 2 s");
  refused(CDS_REASON_PANIC, 2, "Panic", "v of signature 2 is out of range");
  refused(CDS_REASON_BAD, 1, "BadVerification", "signature 1 is of none of the signers");
  refused(CDS_REASON_BAD, 0, "BadVerification", "a signer signed twice");
  refused(CDS_REASON_MEMORY, 0, "OutOfMemory", "no memory to verify a report");
  struct cds_verification good = {.reason = CDS_VERIFIED};
  is_number(cds_verification_error(NULL, &good), CDS_OK, "what verified is no error");
  is_string(cds_reason_name(CDS_VERIFIED), "", "and has no reason");
  is_string(cds_reason_name(CDS_REASON_COUNT), "", "nor has the number behind the last reason");
}

int main(void) {
  signed_init();
  tap_kept_blocks = 1; /* the curve's tables */
  test_memory();
  test_good();
  test_bits();
  test_counts();
  test_signers();
  test_twice();
  test_ecrecover();
  test_beyond_order();
  test_registry();
  test_errors();
  secp256k1_context_destroy(signed_curve);
  return done();
}
