/* SPDX-License-Identifier: MIT
 * Bounds-checked reading of Solidity ABI words (ABI coder v2's rules; see docs/internals.md). */
#ifndef CDS_ABI_H
#define CDS_ABI_H

#include "base/error.h"

#define CDS_WORD 32

/* Eight big-endian bytes. Written out, it becomes one load and one byte swap; as a loop it does not. */
static inline uint64_t cds_load_u64(const uint8_t *b) {
  return (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 | (uint64_t)b[3] << 32 |
         (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | (uint64_t)b[7];
}

/* One tuple's encoding; offsets inside it are relative to its start. Errors count from `start` bytes before it. */
struct cds_abi {
  const uint8_t *bytes;
  size_t length, start;
};

/* A dynamic part that lies whole within the tuple: `length` bytes (bytes) or words (bytes32[]) at `offset`. */
struct cds_abi_part {
  size_t offset;
  size_t length;
};

/* Checks that the tuple's head of `words` words is there. */
CDS_MUST_CHECK enum cds_status cds_abi_head(const struct cds_abi *abi, size_t words, const char *name,
                                            struct cds_error *err);

/* Follows head word `index`, which cds_abi_head found there, to a `bytes` / `bytes32[]`; name is used in the error. */
CDS_MUST_CHECK enum cds_status cds_abi_bytes(struct cds_abi_part *out, const struct cds_abi *abi, size_t index,
                                             const char *name, struct cds_error *err);
CDS_MUST_CHECK enum cds_status cds_abi_words(struct cds_abi_part *out, const struct cds_abi *abi, size_t index,
                                             const char *name, struct cds_error *err);

/* Are all bits above the lowest `bits` those of fill (all zeros or all ones)? bits is a multiple of 8, 8 to 256. Inline
 * like those below, as it is asked of each word of each report. */
static inline bool cds_abi_is_extension(const uint8_t *word, unsigned bits, uint64_t fill) {
  unsigned upper = 256 - bits;
  for (; upper >= 64; upper -= 64, word += 8)
    if (cds_load_u64(word) != fill) return false;
  return upper == 0 || (cds_load_u64(word) ^ fill) >> (64 - upper) == 0;
}

/* Is the 32-byte word the zero (sign) extension of `bits` bits? */
static inline bool cds_abi_is_uint(const uint8_t *word, unsigned bits) {
  return cds_abi_is_extension(word, bits, 0);
}

static inline bool cds_abi_is_int(const uint8_t *word, unsigned bits) {
  bool negative = (word[CDS_WORD - bits / 8] & 0x80) != 0;
  return cds_abi_is_extension(word, bits, negative ? UINT64_MAX : 0);
}

uint32_t cds_abi_u32(const uint8_t *word); /* the last 4 bytes */
uint64_t cds_abi_u64(const uint8_t *word); /* the last 8 bytes */

#endif
