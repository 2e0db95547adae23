/* SPDX-License-Identifier: MIT
 * Exact text against long division by ten, doubles against strtod, at every size and scale. */
#include "codec/decimal.h"

#include <locale.h>
#include <math.h>

#include "sample.h"
#include "tap.h"

#define RANDOM_WORDS 200000

/* The digits by dividing the bytes by ten, then the point put in: slow and obvious. */
static void slow_format(char *out, const uint8_t word[32], bool is_signed, unsigned decimals) {
  uint8_t bytes[32];
  char reversed[200];
  size_t count = 0;
  bool negative = is_signed && word[0] >= 0x80, more;
  for (int i = 31, carry = 1; i >= 0; i--) {
    int value = negative ? (uint8_t)~word[i] + carry : word[i];
    bytes[i] = (uint8_t)value;
    carry = value >> 8;
  }
  do {
    unsigned rest = 0;
    more = false;
    for (size_t i = 0; i < 32; i++) {
      unsigned value = rest << 8 | bytes[i];
      bytes[i] = (uint8_t)(value / 10);
      rest = value % 10;
      more = more || bytes[i] != 0;
    }
    reversed[count++] = (char)('0' + rest);
  } while (more || count <= decimals);
  if (negative) *out++ = '-';
  size_t last = 0; /* trailing zeros of the fraction are dropped */
  while (last < decimals && reversed[last] == '0') last++;
  for (size_t i = count; i-- > last;) {
    if (i + 1 == decimals) *out++ = '.';
    *out++ = reversed[i];
  }
  *out = 0;
}

/* A random word of a random number of significant bits, sign-extended half of the time. */
static void random_word(uint8_t word[32]) {
  unsigned bits = (unsigned)(sample_random() >> 32) % 257;
  sample_random_bytes(word, 32);
  uint8_t fill = sample_random() >> 63 ? 0xff : 0;
  for (unsigned i = bits; i < 256; i++) {
    uint8_t mask = (uint8_t)(1 << i % 8);
    word[31 - i / 8] = (uint8_t)((word[31 - i / 8] & ~mask) | (fill & mask));
  }
}

static void test_random(void) {
  bool text_good = true, double_good = true;
  for (size_t i = 0; i < RANDOM_WORDS; i++) {
    uint8_t word[32];
    char text[CDS_DECIMAL_TEXT], slow[CDS_DECIMAL_TEXT];
    random_word(word);
    bool is_signed = i % 2 != 0;
    unsigned decimals = i % 3 == 0 ? (unsigned)(i / 3) % (CDS_MAX_DECIMALS + 1) : 18;
    size_t length = cds_decimal_format(text, word, is_signed, decimals);
    slow_format(slow, word, is_signed, decimals);
    if (strcmp(text, slow) != 0 || length != strlen(slow)) {
      if (text_good) printf("# got %s, expected %s\n", text, slow);
      text_good = false;
    }
    double got = cds_decimal_to_double(word, is_signed, decimals), expected = strtod(slow, NULL);
    if (memcmp(&got, &expected, sizeof got) != 0) {
      if (double_good) printf("# %s: got %a, expected %a\n", slow, got, expected);
      double_good = false;
    }
  }
  ok(text_good, "%d random words of all sizes have the right text", RANDOM_WORDS);
  ok(double_good, "and the nearest double");
}

/* (2 m + 1) 2^k, for m of 53 bits, lies exactly between two doubles; one more or less does not. */
static void test_ties(void) {
  bool good = true;
  for (int i = 0; i < 20000; i++) {
    uint64_t mantissa = (sample_random() >> 11) | UINT64_C(1) << 52;
    unsigned shift = 1 + (unsigned)(sample_random() >> 40) % 190;
    uint8_t word[32] = {0};
    uint64_t half = mantissa << 1 | 1;
    for (unsigned b = 0; b < 54; b++)
      if (half >> b & 1) word[31 - (b + shift) / 8] |= (uint8_t)(1 << (b + shift) % 8);
    int nudge = i % 3 - 1;
    if (nudge > 0) word[31] |= 1;
    if (nudge < 0)
      for (int k = 31; word[k]-- == 0; k--) continue;
    uint64_t rounded = mantissa + (nudge > 0 || (nudge == 0 && (mantissa & 1)));
    good = good && cds_decimal_to_double(word, false, 0) == ldexp((double)rounded, (int)shift + 1);
  }
  ok(good, "ties go to the even double, and their neighbours to the nearer one");
}

/* A decimal tie: 2^53 + 1, times 10^18, divided by 10^18. */
static void test_decimal_ties(void) {
  uint8_t word[32];
  __extension__ unsigned __int128 scaled = (unsigned __int128)((UINT64_C(1) << 53) + 1) * UINT64_C(1000000000000000000);
  for (int nudge = -1; nudge <= 1; nudge++) {
    __extension__ unsigned __int128 value = scaled + (unsigned __int128)nudge;
    memset(word, 0, sizeof word);
    for (int i = 0; i < 16; i++) word[31 - i] = (uint8_t)(value >> 8 * i);
    double expected = nudge > 0 ? 9007199254740994.0 : 9007199254740992.0;
    ok(cds_decimal_to_double(word, false, 18) == expected, "(2^53 + 1) with 18 decimals, nudged by %d", nudge);
  }
}

