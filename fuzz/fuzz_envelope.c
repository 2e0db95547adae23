/* SPDX-License-Identifier: MIT
 * Envelopes: what is accepted is JSON by a second, plain reading of its grammar, is not accepted without its last
 * brace, and points into the text; its reports decode or are refused with a reason. */
#include "base/limits.h"
#include "codec/message.h"
#include "fuzz.h"

/* ---- RFC 8259, one function a rule; NULL: not JSON ---- */

#define DEEPEST 64

static const char *space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
  return at;
}

static const char *string(const char *at, const char *end) {
  if (at == end || *at++ != '"') return NULL;
  while (at < end && *at != '"') {
    if ((unsigned char)*at < ' ') return NULL;
    if (*at++ != '\\') continue;
    if (at == end || strchr("\"\\/bfnrtu", *at) == NULL || *at == 0) return NULL;
    if (*at++ != 'u') continue;
    for (int i = 0; i < 4; i++, at++)
      if (at == end || *at == 0 || strchr("0123456789abcdefABCDEF", *at) == NULL) return NULL;
  }
  return at < end ? at + 1 : NULL;
}

static const char *digits(const char *at, const char *end) {
  const char *start = at;
  while (at < end && *at >= '0' && *at <= '9') at++;
  return at > start ? at : NULL;
}

static const char *number(const char *at, const char *end) {
  if (at < end && *at == '-') at++;
  at = at < end && *at == '0' ? at + 1 : digits(at, end);
  if (at != NULL && at < end && *at == '.') at = digits(at + 1, end);
  if (at == NULL || at == end || (*at != 'e' && *at != 'E')) return at;
  at++;
  if (at < end && (*at == '+' || *at == '-')) at++;
  return digits(at, end);
}

static const char *value(const char *at, const char *end, int depth);

/* The members or elements up to the closing character. */
static const char *items(const char *at, const char *end, char close, int depth) {
  at = space(at, end);
  if (at < end && *at == close) return at + 1;
  for (;;) {
    if (close == '}') {
      at = string(space(at, end), end);
      at = at != NULL ? space(at, end) : end;
      if (at == end || *at++ != ':') return NULL;
    }
    at = value(at, end, depth);
    at = at != NULL ? space(at, end) : end;
    if (at == end) return NULL;
    if (*at == close) return at + 1;
    if (*at++ != ',') return NULL;
  }
}

static const char *value(const char *at, const char *end, int depth) {
  static const char *const words[] = {"true", "false", "null"};
  at = space(at, end);
  if (at == end || depth == 0) return NULL;
  if (*at == '{') return items(at + 1, end, '}', depth - 1);
  if (*at == '[') return items(at + 1, end, ']', depth - 1);
  if (*at == '"') return string(at, end);
  for (size_t i = 0; i < 3; i++)
    if ((size_t)(end - at) >= strlen(words[i]) && memcmp(at, words[i], strlen(words[i])) == 0)
      return at + strlen(words[i]);
  return number(at, end);
}

static bool is_json(const char *text, size_t size) {
  const char *after = value(text, text + size, DEEPEST);
  return after != NULL && space(after, text + size) == text + size;
}

/* ---- the envelopes ---- */

static void check_envelope(const struct cds_envelope *envelope, const char *text, size_t size) {
  struct cds_report *report;
  struct cds_error err;
  MUST(envelope->full_report > text && envelope->full_report_length < size &&
       envelope->full_report + envelope->full_report_length < text + size);
  enum cds_status status = cds_envelope_report(&report, envelope, &err);
  if (status != CDS_OK) {
    fuzz_check_error(&err, status);
    MUST(report == NULL && status == CDS_E_DECODE && err.has_offset);
    return;
  }
  MUST(cds_feed_id_compare(&report->feed_id, &envelope->feed_id) == 0);
  if (envelope->has_observations_timestamp)
    MUST(report->observations_timestamp == (uint32_t)envelope->observations_timestamp);
  cds_report_unref(report);
}

static void check_failure(enum cds_status status, const struct cds_error *err, size_t size) {
  fuzz_check_error(err, status);
  MUST(status == CDS_E_DECODE && err->has_offset && err->offset <= size && err->expected[0] != 0);
}

static size_t last_brace(const char *text, size_t size) {
  while (size > 0 && text[size - 1] != '}') size--;
  return size > 0 ? size - 1 : 0;
}

/* The characters of a full report are looked at when it is decoded, not before. */
static bool is_looked_at(const struct cds_envelope *envelope) {
  for (size_t i = 0; i < envelope->full_report_length; i++)
    if ((unsigned char)envelope->full_report[i] < ' ' || envelope->full_report[i] == '\\') return false;
  return true;
}

static void one(const char *text, size_t size) {
  struct cds_envelope envelope;
  struct cds_error err;
  enum cds_status status = cds_envelope_parse(&envelope, text, size, &err);
  if (status != CDS_OK) {
    check_failure(status, &err, size);
    return;
  }
  MUST(is_json(text, size) || !is_looked_at(&envelope));
  check_envelope(&envelope, text, size);
  MUST(cds_envelope_parse(&envelope, text, last_brace(text, size), &err) == CDS_E_DECODE);
}

static void list(const char *text, size_t size) {
  struct cds_envelope_list envelopes;
  struct cds_error err;
  enum cds_status status = cds_envelope_list_parse(&envelopes, text, size, &err);
  if (status != CDS_OK) {
    check_failure(status, &err, size);
    MUST(envelopes.items == NULL && envelopes.count == 0);
    return;
  }
  bool looked_at = true;
  for (size_t i = 0; i < envelopes.count; i++) {
    check_envelope(&envelopes.items[i], text, size);
    looked_at = looked_at && is_looked_at(&envelopes.items[i]);
  }
  MUST(is_json(text, size) || !looked_at);
  cds_envelope_list_clear(&envelopes);
  MUST(cds_envelope_list_parse(&envelopes, text, last_brace(text, size), &err) == CDS_E_DECODE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = fuzz_copy(data, size);
  one(text, size);
  list(text, size);
  free(text);
  return 0;
}
