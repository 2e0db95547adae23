/* SPDX-License-Identifier: MIT
 * Reports signed by keys of the test's own. */
#ifndef SIGNED_H
#define SIGNED_H

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "crypto/keccak.h"
#include "crypto/verify.h"
#include "sample.h"

#define SIGNED_KEYS 31

static secp256k1_context *signed_curve;
static uint8_t signed_addresses[SIGNED_KEYS][CDS_ADDRESS];

/* Key i is the number i + 1. */
__attribute__((unused)) static void signed_init(void) {
  signed_curve = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
  for (size_t i = 0; i < SIGNED_KEYS; i++) {
    secp256k1_pubkey key;
    uint8_t secret[32], point[65], hash[32];
    size_t length = sizeof point;
    sample_put(secret, i + 1);
    if (!secp256k1_ec_pubkey_create(signed_curve, &key, secret)) abort();
    secp256k1_ec_pubkey_serialize(signed_curve, point, &length, &key, SECP256K1_EC_UNCOMPRESSED);
    cds_keccak256(hash, point + 1, 64);
    memcpy(signed_addresses[i], hash + 12, CDS_ADDRESS);
  }
}

/* Puts the signature of key `key` over the report's digest in its place `index`. */
__attribute__((unused)) static void signed_sign(struct cds_report *report, size_t index, size_t key) {
  secp256k1_ecdsa_recoverable_signature signature;
  uint8_t digest[32], secret[32], r_s[64];
  int v = 0;
  cds_report_digest(digest, report);
  sample_put(secret, key + 1);
  if (!secp256k1_ecdsa_sign_recoverable(signed_curve, &signature, digest, secret, NULL, NULL)) abort();
  secp256k1_ecdsa_recoverable_signature_serialize_compact(signed_curve, r_s, &v, &signature);
  memcpy(report->bytes + report->rs.offset + 32 * index, r_s, 32);
  memcpy(report->bytes + report->ss.offset + 32 * index, r_s + 32, 32);
  report->bytes[6 * 32 + index] = (uint8_t)v;
}

/* A v3 report signed by the keys 0 to signatures - 1. */
__attribute__((unused)) static struct cds_report *signed_report(size_t signatures) {
  static struct sample sample;
  static uint8_t blob[SAMPLE_MAX];
  struct cds_report *report;
  sample_report(&sample, blob, sample_blob(blob, cds_schema_find(3)), signatures);
  if (cds_report_from_bytes(&report, sample.bytes, sample.length, NULL) != CDS_OK) abort();
  for (size_t i = 0; i < signatures; i++) signed_sign(report, i, i);
  return report;
}

/* The first `count` keys. */
__attribute__((unused)) static struct cds_signer_set signed_set(size_t count, int64_t f) {
  struct cds_signer_set set;
  if (cds_signer_set_init(&set, (const uint8_t(*)[CDS_ADDRESS])signed_addresses, count, f, NULL) != CDS_OK) abort();
  return set;
}

#endif