static void is_text(const uint8_t word[32], bool is_signed, unsigned decimals, const char *expected) {
  char text[CDS_DECIMAL_TEXT];
  cds_decimal_format(text, word, is_signed, decimals);
  is_string(text, expected, expected);
}

static void test_extremes(void) {
  uint8_t word[32];
  memset(word, 0xff, sizeof word);
  is_text(word, false, 0, "115792089237316195423570985008687907853269984665640564039457584007913129639935");
  is_text(word, false, 77, "1.15792089237316195423570985008687907853269984665640564039457584007913129639935");
  is_text(word, true, 0, "-1");
  is_text(word, true, 18, "-0.000000000000000001");
  is_text(word, true, 77, "-0.00000000000000000000000000000000000000000000000000000000000000000000000000001");
  memset(word, 0, sizeof word);
  is_text(word, true, 0, "0");
  is_text(word, true, 18, "0");
  double zero = cds_decimal_to_double(word, true, 18);
  ok(zero == 0 && !signbit(zero), "zero is +0");
  word[0] = 0x80;
  is_text(word, true, 0, "-57896044618658097711785492504343953926634992332820282019728792003956564819968");
  ok(cds_decimal_to_double(word, true, 0) == -ldexp(1, 255), "-2^255 as a double");
  memset(word, 0xff, 16);
  ok(cds_decimal_to_double(word, true, 0) == -ldexp(1, 128), "-2^128, whose lower half is 0");
  memset(word + 16, 0xff, 16);
  word[16] = 0x7f;
  ok(cds_decimal_to_double(word, true, 0) == -ldexp(1, 127), "-2^127 - 1");
  memset(word, 0, 16);
  ok(cds_decimal_to_double(word, true, 0) == ldexp(1, 127), "2^127 - 1");
  sample_put(word, UINT64_C(10000000000000000000));
  is_text(word, true, 0, "10000000000000000000");
  is_text(word, true, 18, "10");
  is_text(word, true, 19, "1");
  is_text(word, true, 20, "0.1");
  sample_put(word, UINT64_C(1500000000000000000));
  is_text(word, true, 18, "1.5");
}

static void check_int64(const uint8_t word[32], bool is_signed, bool fits, int64_t expected, const char *name) {
  int64_t value = 0;
  ok(cds_decimal_to_int64(&value, word, is_signed) == fits && value == (fits ? expected : 0), "%s", name);
}

static void test_int64(void) {
  uint8_t word[32];
  sample_put(word, INT64_MAX);
  check_int64(word, false, true, INT64_MAX, "2^63-1 fits");
  sample_put(word, UINT64_C(1) << 63);
  check_int64(word, false, false, 0, "2^63 does not");
  check_int64(word, true, false, 0, "nor when signed");
  memset(word, 0xff, sizeof word);
  check_int64(word, true, true, -1, "-1 fits");
  check_int64(word, false, false, 0, "2^256-1 does not");
  memset(word + 24, 0, 8);
  check_int64(word, true, false, 0, "-2^64 does not");
  word[24] = 0x80;
  check_int64(word, true, true, INT64_MIN, "-2^63 fits");
  memset(word, 0, sizeof word);
  word[23] = 1;
  check_int64(word, true, false, 0, "2^64 does not");
  check_int64((const uint8_t[32]){0}, true, true, 0, "0 fits");
}

/* Sets a locale with a decimal comma: one of the system's, or one compiled into folder. */
static bool set_comma_locale(const char *folder) {
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (setlocale(LC_NUMERIC, names[i])) return localeconv()->decimal_point[0] == ',';
  char command[200];
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/log 2>&1", folder, folder);
  if (system(command) != 0) return false;
  setenv("LOCPATH", folder, 1);
  return setlocale(LC_NUMERIC, "de_DE.UTF-8") && localeconv()->decimal_point[0] == ',';
}

/* The locale's decimal point must not matter. */
static void test_locale(void) {
  static const char name[] = "a locale with a decimal comma changes nothing";
  char folder[] = "/tmp/test_decimal-XXXXXX", command[100];
  if (!mkdtemp(folder)) {
    skip(name, "no temporary folder");
    return;
  }
  if (set_comma_locale(folder)) {
    uint8_t word[32] = {[15] = 1, [31] = 1};
    char text[CDS_DECIMAL_TEXT];
    cds_decimal_format(text, word, true, 38);
    is_string(text, "3.40282366920938463463374607431768211457", name);
    ok(cds_decimal_to_double(word, true, 38) == 3.40282366920938463463374607431768211457, "nor for doubles");
    setlocale(LC_NUMERIC, "C");
  } else {
    skip(name, "no such locale here, and none can be compiled");
  }
  snprintf(command, sizeof command, "rm -r %s", folder);
  ok(system(command) == 0, "the temporary folder is gone");
}

int main(void) {
  test_extremes();
  test_random();
  test_ties();
  test_decimal_ties();
  test_int64();
  test_locale();
  return done();
}
