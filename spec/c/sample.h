/* SPDX-License-Identifier: MIT
 * Reports and random values for the tests, encoded by code of their own. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdlib.h>
#include <string.h>

#include "codec/registry.h"

#define SAMPLE_MAX 4096

struct sample {
  uint8_t bytes[SAMPLE_MAX];
  size_t length;
};

/* xorshift64*: the same numbers in every run. */
static _Thread_local uint64_t sample_state = 88172645463325252u;

__attribute__((unused)) static uint64_t sample_random(void) {
  sample_state ^= sample_state >> 12;
  sample_state ^= sample_state << 25;
  sample_state ^= sample_state >> 27;
  return sample_state * 2685821657736338717u;
}

__attribute__((unused)) static void sample_random_bytes(uint8_t *out, size_t length) {
  for (size_t i = 0; i < length; i++) out[i] = (uint8_t)(sample_random() >> 56);
}

__attribute__((unused)) static void sample_put(uint8_t word[32], uint64_t value) {
  memset(word, 0, 24);
  for (int i = 0; i < 8; i++) word[24 + i] = (uint8_t)(value >> 8 * (7 - i));
}

/* A random word that the field's type allows. */
__attribute__((unused)) static void sample_field(uint8_t word[32], const struct cds_field *field) {
  size_t width = field->bits / 8;
  sample_random_bytes(word, 32);
  bool negative = field->type == CDS_TYPE_INT && (word[32 - width] & 0x80) != 0;
  memset(word, negative ? 0xff : 0, 32 - width);
}

/* A random blob of the schema; returns its length. */
__attribute__((unused)) static size_t sample_blob(uint8_t *blob, const struct cds_schema *schema) {
  for (size_t i = 0; i < schema->field_count; i++) sample_field(blob + 32 * i, &schema->fields[i]);
  blob[0] = (uint8_t)(schema->version >> 8);
  blob[1] = (uint8_t)schema->version;
  return 32 * schema->field_count;
}

/* The same in a feed of millisecond resolution, whose head has times of 64 bits. */
__attribute__((unused)) static size_t sample_blob_ms(uint8_t *blob, const struct cds_schema *schema) {
  size_t length = sample_blob(blob, schema);
  blob[0] |= 0x10;
  for (size_t i = 0; i < schema->field_count; i++)
    if (cds_schema_is_time(schema, i)) sample_put(blob + 32 * i, sample_random() >> sample_random() % 64);
  return length;
}

/* The full report in the order the oracles write it: head, blob, rs, ss. */
__attribute__((unused)) static void sample_report(struct sample *out, const uint8_t *blob, size_t blob_length,
                                                  size_t signatures) {
  size_t padded = (blob_length + 31) / 32 * 32;
  size_t at = 7 * 32;
  memset(out->bytes, 0, sizeof out->bytes);
  sample_random_bytes(out->bytes, 96);
  sample_put(out->bytes + 96, at);
  sample_put(out->bytes + at, blob_length);
  memcpy(out->bytes + at + 32, blob, blob_length);
  at += 32 + padded;
  for (size_t part = 4; part <= 5; part++) {
    sample_put(out->bytes + 32 * part, at);
    sample_put(out->bytes + at, signatures);
    sample_random_bytes(out->bytes + at + 32, 32 * signatures);
    at += 32 + 32 * signatures;
  }
  out->length = at;
}

/* A copy in a block of exactly this size, so that a sanitizer sees any read beyond it. */
__attribute__((unused)) static void *sample_exact(const void *bytes, size_t length) {
  void *copy = malloc(length > 0 ? length : 1);
  if (!copy) abort();
  if (length > 0) memcpy(copy, bytes, length);
  return copy;
}

#endif
