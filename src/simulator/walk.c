/* SPDX-License-Identifier: MIT
 * Midpoint displacement over dyadic intervals: the ends of a block of 2^24 seconds are drawn by hash, and each halving
 * moves the middle by a hashed amount that shrinks by the square root of two, as a Brownian bridge does. */
#include "simulator/walk.h"

#define BLOCK_BITS 34            /* 2^24 seconds, about 194 days, of 2^10 steps */
#define ANCHOR 200000000000LL    /* block ends lie within 20 % of the centre */
#define EVEN_LEVEL 80000000000LL /* largest move of a block's middle: 8 % */
#define ODD_LEVEL 56568542495LL  /* EVEN_LEVEL / sqrt(2) */

static uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

uint64_t cds_sim_hash(uint64_t a, uint64_t b) {
  return mix(mix(a) ^ (b * 0xd1342543de82ef95u));
}

/* amplitude times a hashed number from -1 to 1 */
static int64_t displacement(uint64_t key, uint64_t position, int64_t amplitude) {
  int64_t fraction = (int64_t)(cds_sim_hash(key, position) >> 40) - (1 << 23);
  return amplitude * fraction / (1 << 23);
}

static int64_t amplitude(unsigned level) {
  return (level % 2 ? ODD_LEVEL : EVEN_LEVEL) >> (level / 2);
}

int64_t cds_sim_walk(uint64_t key, uint64_t position) {
  uint64_t start = position >> BLOCK_BITS << BLOCK_BITS, half = (uint64_t)1 << (BLOCK_BITS - 1);
  int64_t left = displacement(~key, start, ANCHOR);
  int64_t right = displacement(~key, start + 2 * half, ANCHOR);
  for (unsigned level = 0; start != position; level++, half /= 2) {
    int64_t middle = (left + right) / 2 + displacement(key, start + half, amplitude(level));
    if (position < start + half) {
      right = middle;
    } else {
      left = middle;
      start += half;
    }
  }
  return left;
}
