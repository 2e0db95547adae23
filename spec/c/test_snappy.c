/* SPDX-License-Identifier: MIT
 * Compression: there and back, hostile input, memory; or the error of a build without it. */
#include "codec/snappy.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "sample.h"
#include "tap.h"

static struct cds_error err;

#ifdef CDS_WITH_SNAPPY

static void test_round_trip(void) {
  static char text[20000];
  bool good = true;
  for (size_t length = 0; length <= sizeof text; length = length * 3 + 1) {
    struct cds_buf packed, back;
    sample_random_bytes((uint8_t *)text, length / 2);
    memset(text + length / 2, 'x', length - length / 2);
    cds_buf_init(&packed, 2 * sizeof text);
    cds_buf_init(&back, sizeof text);
    good = good && cds_snappy_compress(&packed, text, length, &err) == CDS_OK &&
           cds_snappy_decompress(&back, packed.data, packed.length, &err) == CDS_OK && back.length == length &&
           (length == 0 || memcmp(back.data, text, length) == 0);
    cds_buf_clear(&packed);
    cds_buf_clear(&back);
  }
  ok(good, "what was compressed comes back");
}

static void refused(const char *data, size_t length, const char *what) {
  struct cds_buf out;
  char *exact = sample_exact(data, length);
  cds_buf_init(&out, 1000);
  cds_error_clear(&err);
  ok(cds_snappy_decompress(&out, exact, length, &err) == CDS_E_DECODE && out.length == 0 && err.message[0],
     "refused: %s", what);
  cds_buf_clear(&out);
  free(exact);
}

static void test_hostile(void) {
  refused("", 0, "nothing");
  refused("\x05", 1, "a length alone");
  refused("\xff\xff\xff\xff\xff\xff", 6, "a length without end");
  refused("\xe9\x07\x00", 3, "1001 bytes where 1000 are allowed");
  refused("\xff\xff\xff\xff\x0f\x00", 6, "4 GiB");
  refused("\x05\x10hell", 6, "a literal that is cut");
  refused("\x05\x01\x01", 3, "a copy from before the beginning");
}

static void test_memory(void) {
  struct cds_buf out;
  cds_buf_init(&out, 1000);
  cds_alloc_fail_after(0);
  enum cds_status to = cds_snappy_compress(&out, "hello", 5, &err);
  enum cds_status back = cds_snappy_decompress(&out, "\x05\x10hello", 7, &err);
  cds_alloc_fail_after(-1);
  ok(to == CDS_E_MEMORY && back == CDS_E_MEMORY, "no memory is an error");
  ok(cds_snappy_decompress(&out, "\x05\x10hello", 7, &err) == CDS_OK && strcmp(out.data, "hello") == 0,
     "bytes by hand");
  cds_buf_clear(&out);
}

int main(void) {
  test_round_trip();
  test_hostile();
  test_memory();
  return done();
}

#else

int main(void) {
  struct cds_buf out;
  cds_buf_init(&out, 1000);
  (void)sample_exact, (void)sample_random;
  is_number(cds_snappy_compress(&out, "hello", 5, &err), CDS_E_CONFIG, "without libsnappy nothing is compressed");
  is_number(cds_snappy_decompress(&out, "\x05\x10hello", 7, &err), CDS_E_CONFIG, "nor decompressed");
  ok(strstr(err.message, "libsnappy") != NULL, "and the error says what is missing");
  return done();
}

#endif
