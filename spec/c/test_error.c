/* SPDX-License-Identifier: MIT
 * Error messages: kinds, escapes, cutting. */
#include "base/error.h"

#include "tap.h"

static void test_kinds(void) {
  is_string(cds_status_kind(CDS_OK), "", "CDS_OK has no kind");
  is_string(cds_status_kind(CDS_E_DECODE), "DecodeError", "the kind of a decode error");
  is_string(cds_status_kind(CDS_E_RATE_LIMIT), "RateLimitError", "the kind of a rate limit error");
  is_string(cds_status_kind((enum cds_status)99), "", "an unknown status has no kind");
}

static void test_set(void) {
  struct cds_error err;
  memset(&err, 0x55, sizeof err);
  is_number(cds_error_set(&err, CDS_E_TIMEOUT, "no answer in %d s", 30), CDS_E_TIMEOUT, "set returns the status");
  is_string(err.message, "no answer in 30 s", "the message is formatted");
  ok(err.retryable && err.status == CDS_E_TIMEOUT, "a timeout is retryable");
  ok(!err.has_offset && !err.has_retry_after && !err.has_clock_skew && err.body[0] == 0 && err.expected[0] == 0 &&
       err.http_status == 0,
     "everything else is cleared");
  cds_error_set(&err, CDS_E_CONFIG, "no");
  ok(!err.retryable, "a configuration error is not");
  is_number(cds_error_set(NULL, CDS_E_API, "%s", "x"), CDS_E_API, "err may be NULL");
  is_number(cds_error_decode(NULL, 1, "", "x"), CDS_E_DECODE, "here too");
  cds_error_clear(&err);
  ok(err.status == CDS_OK && err.message[0] == 0, "clear empties it");
  cds_error_clear(NULL);
}

static void test_escapes(void) {
  struct cds_error err;
  cds_error_set(&err, CDS_E_API, "%s", "a\r\nb\x1b[2J\x7f\t");
  is_string(err.message, "a\\x0d\\x0ab\\x1b[2J\\x7f\\x09", "control characters are escaped");
  cds_error_set(&err, CDS_E_API, "%s", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  is_string(err.message, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "UTF-8 stays");
  cds_error_set(&err, CDS_E_API, "%s", "\xc2\x9b \xff \xc3 \xe2\x82 \xc0\x8a \xed\xa0\x80");
  is_string(err.message, "\\xc2\\x9b \\xff \\xc3 \\xe2\\x82 \\xc0\\x8a \\xed\\xa0\\x80",
            "C1 controls and what is no UTF-8 are escaped");
}

/* Whatever is in the message, it ends within its array. */
static void test_cutting(void) {
  struct cds_error err;
  char text[3000];
  bool ended = true, marked = true, whole = true;
  for (size_t length = 300; length < sizeof text; length++) {
    memset(text, length % 2 ? '\n' : 'x', length);
    text[length] = 0;
    cds_error_set(&err, CDS_E_API, "%s", text);
    size_t got = strnlen(err.message, sizeof err.message);
    size_t full = length * (length % 2 ? 4 : 1);
    ended = ended && got < sizeof err.message;
    if (full <= sizeof err.message - 4) {
      whole = whole && got == full;
    } else {
      marked = marked && got >= 3 && strcmp(err.message + got - 3, "...") == 0;
    }
  }
  ok(ended, "a long message ends within its array");
  ok(marked, "and a cut one ends in three dots");
  ok(whole, "and one that fits is whole");
  memset(text, 0, sizeof text);
  for (size_t i = 0; i + 3 < 600; i += 3) memcpy(text + i, "\xe2\x82\xac", 3);
  cds_error_set(&err, CDS_E_API, "%s", text);
  is_number((strlen(err.message) - 3) % 3, 0, "no UTF-8 sequence is cut in two");
}

static void test_decode(void) {
  struct cds_error err;
  is_number(cds_error_decode(&err, 352, "a digit", "field %s", "bid"), CDS_E_DECODE, "a decode error");
  is_string(err.message, "field bid at byte 352: expected a digit", "its message");
  is_string(err.expected, "a digit", "what was expected");
  ok(err.has_offset && err.offset == 352 && !err.retryable, "its offset");
  cds_error_decode(&err, 7, "", "nothing");
  is_string(err.message, "nothing at byte 7", "an expectation can be missing");
  char text[2000];
  memset(text, 'y', sizeof text - 1);
  text[sizeof text - 1] = 0;
  cds_error_decode(&err, 7, text, "%s", text);
  ok(strlen(err.expected) == sizeof err.expected - 1 && strlen(err.message) < sizeof err.message,
     "long texts are cut to their arrays");
}

int main(void) {
  test_kinds();
  test_set();
  test_escapes();
  test_cutting();
  test_decode();
  return done();
}
