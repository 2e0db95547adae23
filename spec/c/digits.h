/* SPDX-License-Identifier: MIT
 * Integers as their decimal digits, by hand on paper: slow, obvious, and nothing of codec/wide.c in it. */
#ifndef DIGITS_H
#define DIGITS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DIGITS 180

struct digits {
  bool negative;
  uint8_t at[DIGITS]; /* from the right */
};

__attribute__((unused)) static struct digits digits_read(const char *text) {
  struct digits out = {.negative = text[0] == '-'};
  size_t length = strlen(text), start = out.negative ? 1 : 0;
  for (size_t i = start; i < length; i++) out.at[length - 1 - i] = (uint8_t)(text[i] - '0');
  return out;
}

static bool digits_are_zero(const struct digits *a) {
  for (size_t i = 0; i < DIGITS; i++)
    if (a->at[i] != 0) return false;
  return true;
}

__attribute__((unused)) static void digits_write(char *out, const struct digits *a) {
  size_t count = DIGITS;
  while (count > 1 && a->at[count - 1] == 0) count--;
  if (a->negative && !digits_are_zero(a)) *out++ = '-';
  while (count > 0) *out++ = (char)('0' + a->at[--count]);
  *out = 0;
}

/* Of the absolute values. */
static int digits_compare_sizes(const struct digits *a, const struct digits *b) {
  for (size_t i = DIGITS; i-- > 0;)
    if (a->at[i] != b->at[i]) return a->at[i] < b->at[i] ? -1 : 1;
  return 0;
}

__attribute__((unused)) static int digits_compare(const struct digits *a, const struct digits *b) {
  bool a_below = a->negative && !digits_are_zero(a), b_below = b->negative && !digits_are_zero(b);
  if (a_below != b_below) return a_below ? -1 : 1;
  return a_below ? digits_compare_sizes(b, a) : digits_compare_sizes(a, b);
}

__attribute__((unused)) static struct digits digits_times(const struct digits *a, int64_t factor) {
  struct digits out = {.negative = a->negative != (factor < 0)};
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)factor);
  struct digits by = digits_read(text);
  unsigned column[DIGITS + 1] = {0};
  for (size_t i = 0; i < 20; i++)
    for (size_t j = 0; i + j < DIGITS; j++) column[i + j] += (unsigned)by.at[i] * a->at[j];
  for (size_t i = 0; i < DIGITS; i++) {
    out.at[i] = (uint8_t)(column[i] % 10);
    column[i + 1] += column[i] / 10;
  }
  return out;
}

__attribute__((unused)) static struct digits digits_plus(const struct digits *a, const struct digits *b) {
  const struct digits *large = digits_compare_sizes(a, b) >= 0 ? a : b, *small = large == a ? b : a;
  struct digits out = {.negative = large->negative};
  int sign = a->negative == b->negative ? 1 : -1, carry = 0;
  for (size_t i = 0; i < DIGITS; i++) {
    int column = large->at[i] + sign * small->at[i] + carry;
    carry = column < 0 ? -1 : column / 10;
    out.at[i] = (uint8_t)(column - 10 * carry);
  }
  return out;
}

/* By long division, toward zero. */
__attribute__((unused)) static struct digits digits_over(const struct digits *a, uint64_t divisor) {
  struct digits out = {.negative = a->negative};
  __extension__ unsigned __int128 rest = 0;
  for (size_t i = DIGITS; i-- > 0;) {
    rest = rest * 10 + a->at[i];
    out.at[i] = (uint8_t)(rest / divisor);
    rest %= divisor;
  }
  return out;
}

/* Does it have at most 384 bits? */
__attribute__((unused)) static bool digits_fit(const struct digits *a) {
  static const struct digits *limit;
  static struct digits power;
  if (!limit) {
    power = digits_read("1");
    for (int i = 0; i < 384; i++) power = digits_plus(&power, &power);
    limit = &power;
  }
  return digits_compare_sizes(a, limit) < 0;
}

#endif
