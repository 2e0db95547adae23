/* SPDX-License-Identifier: MIT
 * Keccak-f[1600] and the sponge of Keccak-256 (rate 136, padding 0x01 … 0x80), after the Keccak reference,
 * https://keccak.team/files/Keccak-reference-3.0.pdf. */
#include "crypto/keccak.h"

#include <string.h>

#define ROUNDS 24
#define LANES 25
#define RATE 136

static const uint64_t round_constants[ROUNDS] = {
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
  0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
  0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
  0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
  0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* Lane positions along the walk of rho and pi, and how far each step turns: lane (x, y), kept at x + 5 y, moves to
 * (y, 2x + 3y), starting from (1, 0); step t turns by (t + 1)(t + 2) / 2. */
static const uint8_t walk[ROUNDS] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                     15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
static const uint8_t turns[ROUNDS] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                      27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};

static inline uint64_t rotate(uint64_t lane, unsigned by) {
  return lane << by | lane >> (64 - by);
}

static inline void theta(uint64_t a[LANES]) {
  uint64_t column[5];
#pragma GCC unroll 5
  for (size_t x = 0; x < 5; x++) column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma GCC unroll 5
  for (size_t x = 0; x < 5; x++) {
    uint64_t parity = column[(x + 4) % 5] ^ rotate(column[(x + 1) % 5], 1);
#pragma GCC unroll 5
    for (size_t y = 0; y < LANES; y += 5) a[x + y] ^= parity;
  }
}

static inline void rho_pi(uint64_t a[LANES]) {
  uint64_t carried = a[1];
#pragma GCC unroll 24
  for (size_t t = 0; t < ROUNDS; t++) {
    uint64_t lane = a[walk[t]];
    a[walk[t]] = rotate(carried, turns[t]);
    carried = lane;
  }
}

static inline void chi(uint64_t a[LANES]) {
#pragma GCC unroll 5
  for (size_t y = 0; y < LANES; y += 5) {
    const uint64_t row[5] = {a[y], a[y + 1], a[y + 2], a[y + 3], a[y + 4]};
#pragma GCC unroll 5
    for (size_t x = 0; x < 5; x++) a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
  }
}

static void permute(uint64_t a[LANES]) {
  for (size_t round = 0; round < ROUNDS; round++) {
    theta(a);
    rho_pi(a);
    chi(a);
    a[0] ^= round_constants[round];
  }
}

static void absorb(uint64_t a[LANES], const uint8_t block[RATE]) {
  for (size_t i = 0; i < RATE; i++) a[i / 8] ^= (uint64_t)block[i] << 8 * (i % 8);
  permute(a);
}

void cds_keccak256(uint8_t out[32], const void *data, size_t length) {
  uint64_t a[LANES] = {0};
  const uint8_t *bytes = data;
  for (; length >= RATE; length -= RATE, bytes += RATE) absorb(a, bytes);
  uint8_t last[RATE] = {0};
  if (length > 0) memcpy(last, bytes, length);
  last[length] = 0x01;
  last[RATE - 1] |= 0x80;
  absorb(a, last);
  for (size_t i = 0; i < 32; i++) out[i] = (uint8_t)(a[i / 8] >> 8 * (i % 8));
}
