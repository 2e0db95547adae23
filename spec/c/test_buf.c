/* SPDX-License-Identifier: MIT
 * The growable buffer and its limit. */
#include "base/buf.h"

#include "base/alloc.h"
#include "tap.h"

#include <wchar.h>

static void test_growth(void) {
  struct cds_buf buf;
  cds_buf_init(&buf, 1000);
  ok(buf.data == NULL && buf.length == 0, "a new buffer has no memory");
  bool good = true;
  for (int i = 0; i < 1000; i++) good = good && cds_buf_append(&buf, "x", 1) == CDS_OK && buf.data[buf.length] == 0;
  ok(good && buf.length == 1000, "it grows to its limit, always followed by a 0 byte");
  is_number(cds_buf_append(&buf, "y", 1), CDS_E_DECODE, "one byte more is refused");
  is_number(cds_buf_printf(&buf, "%d", 1), CDS_E_DECODE, "and so is one printed character");
  is_number(buf.length, 1000, "nothing was appended then");
  is_number(buf.capacity, 1001, "there is no memory for more");
  is_number(cds_buf_append(&buf, NULL, 0), CDS_OK, "nothing can be appended at the limit");
  cds_buf_reset(&buf);
  ok(buf.length == 0 && buf.data && buf.data[0] == 0, "reset empties it and keeps the memory");
  cds_buf_clear(&buf);
  ok(buf.data == NULL && buf.limit == 1000, "clear frees the memory and keeps the limit");
}

static void test_printf(void) {
  struct cds_buf buf;
  cds_buf_init(&buf, 10000);
  is_number(cds_buf_printf(&buf, "%s", ""), CDS_OK, "an empty text is printed");
  is_string(buf.data ? buf.data : "(null)", "", "and gives an empty string");
  is_number(cds_buf_printf(&buf, "a=%d", 5), CDS_OK, "printf appends");
  is_number(cds_buf_printf(&buf, "%0300d", 7), CDS_OK, "a long one makes it grow");
  is_number(buf.length, 303, "to the right length");
  ok(memcmp(buf.data, "a=5000", 6) == 0 && buf.data[302] == '7', "with the right text");
  is_number(cds_buf_printf(&buf, "%lc", (wint_t)0x20ac), CDS_E_MEMORY, "what this locale has no character for is not");
  is_number(buf.length, 303, "and appends nothing");
  cds_buf_clear(&buf);
}

static void test_limits(void) {
  struct cds_buf buf;
  static const size_t limits[] = {0, 1, SIZE_MAX / 4 - 1, SIZE_MAX / 4, SIZE_MAX / 4 + 1, SIZE_MAX / 2, SIZE_MAX};
  bool good = true;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    cds_buf_init(&buf, limits[i]);
    good = good && buf.limit == (i < 3 ? limits[i] : SIZE_MAX / 4);
  }
  ok(good, "a limit is at most a quarter of SIZE_MAX");
  cds_buf_init(&buf, 0);
  is_number(cds_buf_append(&buf, "x", 1), CDS_E_DECODE, "a limit of 0 allows nothing");
  cds_buf_init(&buf, SIZE_MAX);
  is_number(cds_buf_append(&buf, "x", SIZE_MAX), CDS_E_DECODE, "a length near SIZE_MAX does not overflow");
  volatile size_t half = SIZE_MAX / 2;
  is_number(cds_buf_append(&buf, "x", half), CDS_E_DECODE, "nor does half of it, which doubling would pass");
  is_number(cds_buf_append(&buf, "x", 1), CDS_OK, "a limit of SIZE_MAX works");
  is_number(cds_buf_append(&buf, "x", SIZE_MAX), CDS_E_DECODE, "also when something is in it");
  for (size_t limit = 253; limit < 258; limit++) {
    struct cds_buf small;
    cds_buf_init(&small, limit);
    good = good && cds_buf_append(&small, "x", 1) == CDS_OK && small.capacity <= limit + 1;
    cds_buf_clear(&small);
  }
  ok(good, "no memory is taken beyond a limit near the first size");
  cds_alloc_fail_after(0);
  char big[1000] = {0};
  is_number(cds_buf_append(&buf, big, sizeof big), CDS_E_MEMORY, "memory running out is told");
  is_number(cds_buf_printf(&buf, "%01000d", 1), CDS_E_MEMORY, "by printf too");
  cds_alloc_fail_after(-1);
  is_string(buf.data, "x", "and the contents stay");
  cds_buf_clear(&buf);
}

int main(void) {
  test_growth();
  test_printf();
  test_limits();
  return done();
}
