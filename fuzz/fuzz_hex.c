/* SPDX-License-Identifier: MIT
 * Hex text, by each way that the processor has, against a decoder that looks at one digit at a time. */
#include "codec/hex.h"
#include "fuzz.h"

static int digit(char c) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  const char *found = c != 0 ? strchr(digits, c) : NULL;
  return found != NULL ? (int)(found - digits) % 16 : -1;
}

/* Returns what cds_hex_decode promises to. */
static size_t naive(uint8_t *out, const char *hex, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (digit(hex[i]) < 0) return i;
  if (length % 2 != 0) return length - 1;
  for (size_t i = 0; i < length / 2; i++) out[i] = (uint8_t)(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
  return length;
}

static void decode(enum cds_hex_way way, const char *hex, size_t length) {
  uint8_t *got = fuzz_copy(hex, length / 2), *expected = fuzz_copy(hex, length / 2);
  size_t end = cds_hex_decode_by(way, got, hex, length);
  MUST(end == naive(expected, hex, length));
  if (end == length) MUST(memcmp(got, expected, length / 2) == 0);
  free(got);
  free(expected);
}

/* Bytes to digits and back. */
static void round_trip(const uint8_t *data, size_t size) {
  char *hex = malloc(2 * size + 1);
  uint8_t *bytes = malloc(size + 1);
  MUST(hex != NULL && bytes != NULL);
  cds_hex_encode(hex, data, size);
  MUST(cds_hex_decode(bytes, hex, 2 * size) == 2 * size && memcmp(bytes, data, size) == 0);
  free(hex);
  free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *hex = fuzz_copy(data, size);
  for (enum cds_hex_way way = CDS_HEX_PORTABLE; way < CDS_HEX_WAYS; way++) decode(way, hex, size);
  round_trip((const uint8_t *)hex, size);
  free(hex);
  return 0;
}
