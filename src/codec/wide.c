/* SPDX-License-Identifier: MIT
 * Arithmetic on sign and magnitude, by schoolbook. */
#include "codec/wide.h"

#include <string.h>

__extension__ typedef unsigned __int128 uint128;

#define CHUNK_DIGITS 19 /* as many digits as any 64-bit number holds */
#define CHUNK UINT64_C(10000000000000000000)

/* limbs = limbs * factor + carry; what does not fit any more. */
static uint64_t multiply(uint64_t limb[CDS_WIDE_LIMBS], uint64_t factor, uint64_t carry) {
  for (size_t i = 0; i < CDS_WIDE_LIMBS; i++) {
    uint128 part = (uint128)limb[i] * factor + carry;
    limb[i] = (uint64_t)part;
    carry = (uint64_t)(part >> 64);
  }
  return carry;
}

/* The remainder. */
static uint64_t divide(uint64_t limb[CDS_WIDE_LIMBS], uint64_t divisor) {
  uint64_t rest = 0;
  for (size_t i = CDS_WIDE_LIMBS; i-- > 0;) {
    uint128 part = (uint128)rest << 64 | limb[i];
    limb[i] = (uint64_t)(part / divisor);
    rest = (uint64_t)(part % divisor);
  }
  return rest;
}

static int compare_magnitudes(const uint64_t a[CDS_WIDE_LIMBS], const uint64_t b[CDS_WIDE_LIMBS]) {
  for (size_t i = CDS_WIDE_LIMBS; i-- > 0;)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

static bool is_zero(const struct cds_wide *value) {
  static const uint64_t zero[CDS_WIDE_LIMBS];
  return compare_magnitudes(value->limb, zero) == 0;
}

/* a += b; the carry out. */
static uint64_t add(uint64_t a[CDS_WIDE_LIMBS], const uint64_t b[CDS_WIDE_LIMBS]) {
  uint64_t carry = 0;
  for (size_t i = 0; i < CDS_WIDE_LIMBS; i++) {
    uint128 part = (uint128)a[i] + b[i] + carry;
    a[i] = (uint64_t)part;
    carry = (uint64_t)(part >> 64);
  }
  return carry;
}

/* out = a - b, for a that is not less; out may be either. */
static void subtract(uint64_t out[CDS_WIDE_LIMBS], const uint64_t a[CDS_WIDE_LIMBS], const uint64_t b[CDS_WIDE_LIMBS]) {
  uint64_t borrow = 0;
  for (size_t i = 0; i < CDS_WIDE_LIMBS; i++) {
    uint128 part = (uint128)a[i] - b[i] - borrow;
    out[i] = (uint64_t)part;
    borrow = (uint64_t)(part >> 64) & 1;
  }
}

/* ---- text ---- */

bool cds_wide_parse(struct cds_wide *out, const char *text, size_t length) {
  struct cds_wide value = {.negative = length > 0 && text[0] == '-'};
  size_t start = value.negative ? 1 : 0;
  if (start == length) return false;
  for (size_t i = start; i < length; i++) {
    unsigned digit = (unsigned char)text[i] - (unsigned)'0';
    if (digit > 9 || multiply(value.limb, 10, digit) != 0) return false;
  }
  if (is_zero(&value)) value.negative = false;
  *out = value;
  return true;
}

size_t cds_wide_format(char out[CDS_WIDE_TEXT], const struct cds_wide *value) {
  struct cds_wide left = *value;
  char digits[7 * CHUNK_DIGITS]; /* from the right; 2^384 has 116 digits, so seven chunks */
  size_t count = 0, length = 0;
  do {
    uint64_t chunk = divide(left.limb, CHUNK);
    for (int i = 0; i < CHUNK_DIGITS; i++, chunk /= 10) digits[count++] = (char)('0' + chunk % 10);
  } while (!is_zero(&left));
  while (count > 1 && digits[count - 1] == '0') count--;
  if (value->negative) out[length++] = '-';
  while (count > 0) out[length++] = digits[--count];
  out[length] = 0;
  return length;
}

/* ---- arithmetic ---- */

int cds_wide_compare(const struct cds_wide *a, const struct cds_wide *b) {
  if (a->negative != b->negative) return a->negative ? -1 : 1;
  int magnitudes = compare_magnitudes(a->limb, b->limb);
  return a->negative ? -magnitudes : magnitudes;
}

bool cds_wide_add_product(struct cds_wide *sum, const struct cds_wide *value, int64_t factor) {
  struct cds_wide product = *value, result = *sum;
  uint64_t size = factor < 0 ? (uint64_t)0 - (uint64_t)factor : (uint64_t)factor;
  product.negative = value->negative != (factor < 0);
  if (multiply(product.limb, size, 0) != 0) return false;
  if (product.negative == sum->negative) {
    if (add(result.limb, product.limb) != 0) return false;
  } else if (compare_magnitudes(sum->limb, product.limb) >= 0) {
    subtract(result.limb, sum->limb, product.limb);
  } else {
    subtract(result.limb, product.limb, sum->limb);
    result.negative = product.negative;
  }
  if (is_zero(&result)) result.negative = false;
  *sum = result;
  return true;
}

void cds_wide_divide(struct cds_wide *value, uint64_t divisor) {
  divide(value->limb, divisor);
  if (is_zero(value)) value->negative = false;
}

bool cds_wide_moved(bool *fits, const struct cds_wide *last, const struct cds_wide *now, int64_t numerator,
                    int64_t denominator) {
  struct cds_wide step = *now, left = {0}, right = {0}, size = *last;
  *fits = cds_wide_add_product(&step, last, -1);
  step.negative = size.negative = false;
  *fits = *fits && cds_wide_add_product(&left, &step, denominator) && cds_wide_add_product(&right, &size, numerator);
  return *fits && !is_zero(&step) && cds_wide_compare(&left, &right) >= 0;
}
