/* SPDX-License-Identifier: MIT
 * Two texts of one length that differ have different tags: the input is cut in halves, and seeds that it does not know
 * are tried. */
#include "fuzz.h"
#include "order/seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint64_t seeds[] = {0x0123456789abcdefu, 0xfedcba9876543210u, 0x5851f42d4c957f2du};
  size_t half = size / 2;
  uint8_t *one = fuzz_copy(data, half), *other = fuzz_copy(data + half, half);
  bool differ = memcmp(data, data + half, half) != 0;
  for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
    uint64_t tag = cds_seen_tag(seeds[i], one, half);
    MUST(tag != 0 && (tag != cds_seen_tag(seeds[i], other, half)) == differ);
  }
  free(one);
  free(other);
  return 0;
}
