/* SPDX-License-Identifier: MIT
 * 256-bit words as decimal text and as doubles. */
#include "codec/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/abi.h"

__extension__ typedef unsigned __int128 uint128;

#define LIMBS 4
#define CHUNK UINT64_C(10000000000000000000) /* 10^19, the largest power of ten in 64 bits */
#define CHUNK_DIGITS 19
#define MAX_DIGITS 95 /* 5 chunks; 2^256 needs 78 digits */

/* Absolute value, least significant limb first. */
struct magnitude {
  uint64_t limb[LIMBS];
  bool negative;
};

static struct magnitude magnitude_of(const uint8_t word[32], bool is_signed) {
  struct magnitude value = {.negative = is_signed && (word[0] & 0x80) != 0};
  for (size_t i = 0; i < LIMBS; i++) value.limb[i] = cds_load_u64(word + 24 - 8 * i);
  if (!value.negative) return value;
  uint64_t carry = 1; /* two's complement: invert and add one */
  for (size_t i = 0; i < LIMBS; i++) {
    value.limb[i] = ~value.limb[i] + carry;
    carry = carry && value.limb[i] == 0;
  }
  return value;
}

/* Divides by CHUNK in place and returns the remainder. */
static uint64_t divide_by_chunk(uint64_t limb[LIMBS], size_t used) {
  uint64_t rest = 0;
  for (size_t i = used; i-- > 0;) {
    uint128 part = (uint128)rest << 64 | limb[i];
    limb[i] = (uint64_t)(part / CHUNK);
    rest = (uint64_t)(part % CHUNK);
  }
  return rest;
}

/* Writes the digits right-aligned into digits[MAX_DIGITS]; returns where they start (at least one digit). */
static size_t write_digits(char digits[MAX_DIGITS], struct magnitude value) {
  size_t start = MAX_DIGITS, used = LIMBS;
  for (;;) {
    while (used > 0 && value.limb[used - 1] == 0) used--;
    if (used == 0) break;
    uint64_t chunk = divide_by_chunk(value.limb, used);
    for (int i = 0; i < CHUNK_DIGITS; i++, chunk /= 10) digits[--start] = (char)('0' + chunk % 10);
  }
  while (start < MAX_DIGITS && digits[start] == '0') start++;
  if (start == MAX_DIGITS) digits[--start] = '0';
  return start;
}

size_t cds_decimal_format(char out[CDS_DECIMAL_TEXT], const uint8_t word[32], bool is_signed, unsigned decimals) {
  struct magnitude value = magnitude_of(word, is_signed);
  char digits[MAX_DIGITS];
  size_t start = write_digits(digits, value);
  size_t count = MAX_DIGITS - start;
  size_t whole = count > decimals ? count - decimals : 0; /* digits before the point */
  size_t end = MAX_DIGITS;                                /* without the trailing zeros of the fraction */
  while (end > start + whole && digits[end - 1] == '0') end--;

  char *to = out;
  if (value.negative) *to++ = '-';
  if (whole == 0) *to++ = '0';
  memcpy(to, digits + start, whole);
  to += whole;
  if (end > start + whole) {
    *to++ = '.';
    size_t zeros = decimals > count ? decimals - count : 0; /* between the point and the first digit */
    memset(to, '0', zeros);
    to += zeros;
    memcpy(to, digits + start + whole, end - start - whole);
    to += end - start - whole;
  }
  *to = 0;
  return (size_t)(to - out);
}

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t whole_powers_of_ten[CHUNK_DIGITS + 1] = {
  UINT64_C(1),
  UINT64_C(10),
  UINT64_C(100),
  UINT64_C(1000),
  UINT64_C(10000),
  UINT64_C(100000),
  UINT64_C(1000000),
  UINT64_C(10000000),
  UINT64_C(100000000),
  UINT64_C(1000000000),
  UINT64_C(10000000000),
  UINT64_C(100000000000),
  UINT64_C(1000000000000),
  UINT64_C(10000000000000),
  UINT64_C(100000000000000),
  UINT64_C(1000000000000000),
  UINT64_C(10000000000000000),
  UINT64_C(100000000000000000),
  UINT64_C(1000000000000000000),
  CHUNK,
};

/* 2^exponent, of a normal number. */
static double power_of_two(int exponent) {
  uint64_t bits = (uint64_t)(1023 + exponent) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

/* value * 2^exponent rounded half to even, for a value of 63 or 64 bits; sticky: something nonzero lies below value. */
static double round_to_double(uint64_t value, bool sticky, int exponent) {
  int spare = 11 - __builtin_clzll(value);
  uint64_t mantissa = value >> spare, rest = value << (64 - spare), half = UINT64_C(1) << 63;
  if (rest > half || (rest == half && (sticky || (mantissa & 1) != 0))) mantissa++;
  return (double)mantissa * power_of_two(exponent + spare);
}

/* For a nonzero value below 2^128 and decimals <= 19, whose power of ten fits 64 bits: the value is shifted so that the
 * quotient has 63 or 64 bits, and the remainder and what is shifted out decide the ties. */
static double divide_to_double(uint128 value, unsigned decimals) {
  uint64_t divisor = whole_powers_of_ten[decimals], high = (uint64_t)(value >> 64);
  int bits = high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)value);
  int shift = 127 - __builtin_clzll(divisor) - bits;
  uint128 scaled = shift >= 0 ? value << shift : value >> -shift;
  bool lost = shift < 0 && scaled << -shift != value;
  uint64_t quotient = (uint64_t)(scaled / divisor);
  return round_to_double(quotient, lost || (uint128)quotient * divisor != scaled, -shift);
}

/* "<integer>e-<decimals>" has no decimal point, so no locale can change how strtod reads it. Not inline: hardly any
 * number comes here, and each would pay for the text's place on the stack. */
__attribute__((noinline)) static double parse_to_double(const uint8_t word[32], bool is_signed, unsigned decimals) {
  char text[CDS_DECIMAL_TEXT];
  size_t length = cds_decimal_format(text, word, is_signed, 0);
  snprintf(text + length, sizeof text - length, "e-%u", decimals);
  return strtod(text, NULL);
}

double cds_decimal_to_double(const uint8_t word[32], bool is_signed, unsigned decimals) {
  bool negative = is_signed && (word[0] & 0x80) != 0;
  uint64_t above = negative ? UINT64_MAX : 0;
  uint128 value = (uint128)cds_load_u64(word + 16) << 64 | cds_load_u64(word + 24);
  bool is_wide = cds_load_u64(word) != above || cds_load_u64(word + 8) != above || (negative && value == 0);
  if (is_wide || decimals > CHUNK_DIGITS) return parse_to_double(word, is_signed, decimals);
  if (negative) value = -value;
  double result;
  if (value <= UINT64_C(1) << 53) {
    result = (double)(uint64_t)value / powers_of_ten[decimals]; /* both exact, so the quotient is rounded once */
  } else {
    result = divide_to_double(value, decimals);
  }
  return negative ? -result : result;
}

bool cds_decimal_to_int64(int64_t *out, const uint8_t word[32], bool is_signed) {
  struct magnitude value = magnitude_of(word, is_signed);
  uint64_t largest = value.negative ? UINT64_C(1) << 63 : INT64_MAX;
  if ((value.limb[3] | value.limb[2] | value.limb[1]) != 0 || value.limb[0] > largest) return false;
  *out = value.negative ? -(int64_t)(value.limb[0] - 1) - 1 : (int64_t)value.limb[0];
  return true;
}
