/* SPDX-License-Identifier: MIT
 * Words as decimal text and doubles, against long division by hand and strtod.
 * Input: a byte for sign and scale, then one or two words. */
#include "codec/decimal.h"

#include <math.h>

#include "fuzz.h"

/* Divides the number by ten in place and returns the remainder. */
static unsigned divide_by_ten(uint8_t word[32]) {
  unsigned rest = 0;
  for (int i = 0; i < 32; i++) {
    unsigned part = rest << 8 | word[i];
    word[i] = (uint8_t)(part / 10);
    rest = part % 10;
  }
  return rest;
}

static void negate(uint8_t word[32]) {
  unsigned carry = 1;
  for (int i = 31; i >= 0; i--) {
    carry += (uint8_t)~word[i];
    word[i] = (uint8_t)carry;
    carry >>= 8;
  }
}

/* Digit by digit from the right, the point where it belongs; trailing zeros of the fraction are left out. */
static void naive_format(char out[CDS_DECIMAL_TEXT], const uint8_t word[32], bool is_signed, unsigned decimals) {
  static const uint8_t zero[32];
  uint8_t left[32];
  char reversed[CDS_DECIMAL_TEXT];
  size_t used = 0, start = 0;
  bool negative = is_signed && word[0] >= 128;
  memcpy(left, word, 32);
  if (negative) negate(left);
  for (unsigned digits = 0; digits <= decimals || memcmp(left, zero, 32) != 0; digits++) {
    if (digits == decimals && decimals > 0) reversed[used++] = '.';
    reversed[used++] = (char)('0' + divide_by_ten(left));
  }
  if (negative) reversed[used++] = '-';
  if (decimals > 0) {
    while (reversed[start] == '0') start++;
    if (reversed[start] == '.') start++;
  }
  for (size_t i = 0; i < used - start; i++) out[i] = reversed[used - 1 - i];
  out[used - start] = 0;
}

static void check_word(const uint8_t word[32], bool is_signed, unsigned decimals) {
  char text[CDS_DECIMAL_TEXT], expected[CDS_DECIMAL_TEXT], whole[CDS_DECIMAL_TEXT];
  int64_t value;
  MUST(cds_decimal_format(text, word, is_signed, decimals) == strlen(text));
  naive_format(expected, word, is_signed, decimals);
  MUST(strcmp(text, expected) == 0);
  double number = cds_decimal_to_double(word, is_signed, decimals), nearest = strtod(text, NULL);
  MUST(memcmp(&number, &nearest, sizeof number) == 0);
  naive_format(whole, word, is_signed, 0);
  bool fits = cds_decimal_to_int64(&value, word, is_signed);
  if (fits) snprintf(expected, sizeof expected, "%lld", (long long)value);
  MUST(fits ? strcmp(expected, whole) == 0 : strlen(whole) >= 19);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t a[32] = {0}, b[32] = {0};
  if (size == 0) return 0;
  bool is_signed = (data[0] & 128) != 0;
  unsigned decimals = (data[0] & 127u) % (CDS_MAX_DECIMALS + 1);
  size_t first = size - 1 < 32 ? size - 1 : 32, second = size - 1 - first < 32 ? size - 1 - first : 32;
  memcpy(a + 32 - first, data + 1, first);
  memcpy(b + 32 - second, data + 1 + first, second);
  check_word(a, is_signed, decimals);
  check_word(b, is_signed, decimals);
  return 0;
}
