/* SPDX-License-Identifier: MIT
 * The JSON grammar. */
#include "codec/scan.h"

#include <string.h>

#include "codec/abi.h"

void cds_scan_init(struct cds_scan *scan, const char *text, size_t length, struct cds_error *err) {
  if (!text) text = ""; /* an empty buffer has no memory */
  *scan = (struct cds_scan){.start = text, .at = text, .end = text + length, .err = err};
}

enum cds_status cds_scan_fail(struct cds_scan *scan, const char *expected) {
  const char *what = scan->at < scan->end ? "JSON" : "JSON ends";
  return cds_error_decode(scan->err, (size_t)(scan->at - scan->start), expected, "%s", what);
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The service sends none: it is seen at once that there is none. */
static inline void skip_space(struct cds_scan *scan) {
  if (scan->at < scan->end && (unsigned char)*scan->at > ' ') return;
  while (scan->at < scan->end && is_space(*scan->at)) scan->at++;
}

static inline bool accept(struct cds_scan *scan, char c) {
  skip_space(scan);
  if (scan->at == scan->end || *scan->at != c) return false;
  scan->at++;
  return true;
}

bool cds_scan_accept(struct cds_scan *scan, char c) {
  return accept(scan, c);
}

enum cds_status cds_scan_expect(struct cds_scan *scan, char c, const char *expected) {
  return accept(scan, c) ? CDS_OK : cds_scan_fail(scan, expected);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_at_digit(const struct cds_scan *scan) {
  return scan->at < scan->end && is_digit(*scan->at);
}

static bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Reads what follows a backslash. */
static enum cds_status skip_escape(struct cds_scan *scan) {
  if (scan->at == scan->end || *scan->at == 0 || !strchr("\"\\/bfnrtu", *scan->at))
    return cds_scan_fail(scan, "an escape sequence");
  if (*scan->at++ != 'u') return CDS_OK;
  for (int i = 0; i < 4; i++, scan->at++)
    if (scan->at == scan->end || !is_hex_digit(*scan->at)) return cds_scan_fail(scan, "four hex digits after \\u");
  return CDS_OK;
}

/* Eight bytes, the first the lowest; as cds_load_u64 it is one load. */
static uint64_t load_le64(const char *text) {
  return __builtin_bswap64(cds_load_u64((const uint8_t *)text));
}

#define EACH(byte) (UINT64_MAX / 255 * (byte)) /* that byte eight times */

/* Where in a string, or at its end, a character stands first that is not simply one of it: a quote, a backslash, one
 * below 0x20. Eight at a time: what is subtracted carries into a byte's highest bit where the byte was smaller, and
 * further up at most, so that the lowest such bit tells. */
static const char *skip_plain(const char *at, const char *end) {
  for (; end - at >= 8; at += 8) {
    uint64_t eight = load_le64(at), quote = eight ^ EACH('"'), slash = eight ^ EACH('\\');
    uint64_t marks = ((eight - EACH(0x20)) & ~eight) | ((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash);
    marks &= EACH(0x80);
    if (marks != 0) return at + __builtin_ctzll(marks) / 8;
  }
  while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\') at++;
  return at;
}

/* Reads a string whose opening quote has been read. */
static enum cds_status string_rest(struct cds_slice *out, struct cds_scan *scan) {
  out->text = scan->at;
  while ((scan->at = skip_plain(scan->at, scan->end)) < scan->end) {
    if (*scan->at == '"') {
      out->length = (size_t)(scan->at++ - out->text);
      return CDS_OK;
    }
    if (*scan->at != '\\') return cds_scan_fail(scan, "no control character in a string");
    scan->at++;
    enum cds_status status = skip_escape(scan);
    if (status != CDS_OK) return status;
  }
  return cds_scan_fail(scan, "the end of a string");
}

enum cds_status cds_scan_member(bool *more, struct cds_slice *name, bool *first, struct cds_scan *scan) {
  *more = false;
  if (accept(scan, '}')) return CDS_OK;
  if (!*first && !accept(scan, ',')) return cds_scan_fail(scan, "',' or '}'");
  *first = false;
  if (!accept(scan, '"')) return cds_scan_fail(scan, "a member's name");
  enum cds_status status = string_rest(name, scan);
  if (status != CDS_OK) return status;
  *more = true;
  return cds_scan_expect(scan, ':', "':'");
}

enum cds_status cds_scan_element(bool *more, bool *first, struct cds_scan *scan) {
  *more = false;
  if (accept(scan, ']')) {
    return CDS_OK;
  }
  if (!*first && !accept(scan, ',')) return cds_scan_fail(scan, "',' or ']'");
  *first = false;
  *more = true;
  return CDS_OK;
}

enum cds_status cds_scan_hex(struct cds_slice *out, struct cds_scan *scan, const char *expected) {
  skip_space(scan);
  if (scan->end - scan->at < 3 || memcmp(scan->at, "\"0x", 3) != 0) return cds_scan_fail(scan, expected);
  const char *text = scan->at + 3;
  const char *quote = memchr(text, '"', (size_t)(scan->end - text));
  if (!quote) {
    scan->at = scan->end;
    return cds_scan_fail(scan, "the end of a string");
  }
  /* A backslash right before the quote would mean that the string goes on; any other one is no hex digit. */
  if (quote[-1] == '\\') {
    scan->at = quote - 1;
    return cds_scan_fail(scan, "a hex digit");
  }
  *out = (struct cds_slice){.text = text, .length = (size_t)(quote - text)};
  scan->at = quote + 1;
  return CDS_OK;
}

/* Reads a word such as null when it is next. */
static bool accept_word(struct cds_scan *scan, const char *word, size_t length) {
  if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0) return false;
  scan->at += length;
  return true;
}

/* An integer up to most, or null. */
static enum cds_status scan_whole(bool *has, uint64_t *out, uint64_t most, const char *expected,
                                  struct cds_scan *scan) {
  skip_space(scan);
  *has = false;
  *out = 0;
  if (accept_word(scan, "null", 4)) return CDS_OK;
  const char *at = scan->at;
  uint64_t value = 0;
  bool fits = true;
  for (; fits && at < scan->end && is_digit(*at); at++) {
    uint64_t digit = (uint64_t)(*at - '0');
    fits = value < most / 10 || (value == most / 10 && digit <= most % 10);
    value = 10 * value + digit;
  }
  bool leading_zero = at - scan->at > 1 && *scan->at == '0';
  bool goes_on = at < scan->end && (is_digit(*at) || *at == '.' || *at == 'e' || *at == 'E');
  if (at == scan->at || leading_zero || goes_on || !fits) return cds_scan_fail(scan, expected);
  scan->at = at;
  *has = true;
  *out = value;
  return CDS_OK;
}

enum cds_status cds_scan_uint32(bool *has, int64_t *out, struct cds_scan *scan) {
  uint64_t value;
  enum cds_status status = scan_whole(has, &value, UINT32_MAX, "an integer from 0 to 4294967295", scan);
  *out = (int64_t)value;
  return status;
}

enum cds_status cds_scan_uint64(bool *has, uint64_t *out, struct cds_scan *scan) {
  return scan_whole(has, out, UINT64_MAX, "an integer from 0 to 18446744073709551615", scan);
}

static enum cds_status skip_digits(struct cds_scan *scan) {
  if (!is_at_digit(scan)) return cds_scan_fail(scan, "a digit");
  while (is_at_digit(scan)) scan->at++;
  return CDS_OK;
}

static enum cds_status skip_number(struct cds_scan *scan) {
  accept_word(scan, "-", 1);
  enum cds_status status = CDS_OK;
  if (!accept_word(scan, "0", 1)) status = skip_digits(scan);
  if (status == CDS_OK && accept_word(scan, ".", 1)) status = skip_digits(scan);
  if (status == CDS_OK && (accept_word(scan, "e", 1) || accept_word(scan, "E", 1))) {
    if (!accept_word(scan, "+", 1)) accept_word(scan, "-", 1);
    status = skip_digits(scan);
  }
  return status;
}

static enum cds_status skip_object(struct cds_scan *scan, unsigned depth) {
  bool more = true, first = true;
  while (more) {
    struct cds_slice name;
    enum cds_status status = cds_scan_member(&more, &name, &first, scan);
    if (status == CDS_OK && more) status = cds_scan_skip(scan, depth);
    if (status != CDS_OK) return status;
  }
  return CDS_OK;
}

static enum cds_status skip_array(struct cds_scan *scan, unsigned depth) {
  bool more = true, first = true;
  while (more) {
    enum cds_status status = cds_scan_element(&more, &first, scan);
    if (status == CDS_OK && more) status = cds_scan_skip(scan, depth);
    if (status != CDS_OK) return status;
  }
  return CDS_OK;
}

enum cds_status cds_scan_skip(struct cds_scan *scan, unsigned depth) {
  skip_space(scan);
  char c = scan->at < scan->end ? *scan->at : '\0';
  if (c == '{' || c == '[') {
    if (depth == 0) return cds_scan_fail(scan, "less nesting");
    scan->at++;
    return c == '{' ? skip_object(scan, depth - 1) : skip_array(scan, depth - 1);
  }
  if (c == '"') {
    struct cds_slice ignored;
    scan->at++;
    return string_rest(&ignored, scan);
  }
  if (c == '-' || is_at_digit(scan)) return skip_number(scan);
  if (accept_word(scan, "true", 4) || accept_word(scan, "false", 5) || accept_word(scan, "null", 4)) return CDS_OK;
  return cds_scan_fail(scan, "a value");
}

enum cds_status cds_scan_end(struct cds_scan *scan) {
  skip_space(scan);
  return scan->at == scan->end ? CDS_OK : cds_scan_fail(scan, "nothing after the object");
}
