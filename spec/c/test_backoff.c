/* SPDX-License-Identifier: MIT
 * Retry delays: exponential, capped, full jitter. */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD is, and is the way to random numbers that are known */
#include "tap.h"

#include <math.h>
#include <openssl/rand.h>

#include "context/backoff.h"

static int all_ones(unsigned char *out, int count) {
  memset(out, 0xff, (size_t)count);
  return 1;
}

static int no_entropy(unsigned char *out, int count) {
  memset(out, 0, (size_t)count);
  return 0;
}

static void test_sources(void) {
  const RAND_METHOD ones = {.bytes = all_ones}, none = {.bytes = no_entropy};
  RAND_set_rand_method(&ones);
  ok(cds_backoff_random() == nextafter(1, 0), "the largest is next to 1");
  RAND_set_rand_method(&none);
  double first = cds_backoff_random();
  bool in_range = first >= 0 && first < 1, differs = false;
  for (int i = 0; i < 100; i++) differs = differs || cds_backoff_random() != first;
  ok(in_range && differs, "without entropy they differ, too");
  RAND_set_rand_method(NULL);
}

int main(void) {
  test_sources();
  const double almost_one = nextafter(1, 0);
  ok(cds_backoff_delay(0, 0.5, 10, 0) == 0, "full jitter begins at 0");
  ok(cds_backoff_delay(0, 0.5, 10, 0.5) == 0.25, "the first retry is within the base");
  ok(cds_backoff_delay(1, 0.5, 10, 0.5) == 0.5, "the second within twice the base");
  ok(cds_backoff_delay(3, 0.5, 10, 0.5) == 2, "the fourth within eight times the base");
  ok(cds_backoff_delay(5, 0.5, 10, 0.5) == 5, "the cap holds");
  ok(cds_backoff_delay(4000000000u, 0.5, 10, 0.5) == 5, "however many retries");
  ok(cds_backoff_delay(9, 0.5, 10, almost_one) < 10, "and is never reached");
  ok(cds_backoff_delay(9, 0, 10, 0.5) == 0, "no base, no delay");
  ok(cds_backoff_delay(0, 20, 10, 0.5) == 5, "a base over the cap is capped");
  bool in_range = true, differs = false, is_large = false, is_small = false;
  double first = cds_backoff_random();
  for (int i = 0; i < 1000; i++) {
    double random = cds_backoff_random();
    in_range = in_range && random >= 0 && random < 1;
    differs = differs || random != first;
    is_large = is_large || random > 0.75;
    is_small = is_small || random < 0.25;
  }
  ok(is_large && is_small, "they come from all of it");
  ok(in_range && differs, "random numbers lie in [0, 1) and differ");
  return done();
}
