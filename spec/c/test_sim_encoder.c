/* SPDX-License-Identifier: MIT
 * The simulator's ABI writer, word by word. */
#include "simulator/encoder.h"

#include "codec/hex.h"

#include "tap.h"

static bool is_word(const uint8_t *word, const char *hex) {
  char text[65] = "";
  cds_hex_encode(text, word, 32);
  return is_string(text, hex, "the word");
}

static void numbers(void) {
  uint8_t word[32];
  cds_sim_put_int(word, 0);
  is_word(word, "0000000000000000000000000000000000000000000000000000000000000000");
  cds_sim_put_int(word, 0x123456789abcdef0);
  is_word(word, "000000000000000000000000000000000000000000000000123456789abcdef0");
  cds_sim_put_int(word, -1);
  is_word(word, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  cds_sim_put_int(word, -256);
  is_word(word, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00");
  cds_sim_put_int(word, (cds_sim_int)1 << 100);
  is_word(word, "0000000000000000000000000000000000000010000000000000000000000000");
}

static void full_report(void) {
  uint8_t context[96], blob[288], out[CDS_SIM_MAX_REPORT];
  struct cds_sim_signatures signatures = {.count = 2, .v = {1, 0}};
  memset(context, 0xcc, sizeof context);
  memset(blob, 0xbb, sizeof blob);
  memset(signatures.r, 0x11, sizeof signatures.r);
  memset(signatures.s, 0x22, sizeof signatures.s);
  size_t length = cds_sim_encode_report(out, context, blob, sizeof blob, &signatures);
  is_number(length, 736, "nine words and two signatures make 736 bytes, as real ones have");
  ok(memcmp(out, context, 96) == 0, "the context comes first");
  is_word(out + 96, "00000000000000000000000000000000000000000000000000000000000000e0");
  is_word(out + 128, "0000000000000000000000000000000000000000000000000000000000000220");
  is_word(out + 160, "0000000000000000000000000000000000000000000000000000000000000280");
  is_word(out + 192, "0100000000000000000000000000000000000000000000000000000000000000");
  is_word(out + 224, "0000000000000000000000000000000000000000000000000000000000000120");
  ok(memcmp(out + 256, blob, sizeof blob) == 0, "the blob follows its length");
  is_word(out + 0x220, "0000000000000000000000000000000000000000000000000000000000000002");
  is_word(out + 0x240, "1111111111111111111111111111111111111111111111111111111111111111");
  is_word(out + 0x280, "0000000000000000000000000000000000000000000000000000000000000002");
  is_word(out + 736 - 32, "2222222222222222222222222222222222222222222222222222222222222222");
}

static void most_signatures(void) {
  static uint8_t out[CDS_SIM_MAX_REPORT + 1];
  uint8_t context[96] = {0}, blob[32 * CDS_SIM_MAX_BLOB_WORDS] = {0};
  struct cds_sim_signatures signatures = {.count = CDS_SIM_MAX_SIGNERS};
  out[CDS_SIM_MAX_REPORT] = 0x5a;
  size_t length = cds_sim_encode_report(out, context, blob, sizeof blob, &signatures);
  is_number(length, CDS_SIM_MAX_REPORT, "the longest report fills the room");
  is_number(out[CDS_SIM_MAX_REPORT], 0x5a, "and no more");
}

int main(void) {
  numbers();
  full_report();
  most_signatures();
  return done();
}
