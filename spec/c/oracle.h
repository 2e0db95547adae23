/* SPDX-License-Identifier: MIT
 * What Solidity's abi.decode accepts, written down a second time and literally, in 128-bit numbers and byte by byte:
 * the tests and the fuzz targets compare the decoder with it. */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <string.h>

#include "codec/registry.h"

__extension__ typedef unsigned __int128 uint128;

/* The word's value, or 2^64 when it is larger than 64 bits. */
static uint128 value_of(const uint8_t *word) {
  uint128 value = 0;
  for (int i = 0; i < 32; i++) {
    value = value << 8 | word[i];
    if (value >> 64) return (uint128)1 << 64;
  }
  return value;
}

static bool oracle_part(const uint8_t *bytes, size_t length, size_t index, uint128 item, uint128 *start,
                        uint128 *count) {
  const uint128 limit = ((uint128)1 << 64) - 1;
  uint128 offset = value_of(bytes + 32 * index);
  if (offset > limit || offset + 32 > length) return false;
  *count = value_of(bytes + (size_t)offset);
  *start = offset + 32;
  return *count <= limit && *start + *count * item <= length;
}

static bool oracle_field(const struct cds_field *field, size_t width, const uint8_t *word) {
  bool negative = field->type == CDS_TYPE_INT && word[32 - width] >= 128;
  for (size_t i = 0; i < 32 - width; i++)
    if (word[i] != (negative ? 255 : 0)) return false;
  return true;
}

/* In bytes. The three times of the head are uint32 in feeds of seconds, uint64 in those of milliseconds. */
static size_t oracle_width(const struct cds_field *field, unsigned resolution) {
  bool timed = strcmp(field->abi_name, "validFromTimestamp") == 0 ||
               strcmp(field->abi_name, "observationsTimestamp") == 0 || strcmp(field->abi_name, "expiresAt") == 0;
  return timed && resolution == 1 ? 8 : field->bits / 8;
}

static bool oracle_is_dynamic(const struct cds_field *field) {
  return field->type == CDS_TYPE_BYTES || field->type == CDS_TYPE_STRING;
}

/* Is this a full report that abi.decode accepts, its blob included when the schema is known? */
static bool oracle(const uint8_t *bytes, size_t length) {
  uint128 start, count, ignored, also;
  if (length < 224) return false;
  if (!oracle_part(bytes, length, 4, 32, &ignored, &count) || !oracle_part(bytes, length, 5, 32, &ignored, &count))
    return false;
  if (!oracle_part(bytes, length, 3, 1, &start, &count) || count < 32) return false;
  const uint8_t *blob = bytes + (size_t)start;
  const struct cds_schema *schema = cds_schema_find((uint16_t)((blob[0] & 15) << 8 | blob[1]));
  unsigned resolution = blob[0] >> 4;
  if (!schema || resolution > 1) return true;
  if (count < 32 * schema->field_count) return false;
  for (size_t i = 0; i < schema->field_count; i++)
    if (oracle_is_dynamic(&schema->fields[i])
          ? !oracle_part(blob, (size_t)count, i, 1, &ignored, &also)
          : !oracle_field(&schema->fields[i], oracle_width(&schema->fields[i], resolution), blob + 32 * i))
      return false;
  return true;
}

#endif
