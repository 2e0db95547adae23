/* SPDX-License-Identifier: MIT
 * The JSON scanner: every character at every place of a string, and the largest integers. */
#include "codec/scan.h"

#include "sample.h"
#include "tap.h"

#define LONGEST 27 /* more than three times what is looked at in one step */

/* Where the string at `text` ends, read one by one; *good: it does, and has nothing wrong before. */
static size_t end_of(const char *text, size_t length, bool *good) {
  size_t at = 1;
  for (*good = false; at < length; at++) {
    unsigned char c = (unsigned char)text[at];
    *good = c == '"';
    if (*good) return at + 1;
    if (c < 0x20) return at;
    if (c != '\\') continue;
    if (++at == length || text[at] != '"') return at; /* the only escape that is made here */
  }
  return at;
}

static bool is_as_said(const char *text, size_t length) {
  struct cds_scan scan;
  struct cds_error err = {0};
  char *copy = sample_exact(text, length);
  bool good, is_good;
  size_t end = end_of(text, length, &good);
  cds_scan_init(&scan, copy, length, &err);
  is_good = cds_scan_skip(&scan, 1) == CDS_OK;
  bool same = is_good == good && (size_t)(scan.at - scan.start) == end && (good || err.offset == end);
  free(copy);
  return same;
}

static void test_strings(void) {
  bool whole = true, cut = true, twice = true;
  for (size_t length = 1; length <= LONGEST; length++) {
    for (size_t at = 1; at <= length; at++) {
      for (int c = 0; c < 256; c++) {
        char text[LONGEST + 2];
        memset(text, 'x', sizeof text);
        text[0] = text[length + 1] = '"';
        text[at] = (char)c;
        whole = whole && is_as_said(text, length + 2);
        cut = cut && is_as_said(text, length + 1);
        text[1] = (char)0x7f;
        text[length] = (char)0xff; /* what carries from here on must not hide or invent anything */
        twice = twice && is_as_said(text, length + 2);
      }
    }
  }
  ok(whole, "every character at every place of a string");
  ok(cut, "and without its end");
  ok(twice, "and between the largest of ASCII and of all");
}

static void integer(const char *text, uint64_t expected) {
  struct cds_scan scan;
  struct cds_error err = {0};
  bool has;
  uint64_t value;
  size_t length = strlen(text);
  char *copy = sample_exact(text, length);
  cds_scan_init(&scan, copy, length, &err);
  bool good = cds_scan_uint64(&has, &value, &scan) == CDS_OK;
  if (expected > 0) ok(good && has && value == expected && scan.at == scan.end, "%s", text);
  else ok(!good && scan.at == scan.start && err.offset == 0, "%s is refused where it begins", text);
  free(copy);
}

static void test_integers(void) {
  integer("9", 9);
  integer("18446744073709551609", UINT64_C(18446744073709551609));
  integer("18446744073709551615", UINT64_MAX);
  integer("18446744073709551616", 0);
  integer("18446744073709551620", 0);
  integer("99999999999999999999", 0);
  integer("184467440737095516150", 0);
  integer("18446744073709551615.5", 0);
  integer("1e3", 0);
  integer("1E3", 0);
  integer("012", 0);
  integer("-1", 0);
}

int main(void) {
  test_strings();
  test_integers();
  return done();
}
