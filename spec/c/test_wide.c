/* SPDX-License-Identifier: MIT
 * Exact integers of up to 384 bits against arithmetic on decimal digits, at every size, and at the edges. */
#include "codec/wide.h"

#include <stdlib.h>

#include "digits.h"
#include "sample.h"
#include "tap.h"

#define ROUNDS 20000
#define LARGEST                                                                                                        \
  "394020061963944792122790401001436138050797392704654466679482934042457217714972106114142662548849156408066279903068" \
  "15"

static struct cds_wide wide(const char *text) {
  struct cds_wide value = {0};
  ok(cds_wide_parse(&value, text, strlen(text)), "%s is read", text);
  return value;
}

static void is_wide(const struct cds_wide *value, const char *expected, const char *name) {
  char text[CDS_WIDE_TEXT];
  is_number(cds_wide_format(text, value), (long long)strlen(expected), "its length");
  is_string(text, expected, name);
}

/* A random integer of a random number of bits up to `bits`, signed half of the time. */
static struct cds_wide random_wide(unsigned bits) {
  struct cds_wide value = {0};
  unsigned used = (unsigned)(sample_random() >> 32) % (bits + 1);
  for (unsigned i = 0; i < used; i++)
    if (i == used - 1 || sample_random() >> 63) value.limb[i / 64] |= UINT64_C(1) << i % 64;
  value.negative = used > 0 && sample_random() >> 63;
  return value;
}

static int64_t random_factor(void) {
  int64_t factor = (int64_t)(sample_random() >> (sample_random() >> 58));
  return sample_random() >> 63 ? -(factor >> 1) : factor >> 1;
}

static void test_random(void) {
  bool texts = true, sums = true, refused = true, quotients = true, orders = true;
  size_t refusals = 0;
  for (size_t i = 0; i < ROUNDS; i++) {
    struct cds_wide a = random_wide(384), b = random_wide(i % 2 ? 384 : 320), read, before = a;
    char a_text[CDS_WIDE_TEXT], b_text[CDS_WIDE_TEXT], text[CDS_WIDE_TEXT], expected[DIGITS + 2];
    size_t length = cds_wide_format(a_text, &a);
    cds_wide_format(b_text, &b);
    texts = texts && cds_wide_parse(&read, a_text, length) && cds_wide_compare(&read, &a) == 0;
    struct digits x = digits_read(a_text), y = digits_read(b_text);
    orders = orders && cds_wide_compare(&a, &b) == digits_compare(&x, &y);
    int64_t factor = random_factor();
    struct digits product = digits_times(&y, factor), sum = digits_plus(&x, &product);
    if (digits_fit(&product) && digits_fit(&sum)) {
      digits_write(expected, &sum);
      sums = sums && cds_wide_add_product(&a, &b, factor) && cds_wide_format(text, &a) == strlen(expected) &&
             strcmp(text, expected) == 0;
    } else {
      refused = refused && !cds_wide_add_product(&a, &b, factor) && cds_wide_compare(&a, &before) == 0;
      refusals++;
    }
    uint64_t divisor = (sample_random() >> (sample_random() >> 58)) | 1;
    struct digits quotient = digits_over(&y, divisor);
    digits_write(expected, &quotient);
    cds_wide_divide(&b, divisor);
    cds_wide_format(text, &b);
    quotients = quotients && strcmp(text, expected) == 0;
  }
  ok(texts, "%d random integers come back from their text", ROUNDS);
  ok(orders, "and are in order");
  ok(sums, "sums of products are right");
  ok(refused && refusals > 100, "what does not fit is refused, and changes nothing (%zu times)", refusals);
  ok(quotients, "quotients are rounded toward zero");
}

static void test_texts(void) {
  static const char *const wrong[] = {"", "-", "+1", "1.0", " 1", "1 ", "--1", "0x1", "1e3", "1-"};
  struct cds_wide value;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    ok(!cds_wide_parse(&value, wrong[i], strlen(wrong[i])), "\"%s\" is no integer", wrong[i]);
  value = wide("-0");
  is_wide(&value, "0", "zero has no sign");
  value = wide("000000000000000000000000000000000000012");
  is_wide(&value, "12", "zeros before are left out");
  value = wide("-" LARGEST);
  is_wide(&value, "-" LARGEST, "the largest");
  char above[] = LARGEST;
  above[strlen(above) - 1]++;
  ok(!cds_wide_parse(&value, above, strlen(above)), "one more is refused");
  ok(!cds_wide_parse(&value, LARGEST "0", strlen(LARGEST) + 1), "and ten times as much");
}

static void test_edges(void) {
  struct cds_wide sum = wide(LARGEST), one = wide("1"), largest = sum;
  ok(!cds_wide_add_product(&sum, &one, 1), "one more than the largest is refused");
  is_wide(&sum, LARGEST, "and changes nothing");
  ok(cds_wide_add_product(&sum, &largest, -1), "the largest less itself");
  is_wide(&sum, "0", "is zero without a sign");
  ok(cds_wide_add_product(&sum, &one, INT64_MIN), "the least factor");
  is_wide(&sum, "-9223372036854775808", "counts whole");
  cds_wide_divide(&sum, UINT64_MAX);
  is_wide(&sum, "0", "a quotient of zero has no sign");
  ok(!cds_wide_add_product(&sum, &largest, 2), "a product that does not fit is refused");
  is_wide(&sum, "0", "and changes nothing either");
}

static bool moved(const char *last, const char *now, int64_t numerator, int64_t denominator) {
  struct cds_wide a = wide(last), b = wide(now);
  bool fits, is_moved = cds_wide_moved(&fits, &a, &b, numerator, denominator);
  ok(fits, "the products fit");
  return is_moved;
}

static void test_moved(void) {
  ok(moved("1000", "1005", 5, 1000), "half a percent up is half a percent");
  ok(!moved("1000000000000000000000", "1004999999999999999999", 5, 1000), "one unit less is not");
  ok(moved("1000", "995", 5, 1000), "down too");
  ok(moved("-1000", "-1005", 5, 1000) && !moved("-1000", "-1004", 5, 1000), "of a negative price too");
  ok(moved("-1", "1", 2, 1) && !moved("-1", "1", 201, 100), "across zero");
  ok(!moved("7", "7", 0, 100), "no change is no movement, whatever the share");
  ok(moved("7", "8", 0, 100), "any is, of a share of nothing");
  ok(moved("0", "1", 9999, 100) && !moved("0", "0", 9999, 100), "from zero any change is");
  struct cds_wide a = wide(LARGEST), b = wide("0");
  bool fits = true;
  ok(!cds_wide_moved(&fits, &a, &b, 1, 1000) && !fits, "a product that does not fit is told");
  a.negative = true;
  b = wide(LARGEST);
  ok(!cds_wide_moved(&fits, &a, &b, 1, 1) && !fits, "and a difference");
}

int main(void) {
  test_random();
  test_texts();
  test_edges();
  test_moved();
  return done();
}
