/* SPDX-License-Identifier: MIT
 * Hex text and bytes, 32 digits a step in the compiler's portable vectors (SSE2, NEON or plain words). */
#include "codec/hex.h"

#include <string.h>

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* The values of 16 digits; lanes of *bad become 0xff where a character is no digit. */
static inline bytes16 digit_values(const char *hex, bytes16 *bad) {
  bytes16 text;
  memcpy(&text, hex, sizeof text);
  bytes16 decimal = text - '0';
  bytes16 letter = (text | 0x20) - 'a';
  bytes16 is_decimal = (bytes16)(decimal < 10);
  bytes16 is_letter = (bytes16)(letter < 6);
  *bad |= ~(is_decimal | is_letter);
  return (decimal & is_decimal) | ((letter + 10) & is_letter);
}

static inline void decode_32(uint8_t *out, const char *hex, bytes16 *bad) {
  bytes16 a = digit_values(hex, bad);
  bytes16 b = digit_values(hex + 16, bad);
  bytes16 high = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  bytes16 low = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  bytes16 bytes = (high << 4) | low;
  memcpy(out, &bytes, sizeof bytes);
}

static inline unsigned digit_value(char c) {
  unsigned char byte = (unsigned char)c;
  unsigned decimal = byte - (unsigned)'0';
  unsigned letter = (byte | 0x20u) - (unsigned)'a';
  return decimal < 10 ? decimal : letter < 6 ? letter + 10 : 16;
}

static size_t first_bad(const char *hex, size_t length) {
  size_t at = 0;
  while (at < length && digit_value(hex[at]) < 16) at++;
  return at;
}

size_t cds_hex_decode(uint8_t *out, const char *hex, size_t length) {
  bytes16 bad = {0};
  size_t at = 0;
  for (; at + 32 <= length; at += 32) decode_32(out + at / 2, hex + at, &bad);
  unsigned bad_tail = 0;
  for (; at + 2 <= length; at += 2) {
    unsigned high = digit_value(hex[at]), low = digit_value(hex[at + 1]);
    bad_tail |= high | low;
    out[at / 2] = (uint8_t)(high << 4 | (low & 15));
  }
  uint64_t halves[2];
  memcpy(halves, &bad, sizeof halves);
  if ((halves[0] | halves[1] | (bad_tail & 16)) == 0 && at == length) return length;
  size_t fault = first_bad(hex, length);
  return fault < length ? fault : length - 1;
}

void cds_hex_encode(char *out, const uint8_t *bytes, size_t length) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < length; i++) {
    *out++ = digits[bytes[i] >> 4];
    *out++ = digits[bytes[i] & 15];
  }
}
