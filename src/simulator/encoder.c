/* SPDX-License-Identifier: MIT
 * The ABI encoding of (bytes32[3] context, bytes blob, bytes32[] rs, bytes32[] ss, bytes32 vs). */
#include "simulator/encoder.h"

#include <string.h>

#define WORD 32
#define HEAD_WORDS 7

void cds_sim_put_int(uint8_t word[32], cds_sim_int value) {
  memset(word, value < 0 ? 0xff : 0, WORD);
  for (int i = WORD - 1; i >= WORD - 16; i--) {
    word[i] = (uint8_t)(value & 0xff);
    value >>= 8;
  }
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t length) {
  memcpy(at, bytes, length);
  return at + length;
}

static uint8_t *put_size(uint8_t *at, size_t value) {
  cds_sim_put_int(at, (cds_sim_int)value);
  return at + WORD;
}

size_t cds_sim_encode_report(uint8_t *out, const uint8_t context[96], const uint8_t *blob, size_t blob_length,
                             const struct cds_sim_signatures *signatures) {
  size_t count = signatures->count;
  size_t rs = HEAD_WORDS * WORD + WORD + blob_length, ss = rs + WORD + count * WORD;
  uint8_t *at = put(out, context, 96);
  at = put_size(at, HEAD_WORDS * WORD);
  at = put_size(at, rs);
  at = put_size(at, ss);
  memset(at, 0, WORD);
  at = put(at, signatures->v, count) + (WORD - count);
  at = put_size(at, blob_length);
  at = put(at, blob, blob_length);
  at = put_size(at, count);
  at = put(at, signatures->r, count * WORD);
  at = put_size(at, count);
  at = put(at, signatures->s, count * WORD);
  return (size_t)(at - out);
}
