/* SPDX-License-Identifier: MIT
 * Texts of integers, and sums, quotients and movements of them, against arithmetic on decimal digits.
 * Input: eight bytes of a factor, then two lines. */
#include "codec/wide.h"

#include "digits.h"
#include "fuzz.h"

/* Is the line digits, with or without a sign, that fit? */
static bool is_integer(struct digits *out, const char *line) {
  const char *digits = line + (line[0] == '-');
  size_t length = strlen(digits), zeros = strspn(digits, "0");
  if (length == 0 || strspn(digits, "0123456789") != length || length - zeros > 116) return false;
  char text[120];
  snprintf(text, sizeof text, "%s%s", line[0] == '-' ? "-" : "", digits + zeros);
  *out = digits_read(text);
  return digits_fit(out);
}

static void check_text(const struct cds_wide *value, const struct digits *expected) {
  char text[CDS_WIDE_TEXT], other[DIGITS + 2];
  digits_write(other, expected);
  MUST(cds_wide_format(text, value) == strlen(text) && strcmp(text, other) == 0);
}

static void check_pair(const struct cds_wide *a, const struct cds_wide *b, const struct digits *x,
                       const struct digits *y, int64_t factor) {
  struct cds_wide sum = *a, quotient = *a;
  struct digits product = digits_times(y, factor), expected = digits_plus(x, &product);
  bool fits = digits_fit(&product) && digits_fit(&expected);
  MUST(cds_wide_compare(a, b) == digits_compare(x, y));
  MUST(cds_wide_add_product(&sum, b, factor) == fits);
  check_text(&sum, fits ? &expected : x);
  if (factor == 0) return;
  expected = digits_over(x, (uint64_t)factor);
  cds_wide_divide(&quotient, (uint64_t)factor);
  check_text(&quotient, &expected);
}

static void check_moved(const struct cds_wide *a, const struct cds_wide *b, const struct digits *x,
                        const struct digits *y, int64_t factor) {
  int64_t numerator = factor & 0xffff, denominator = (factor >> 16 & 0xffff) + 1;
  struct digits negated = digits_times(x, -1), step = digits_plus(y, &negated);
  struct digits left = digits_times(&step, denominator), right = digits_times(x, numerator);
  bool fits, must_fit = digits_fit(&step) && digits_fit(&left) && digits_fit(&right);
  bool moved = cds_wide_moved(&fits, a, b, numerator, denominator);
  MUST(fits == must_fit);
  MUST(moved == (fits && !digits_are_zero(&step) && digits_compare_sizes(&left, &right) >= 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int64_t factor;
  struct cds_wide a, b;
  struct digits x, y;
  if (size < sizeof factor) return 0;
  memcpy(&factor, data, sizeof factor);
  data += sizeof factor;
  size -= sizeof factor;
  char *one = fuzz_line(&data, &size), *other = fuzz_line(&data, &size);
  bool good = is_integer(&x, one), also_good = is_integer(&y, other);
  MUST(cds_wide_parse(&a, one, strlen(one)) == good);
  MUST(cds_wide_parse(&b, other, strlen(other)) == also_good);
  if (good) check_text(&a, &x);
  if (good && also_good) {
    check_pair(&a, &b, &x, &y, factor);
    check_moved(&a, &b, &x, &y, factor);
  }
  free(one);
  free(other);
  return 0;
}
