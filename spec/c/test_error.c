/* SPDX-License-Identifier: MIT
 * Error messages: kinds, escapes, cutting. */
#include "base/error.h"

#include <wchar.h>

#include "tap.h"

static void test_kinds(void) {
  is_string(cds_status_kind(CDS_OK), "", "CDS_OK has no kind");
  is_string(cds_status_kind(CDS_E_DECODE), "DecodeError", "the kind of a decode error");
  is_string(cds_status_kind(CDS_E_RATE_LIMIT), "RateLimitError", "the kind of a rate limit error");
  is_string(cds_status_kind((enum cds_status)99), "", "an unknown status has no kind");
  is_string(cds_status_kind(CDS_STATUS_COUNT), "", "nor has the number behind the last");
  is_string(cds_status_kind((enum cds_status)(CDS_STATUS_COUNT - 1)), "FileError", "the last has");
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
  cds_error_set(&err, (enum cds_status)99, "no");
  ok(!err.retryable, "nor is an unknown one");
  cds_error_set(&err, CDS_E_API, "before %lc", (wint_t)0x20ac);
  is_string(err.message, "", "what cannot be formatted is no text");
  cds_error_decode(&err, 5, "", "before %lc", (wint_t)0x20ac);
  is_string(err.message, " at byte 5", "here too");
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

/* Writes a code point as UTF-8 would, also where UTF-8 has none. */
static size_t encode(char out[5], uint32_t point, size_t length) {
  static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (size_t i = length - 1; i > 0; i--, point >>= 6) out[i] = (char)(0x80 | (point & 0x3f));
  out[0] = (char)(leads[length] | point);
  out[length] = 0;
  return length;
}

/* Is the message that text alone, or that text with each byte escaped? */
static bool is_kept(const char *text, bool kept) {
  struct cds_error err;
  char escaped[4 * 4 + 1];
  for (size_t i = 0; i < strlen(text); i++) snprintf(escaped + 4 * i, 5, "\\x%02x", (unsigned char)text[i]);
  escaped[4 * strlen(text)] = 0;
  cds_error_set(&err, CDS_E_API, "%s", text);
  return strcmp(err.message, kept ? text : escaped) == 0;
}

/* All code points to 0x11fff, then some of each row up to beyond the last there is, and all near the borders. */
static void test_code_points(void) {
  bool good = true, overlong = true;
  char text[5];
  for (uint32_t point = 0x80; point < 0x140000; point += point < 0x12000 || point % 0x1000 > 0xffa ? 1 : 5) {
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    bool printable = point >= 0xa0 && (point < 0xd800 || point > 0xdfff) && point <= 0x10ffff;
    encode(text, point, length);
    good = good && is_kept(text, printable);
    if (length == 4) continue;
    encode(text, point, length + 1);
    overlong = overlong && is_kept(text, false);
  }
  ok(good, "every code point but the controls and the surrogates stays");
  ok(overlong, "and none that is written longer than it must be");
  for (uint32_t byte = 1; byte < 0x80; byte++) {
    encode(text, byte, 1);
    text[0] = (char)byte;
    good = good && is_kept(text, byte >= 0x20 && byte != 0x7f);
    encode(text, byte, 2);
    overlong = overlong && is_kept(text, false);
  }
  ok(good && overlong, "ASCII alike");
}

/* A sequence whose byte number `at` is replaced by one that cannot be there. */
static void test_broken_sequences(void) {
  static const char *const sequences[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
  bool good = true;
  for (size_t i = 0; i < 3; i++) {
    for (size_t at = 1; at < i + 2; at++) {
      for (unsigned c = 1; c < 256; c += c < 0x80 || c > 0xbf ? 1 : 0x40) {
        char text[5];
        if (c >= 0x80 && c <= 0xbf) continue;
        struct cds_error err;
        memcpy(text, sequences[i], i + 3);
        text[at] = (char)c;
        cds_error_set(&err, CDS_E_API, "%s", text);
        good = good && strncmp(err.message, "\\x", 2) == 0;
      }
    }
  }
  ok(good, "a sequence with a byte that goes on no sequence is escaped");
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
      size_t room = sizeof err.message - 4, kept = length % 2 ? room / 4 * 4 : room;
      marked = marked && got == kept + 3 && strcmp(err.message + got - 3, "...") == 0;
    }
  }
  ok(ended, "a long message ends within its array");
  ok(marked, "and a cut one in three dots, behind all that has room");
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
  cds_error_decode(&err, 7, "end", "%s", text);
  ok(strcmp(err.expected, "end") == 0 && strcmp(err.message + strlen(err.message) - 3, "...") == 0, "long words too");
  cds_error_decode(&err, 7, text, "%s", text);
  ok(strlen(err.expected) == sizeof err.expected - 1 && strlen(err.message) < sizeof err.message,
     "long texts are cut to their arrays");
}

int main(void) {
  test_kinds();
  test_set();
  test_escapes();
  test_code_points();
  test_broken_sequences();
  test_cutting();
  test_decode();
  return done();
}
