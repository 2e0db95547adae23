/* SPDX-License-Identifier: MIT
 * The checks of Solidity's abi.decode, no more and no fewer. Offsets and lengths are 64-bit values that are
 * compared with the room left, never added to it, so nothing can wrap. */
#include "codec/abi.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint32_t cds_abi_u32(const uint8_t *word) {
  return (uint32_t)cds_abi_u64(word);
}

uint64_t cds_abi_u64(const uint8_t *word) {
  return cds_load_u64(word + 24);
}

enum cds_status cds_abi_head(const struct cds_abi *abi, size_t words, const char *name, struct cds_error *err) {
  if (abi->length / CDS_WORD >= words) return CDS_OK;
  char expected[64];
  snprintf(expected, sizeof expected, "at least %zu bytes", words * CDS_WORD);
  return cds_error_decode(err, abi->start + abi->length, expected, "%s ends", name);
}

/* Follows head word `index` to a dynamic part of bytes or words. */
static enum cds_status follow(struct cds_abi_part *out, const struct cds_abi *abi, size_t index, bool of_words,
                              const char *name, struct cds_error *err) {
  const size_t at = index * CDS_WORD;
  if (!cds_abi_is_uint(abi->bytes + at, 64))
    return cds_error_decode(err, abi->start + at, "an offset below 2^64", "the offset of %s", name);
  uint64_t offset = cds_abi_u64(abi->bytes + at);
  char expected[64];
  if (offset > abi->length - CDS_WORD) {
    snprintf(expected, sizeof expected, "an offset of at most %zu", abi->length - CDS_WORD);
    return cds_error_decode(err, abi->start + at, expected, "the offset of %s, %" PRIu64 ",", name, offset);
  }
  const uint8_t *length_word = abi->bytes + offset;
  if (!cds_abi_is_uint(length_word, 64))
    return cds_error_decode(err, abi->start + (size_t)offset, "a length below 2^64", "the length of %s", name);
  uint64_t length = cds_abi_u64(length_word);
  uint64_t rest = abi->length - CDS_WORD - offset, room = of_words ? rest / CDS_WORD : rest;
  if (length > room) {
    snprintf(expected, sizeof expected, "a length of at most %" PRIu64, room);
    return cds_error_decode(err, abi->start + (size_t)offset, expected, "the length of %s, %" PRIu64 ",", name, length);
  }
  *out = (struct cds_abi_part){.offset = (size_t)offset + CDS_WORD, .length = (size_t)length};
  return CDS_OK;
}

enum cds_status cds_abi_bytes(struct cds_abi_part *out, const struct cds_abi *abi, size_t index, const char *name,
                              struct cds_error *err) {
  return follow(out, abi, index, false, name, err);
}

enum cds_status cds_abi_words(struct cds_abi_part *out, const struct cds_abi *abi, size_t index, const char *name,
                              struct cds_error *err) {
  return follow(out, abi, index, true, name, err);
}
