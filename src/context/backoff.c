/* SPDX-License-Identifier: MIT
 * Retry delays. */
#include "context/backoff.h"

#include <math.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/clock.h"

#define MAX_EXPONENT 60 /* far beyond any maximum delay, and ldexp stays finite */

double cds_backoff_delay(unsigned retry, double base, double max, double random) {
  double ceiling = ldexp(base, retry < MAX_EXPONENT ? (int)retry : MAX_EXPONENT);
  return random * (ceiling < max ? ceiling : max);
}

double cds_backoff_random(void) {
  uint64_t bits;
  unsigned char bytes[sizeof bits];
  if (RAND_bytes(bytes, sizeof bytes) == 1) memcpy(&bits, bytes, sizeof bits);
  else bits = (uint64_t)cds_clock_mono_ns() * 0x9e3779b97f4a7c15u; /* no entropy: the clock spreads well enough */
  return ldexp((double)(bits >> 11), -53);
}
