/* SPDX-License-Identifier: MIT
 * Words, heads and dynamic parts at their limits. */
#include "codec/abi.h"

#include "sample.h"
#include "tap.h"

/* The definition, bit by bit. */
static int bit(const uint8_t *word, unsigned index) {
  return word[31 - index / 8] >> index % 8 & 1;
}

static bool upper_bits_are(const uint8_t *word, unsigned bits, int value) {
  for (unsigned i = bits; i < 256; i++)
    if (bit(word, i) != value) return false;
  return true;
}

static void test_widths(void) {
  bool uints = true, ints = true;
  for (unsigned bits = 8; bits <= 256; bits += 8) {
    for (unsigned flipped = 0; flipped < 256; flipped++) {
      for (int sign = 0; sign < 2; sign++) {
        uint8_t word[32];
        memset(word, sign ? 0xff : 0, sizeof word);
        word[31 - flipped / 8] ^= (uint8_t)(1 << flipped % 8);
        uints = uints && cds_abi_is_uint(word, bits) == upper_bits_are(word, bits, 0);
        ints = ints && cds_abi_is_int(word, bits) == upper_bits_are(word, bits, bit(word, bits - 1));
      }
    }
  }
  ok(uints, "every bit above a uintN's width must be 0");
  ok(ints, "every bit above an intN's width must be its sign");
}

static void test_values(void) {
  uint8_t word[32];
  for (uint8_t i = 0; i < 32; i++) word[i] = i;
  ok(cds_abi_u64(word) == UINT64_C(0x18191a1b1c1d1e1f), "a word's last 8 bytes");
  is_number(cds_abi_u32(word), 0x1c1d1e1f, "a word's last 4 bytes");
}

static void test_head(void) {
  struct cds_error err;
  uint8_t bytes[224] = {0};
  struct cds_abi abi = {bytes, 224, 0};
  is_number(cds_abi_head(&abi, 7, "it", &err), CDS_OK, "a head that fits");
  abi.length = 223;
  is_number(cds_abi_head(&abi, 7, "it", &err), CDS_E_DECODE, "one byte short");
  is_string(err.message, "it ends at byte 223: expected at least 224 bytes", "its message");
}

/* A head of one word at a block's start, followed by `length - 32` bytes. */
struct part_case {
  const char *name;
  uint64_t offset, count; /* the part's offset, and the length word written there if it fits */
  size_t length;
  bool bytes_good, words_good;
};

static void check_part(const struct part_case *c) {
  uint8_t buffer[256] = {0};
  sample_put(buffer, c->offset);
  if (c->offset <= c->length - 32) sample_put(buffer + c->offset, c->count);
  uint8_t *exact = sample_exact(buffer, c->length);
  struct cds_abi abi = {exact, c->length, 0};
  struct cds_abi_part part;
  struct cds_error err;
  bool good = cds_abi_bytes(&part, &abi, 0, "part", &err) == CDS_OK;
  ok(good == c->bytes_good, "bytes: %s", c->name);
  if (good) ok(part.offset == c->offset + 32 && part.length == c->count, "bytes: %s: where it lies", c->name);
  good = cds_abi_words(&part, &abi, 0, "part", &err) == CDS_OK;
  ok(good == c->words_good, "words: %s", c->name);
  free(exact);
}

static void test_parts(void) {
  static const struct part_case cases[] = {
    {"empty, right behind the head", 32, 0, 64, true, true},
    {"two bytes or words, exactly filling", 32, 2, 128, true, true},
    {"one word too many", 32, 3, 128, true, false},
    {"64 bytes, exactly filling", 32, 64, 128, true, false},
    {"one byte too many", 32, 65, 128, false, false},
    {"unpadded", 32, 3, 67, true, false},
    {"length word ends at the end", 96, 0, 128, true, true},
    {"length word one byte outside", 97, 0, 128, false, false},
    {"unaligned", 33, 31, 96, true, false},
    {"pointing at itself", 0, 0, 64, true, true},
    {"offset at the end", 128, 0, 128, false, false},
    {"offset 2^64-1", UINT64_MAX, 0, 128, false, false},
    {"offset 2^64-32", UINT64_MAX - 31, 0, 128, false, false},
    {"offset 2^63", UINT64_C(1) << 63, 0, 128, false, false},
    {"length 2^64-1", 32, UINT64_MAX, 128, false, false},
    {"length 2^64-64", 32, UINT64_MAX - 63, 128, false, false},
    {"length 2^59, whose 32-fold wraps", 32, UINT64_C(1) << 59, 128, false, false},
    {"length 2^59+1", 32, (UINT64_C(1) << 59) + 1, 128, false, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_part(&cases[i]);
}

static void test_messages(void) {
  struct cds_error err;
  struct cds_abi_part part;
  uint8_t bytes[96] = {0};
  struct cds_abi abi = {bytes, sizeof bytes, 0};
  bytes[23] = 1;
  is_number(cds_abi_bytes(&part, &abi, 0, "the blob", &err), CDS_E_DECODE, "an offset of 2^64 is refused");
  is_string(err.message, "the offset of the blob at byte 0: expected an offset below 2^64", "its message");
  sample_put(bytes, 65);
  is_number(cds_abi_bytes(&part, &abi, 0, "the blob", &err), CDS_E_DECODE, "an offset beyond the end is refused");
  is_string(err.message, "the offset of the blob, 65, at byte 0: expected an offset of at most 64", "its message");
  struct cds_abi inner = {bytes, sizeof bytes, 300};
  sample_put(bytes + 32, 65);
  is_number(cds_abi_bytes(&part, &inner, 1, "the blob", &err), CDS_E_DECODE, "nor one of another word");
  is_string(err.message, "the offset of the blob, 65, at byte 332: expected an offset of at most 64",
            "whose place in all of the bytes is told");
  sample_put(bytes, 32);
  bytes[32] = 0x80;
  is_number(cds_abi_words(&part, &abi, 0, "rawRs", &err), CDS_E_DECODE, "a length of 2^255 is refused");
  is_string(err.message, "the length of rawRs at byte 32: expected a length below 2^64", "its message");
  sample_put(bytes + 32, 2);
  is_number(cds_abi_words(&part, &abi, 0, "rawRs", &err), CDS_E_DECODE, "a length beyond the end is refused");
  is_string(err.message, "the length of rawRs, 2, at byte 32: expected a length of at most 1", "its message");
}

int main(void) {
  test_widths();
  test_values();
  test_head();
  test_parts();
  test_messages();
  return done();
}
