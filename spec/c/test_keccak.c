/* SPDX-License-Identifier: MIT
 * Keccak-256 against known digests. The first three are published (the empty string's is Ethereum's well-known
 * empty hash); the others, of bytes (7 i + 3) mod 256, were computed with keccak256 of ethers 6 (npm). */
#include "crypto/keccak.h"

#include "codec/hex.h"
#include "sample.h"
#include "tap.h"

static void check(const void *data, size_t length, const char *expected, const char *name) {
  uint8_t out[33];
  char text[65] = {0};
  void *copy = sample_exact(data, length);
  out[32] = 0x5a;
  cds_keccak256(out, copy, length);
  cds_hex_encode(text, out, 32);
  is_string(text, expected, name);
  ok(out[32] == 0x5a, "and no byte more");
  free(copy);
}

static const struct {
  size_t length;
  const char *digest;
} patterns[] = {
  {1, "69c322e3248a5dfc29d73c5b0553b0185a35cd5bb6386747517ef7e53b15e287"},
  {31, "8522dc30be01c01348c0591309ac2948c9ae4ce02facbb745f85a5297286d3dd"},
  {32, "04d1b47ed3b04c5ff6a0280293cb2ab55bd297c9c2e0c3449831b419285d7df2"},
  {64, "0251cf13aa5b18f1cbda7cddbe85f3dc536fc93df590c2d20ca9b28af1ed2c39"},
  {135, "00ef96af9cf4b24c7f269d922294444a197d0a33638c2e56634c57e892103a8f"},
  {136, "742061bcad767ed4c4f5883b1dcb1aad11afdcc140dc469d953759b127b9f9ed"},
  {137, "e3371f61e770abf254c34239c3b0099ad90594507415bc81dd0a10b9692bbf2a"},
  {271, "4401c4afbe16ff911bdbf2d38e556e5b861f3fdf0f9d4306b1c46f6ae4f73584"},
  {272, "ac141fd7b0a0ffcd2e967254d508da3ec616596493c36fa304425647d90e6de5"},
  {273, "16192ea86793083e47731cb3c970600f04768414d92bc0540e54ce8607a0fce0"},
  {1000, "80cdc8dd52cbb3dbaea8f383209893fa2bb52efbd5aedbb4b26dcfe307fcdc9b"},
};

int main(void) {
  check("", 0, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470", "the empty string");
  check("abc", 3, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45", "abc");
  static const char fox[] = "The quick brown fox jumps over the lazy dog";
  check(fox, strlen(fox), "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15", "the quick brown fox");
  uint8_t bytes[1000];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(7 * i + 3);
  for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
    char name[40];
    snprintf(name, sizeof name, "%zu bytes", patterns[i].length);
    check(bytes, patterns[i].length, patterns[i].digest, name);
  }
  return done();
}
