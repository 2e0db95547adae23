/* SPDX-License-Identifier: MIT
 * What is UTF-8, by a second reading of RFC 3629: a sequence decodes to a code point that is encoded in just these bytes. */
#include "tap.h"

#include "base/utf8.h"

/* The bytes of a code point, 0 for what has no encoding. */
static size_t encode(unsigned char out[4], unsigned point) {
  if (point < 0x80) return out[0] = (unsigned char)point, 1;
  size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  if ((point >= 0xd800 && point < 0xe000) || point > 0x10ffff) return 0;
  for (size_t i = length; i-- > 1; point >>= 6) out[i] = (unsigned char)(0x80 | (point & 0x3f));
  out[0] = (unsigned char)(0xf00 >> length | point);
  return length;
}

static void test_all_points(void) {
  unsigned char bytes[5];
  unsigned wrong = 0;
  for (unsigned point = 0; point < 0x110000; point++) {
    size_t length = encode(bytes, point);
    wrong += length != 0 && (cds_utf8_length(bytes, length) != length || cds_utf8_length(bytes, length + 1) != length);
    if (length > 1) wrong += cds_utf8_length(bytes, length - 1) != 0;
  }
  is_number(wrong, 0, "every code point's bytes are a sequence, and none without its last");
}

/* All of four bytes that begin so and go on with a few values each: as many are sequences as there are code points. */
static void test_nothing_else(void) {
  static const unsigned char next[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
  unsigned wrong = 0;
  for (unsigned first = 0x80; first < 0x100; first++)
    for (unsigned i = 0; i < 10 * 10 * 10; i++) {
      unsigned char text[4] = {(unsigned char)first, next[i / 100], next[i / 10 % 10], next[i % 10]}, again[4];
      size_t length = cds_utf8_length(text, 4);
      size_t claimed = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
      unsigned point = first & (0xffu >> (claimed + 1));
      for (size_t k = 1; k < claimed; k++) point = point << 6 | (text[k] & 0x3f);
      bool good = encode(again, point) == claimed && memcmp(text, again, claimed) == 0;
      wrong += length != (good ? claimed : 0);
    }
  is_number(wrong, 0, "nothing else is one: overlong forms, surrogates, what lies beyond, stray bytes");
}

static void test_texts(void) {
  char text[40];
  ok(cds_utf8_is_valid("", 0), "no text is valid");
  unsigned wrong = 0;
  for (size_t length = 1; length <= sizeof text; length++)
    for (size_t at = 0; at < length; at++) {
      memset(text, 'a', sizeof text);
      wrong += !cds_utf8_is_valid(text, length);
      text[at] = (char)0xff;
      wrong += cds_utf8_is_valid(text, length);
      text[at] = (char)0xc3;
      wrong += cds_utf8_is_valid(text, length);
      if (at + 1 < length) text[at + 1] = (char)0xa4;
      wrong += cds_utf8_is_valid(text, length) != (at + 1 < length);
    }
  is_number(wrong, 0, "one bad byte anywhere makes a text invalid, one letter of two bytes does not");
}

int main(void) {
  test_all_points();
  test_nothing_else();
  test_texts();
  return done();
}
