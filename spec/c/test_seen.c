/* SPDX-License-Identifier: MIT
 * Tags of texts: what they depend on, and what nobody can choose without the seed. */
#include "order/seen.h"
#include "sample.h"
#include "tap.h"

#define BLOB (9 * 32)

static void test_depends(void) {
  uint8_t text[200];
  size_t same = 0;
  sample_random_bytes(text, sizeof text);
  uint64_t before = cds_seen_tag(1, text, sizeof text);
  is_number(cds_seen_tag(1, text, sizeof text) == before, 1, "the same text and seed, the same tag");
  for (size_t bit = 0; bit < 8 * sizeof text; bit++) {
    text[bit / 8] ^= (uint8_t)(1 << bit % 8);
    same += cds_seen_tag(1, text, sizeof text) == before;
    text[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  is_number(same, 0, "every bit of the text counts");
  for (int bit = 0; bit < 64; bit++) same += cds_seen_tag(1 ^ (uint64_t)1 << bit, text, sizeof text) == before;
  is_number(same, 0, "every bit of the seed counts");
  memset(text, 0, sizeof text);
  for (size_t length = 0; length < sizeof text; length++)
    same += cds_seen_tag(1, text, length) == cds_seen_tag(1, text, length + 1);
  is_number(same, 0, "the length counts");
}

/* Reckoned apart from this code: SplitMix64's first six numbers as secrets, folded 128-bit products in two lanes. */
static void test_known(void) {
  static const struct {
    uint64_t seed;
    size_t length;
    uint64_t tag;
  } cases[] = {
    {1, 0, 0x4635df13af99ebb4u},
    {1, 31, 0x000e14d0cad46c58u},
    {1, 32, 0x1f819763e03b24fau},
    {1, 33, 0x2dbbd289899e3cf8u},
    {0xfedcba9876543210u, 64, 0x19765c349de1ed6au},
    {0xfedcba9876543210u, 200, 0xf9b686c644617e48u},
  };
  uint8_t text[200];
  for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(7 * i + 3);
  if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
    skip("known tags", "they are of another byte order");
    return;
  }
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ok(cds_seen_tag(cases[i].seed, text, cases[i].length) == cases[i].tag, "%zu bytes", cases[i].length);
}

/* Whatever is left behind the last whole 32 bytes. */
static void test_every_byte(void) {
  uint8_t text[64];
  size_t same = 0;
  sample_random_bytes(text, sizeof text);
  for (size_t length = 1; length <= sizeof text; length++) {
    uint64_t before = cds_seen_tag(1, text, length);
    for (size_t at = 0; at < length; at++) {
      text[at] ^= 0x10;
      same += cds_seen_tag(1, text, length) == before;
      text[at] ^= 0x10;
    }
  }
  is_number(same, 0, "every byte of a text of any length counts");
}

/* Words that were the constants of the tag once: as a factor's mask they made the product 0. */
static void test_crafted(void) {
  static const uint64_t words[] = {0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu, 0xd6e8feb86659fd93u,
                                   0};
  enum { WORDS = sizeof words / sizeof *words };
  size_t equal = 0, forgotten = 0;
  for (size_t pair = 0; pair < WORDS * WORDS; pair++) {
    uint8_t one[BLOB] = {0}, other[BLOB] = {0};
    one[6 * 32 + 31] = 1;
    other[6 * 32 + 31] = 2;
    for (size_t at = 8; at < 32; at += 16) {
      const uint64_t *word = &words[at == 8 ? pair / WORDS : pair % WORDS];
      memcpy(one + 7 * 32 + at, word, sizeof *word);
      memcpy(other + 7 * 32 + at, word, sizeof *word);
    }
    for (int i = 0; i < 100; i++) {
      uint64_t seed = sample_random();
      equal += cds_seen_tag(seed, one, BLOB) == cds_seen_tag(seed, other, BLOB);
      forgotten += cds_seen_tag(seed, one, BLOB) == cds_seen_tag(seed + 1, one, BLOB);
    }
  }
  is_number(equal, 0, "no words make two prices look the same");
  is_number(forgotten, 0, "nor do they make the tag forget its seed");
}

/* Texts chosen under one seed to fall together. */
static void test_chosen_elsewhere(void) {
  enum { WANTED = 500, MASK = 1023 };
  size_t together = 0;
  uint64_t number = 0;
  for (size_t found = 0; found < WANTED; number++) {
    if ((cds_seen_tag(1, &number, sizeof number) & MASK) != 7) continue;
    found++;
    together += (cds_seen_tag(2, &number, sizeof number) & MASK) == 7;
  }
  ok(together < 10, "texts chosen under another seed fall apart (%zu of %d do not)", together, WANTED);
}

int main(void) {
  test_depends();
  test_known();
  test_every_byte();
  test_crafted();
  test_chosen_elsewhere();
  return done();
}
