/* SPDX-License-Identifier: MIT
 * Hex decoding at every length, with a bad character at every place; by each way that this processor has. */
#include "codec/hex.h"

#include "sample.h"
#include "tap.h"

#define MAX_BYTES 70

static enum cds_hex_way way;

static size_t decode(uint8_t *out, const char *hex, size_t length) {
  return cds_hex_decode_by(way, out, hex, length);
}

static bool is_digit(int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static void test_round_trips(void) {
  bool good = true, upper_good = true;
  for (size_t length = 0; length <= MAX_BYTES; length++) {
    uint8_t bytes[MAX_BYTES];
    char text[2 * MAX_BYTES];
    sample_random_bytes(bytes, length);
    cds_hex_encode(text, bytes, length);
    char *hex = sample_exact(text, 2 * length);
    uint8_t *out = sample_exact(bytes, length);
    memset(out, 0, length);
    good = good && decode(out, hex, 2 * length) == 2 * length && memcmp(out, bytes, length) == 0;
    for (size_t i = 0; i < 2 * length; i++)
      if (hex[i] >= 'a') hex[i] = (char)(hex[i] - 'a' + 'A');
    memset(out, 0, length);
    upper_good = upper_good && decode(out, hex, 2 * length) == 2 * length && memcmp(out, bytes, length) == 0;
    free(hex);
    free(out);
  }
  ok(good, "every length to %d bytes goes there and back", MAX_BYTES);
  ok(upper_good, "also in capitals");
}

/* Every byte value at every place of texts around the vector width. */
static void test_bad_characters(void) {
  bool good = true;
  for (size_t length = 2; length <= 146; length += 16) {
    for (size_t at = 0; at < length; at++) {
      for (int c = 0; c < 256; c++) {
        char text[150];
        uint8_t out[75];
        memset(text, '7', sizeof text);
        text[at] = (char)c;
        good = good && decode(out, text, length) == (is_digit(c) ? length : at);
      }
    }
  }
  ok(good, "every character but the 22 digits is found where it stands");
  uint8_t out[50];
  char text[] = "00g000000000000000000000000000000000000000000000000000000000000000000000000g0";
  is_number(decode(out, text, 76), 2, "the first of two bad characters is told");
}

static void test_odd(void) {
  uint8_t out[50];
  is_number(decode(out, "abc", 3), 2, "an odd length is refused at the last character");
  is_number(decode(out, "abx", 3), 2, "also when that is bad");
  is_number(decode(out, "xbc", 3), 0, "a bad character comes first");
  is_number(decode(out, "a", 1), 0, "one digit alone is refused at 0");
  char text[65];
  memset(text, 'a', sizeof text);
  is_number(decode(out, text, 65), 64, "a long odd length is refused at the last character");
}

static void test_known(void) {
  uint8_t out[8];
  ok(decode(out, "0123456789abcDEF", 16) == 16 && memcmp(out, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8) == 0,
     "the sixteen digits have their values");
  char text[17] = {0};
  cds_hex_encode(text, out, 8);
  is_string(text, "0123456789abcdef", "encoding is in lower case");
}

static void test_way(const char *name) {
  if (!cds_hex_has(way)) {
    skip(name, "this processor has no such instructions");
    return;
  }
  printf("# %s\n", name);
  test_known();
  test_round_trips();
  test_bad_characters();
  test_odd();
}

/* All agree on random texts that are nearly always good, and cds_hex_decode is one of them. */
static void test_agreement(void) {
  bool good = true;
  for (int run = 0; run < 20000; run++) {
    char text[2 * MAX_BYTES];
    uint8_t expected[MAX_BYTES] = {0}, out[MAX_BYTES] = {0};
    size_t length = sample_random() % (sizeof text + 1);
    for (size_t i = 0; i < length; i++) text[i] = "0123456789abcdefABCDEF"[sample_random() % 22];
    if (run % 2 && length > 0) text[sample_random() % length] = (char)sample_random();
    size_t end = cds_hex_decode(expected, text, length);
    for (way = CDS_HEX_PORTABLE; way < CDS_HEX_WAYS; way++) {
      memset(out, 0, sizeof out);
      good = good && decode(out, text, length) == end && (end < length || memcmp(out, expected, length / 2) == 0);
    }
  }
  ok(good, "all ways agree");
}

int main(void) {
  static const char *const names[CDS_HEX_WAYS] = {"portable", "SSSE3", "AVX2"};
  for (way = CDS_HEX_PORTABLE; way < CDS_HEX_WAYS; way++) test_way(names[way]);
  test_agreement();
  return done();
}
