/* SPDX-License-Identifier: MIT
 * Objects of the stream of trades, and the token that it wants. */
#include "codec/trade.h"

#include <string.h>

#include "codec/scan.h"

#define LATEST_TIME ((uint64_t)1 << 53)

/* ---- values ---- */

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_visible(const struct cds_slice *slice) {
  for (size_t i = 0; i < slice->length; i++)
    if (slice->text[i] <= ' ' || slice->text[i] > '~' || slice->text[i] == '\\') return false;
  return slice->length > 0;
}

/* The value that is next, as it stands. */
static enum cds_status scan_value(struct cds_slice *out, struct cds_scan *scan) {
  while (scan->at < scan->end && is_space(*scan->at)) scan->at++;
  out->text = scan->at;
  enum cds_status status = cds_scan_skip(scan, CDS_MAX_JSON_DEPTH);
  out->length = (size_t)(scan->at - out->text);
  return status;
}

/* A text of visible ASCII without escapes, between its quotes. */
static enum cds_status scan_text(struct cds_slice *out, size_t size, struct cds_scan *scan, const char *expected) {
  enum cds_status status = scan_value(out, scan);
  if (status != CDS_OK) return status;
  bool is_text = out->text[0] == '"';
  scan->at = out->text; /* where it is wrong */
  *out = (struct cds_slice){out->text + 1, out->length < 2 ? 0 : out->length - 2};
  if (!is_text || !is_visible(out) || out->length >= size) return cds_scan_fail(scan, expected);
  scan->at = out->text + out->length + 1;
  return CDS_OK;
}

static void copy(char *out, const struct cds_slice *slice) {
  memcpy(out, slice->text, slice->length);
  out[slice->length] = 0;
}

static enum cds_status scan_copy(char out[CDS_TRADE_TEXT], struct cds_scan *scan, const char *expected) {
  struct cds_slice text;
  if (*out != 0) return cds_scan_fail(scan, "each member once");
  enum cds_status status = scan_text(&text, CDS_TRADE_TEXT, scan, expected);
  if (status == CDS_OK) copy(out, &text);
  return status;
}

static enum cds_status scan_price(char out[CDS_TRADE_TEXT], struct cds_scan *scan) {
  static const char expected[] = "a number of up to 71 characters, its exponent up to 99";
  struct cds_slice number;
  if (*out != 0) return cds_scan_fail(scan, "each member once");
  enum cds_status status = scan_value(&number, scan);
  if (status != CDS_OK) return status;
  scan->at = number.text;
  bool is_number = number.text[0] == '-' || (number.text[0] >= '0' && number.text[0] <= '9');
  if (!is_number || number.length >= CDS_TRADE_TEXT) return cds_scan_fail(scan, expected);
  copy(out, &number);
  size_t exponent = strcspn(out, "eE"), digits = exponent;
  if (exponent < number.length) digits += 1 + strspn(out + exponent + 1, "+-");
  if (number.length - digits > 2 && exponent < number.length) return cds_scan_fail(scan, expected);
  scan->at = number.text + number.length;
  return CDS_OK;
}

static enum cds_status scan_time(bool *has, int64_t *out, struct cds_scan *scan) {
  uint64_t value;
  const char *start = scan->at;
  if (*has) return cds_scan_fail(scan, "each member once");
  enum cds_status status = cds_scan_uint64(has, &value, scan);
  if (status != CDS_OK) return status;
  *out = (int64_t)value;
  if (*has && value <= LATEST_TIME) return CDS_OK;
  scan->at = start;
  return cds_scan_fail(scan, "whole seconds up to 2^53");
}

static bool is(const struct cds_slice *name, const char *text) {
  return cds_slice_is(name, text, strlen(text));
}

/* ---- an object ---- */

struct object {
  struct cds_trade trade;
  char kind[CDS_TRADE_TEXT];
  bool has_time, has_heartbeat;
};

static enum cds_status scan_member_of_trade(struct object *object, const struct cds_slice *name,
                                            struct cds_scan *scan) {
  struct cds_trade *trade = &object->trade;
  struct cds_slice ignored;
  if (is(name, "f")) return scan_copy(object->kind, scan, "the kind as a text");
  if (is(name, "i")) return scan_copy(trade->symbol, scan, "a symbol as a text");
  if (is(name, "fid")) return scan_copy(trade->feed_id, scan, "a feed id as a text");
  if (is(name, "p")) return scan_price(trade->price, scan);
  if (is(name, "t")) return scan_time(&object->has_time, &trade->time, scan);
  if (is(name, "heartbeat")) object->has_heartbeat = true;
  return scan_value(&ignored, scan);
}

static enum cds_status judge(enum cds_trade_kind *kind, struct cds_trade *out, const struct object *object,
                             struct cds_scan *scan) {
  *kind = object->has_heartbeat ? CDS_TRADE_HEARTBEAT : CDS_TRADE_OTHER;
  if (object->has_heartbeat) return object->kind[0] == 0 ? CDS_OK : cds_scan_fail(scan, "a heartbeat alone");
  if (object->kind[0] == 0) return cds_scan_fail(scan, "the member f, or heartbeat");
  if (strcmp(object->kind, "t") != 0) return CDS_OK;
  if (object->trade.symbol[0] == 0) return cds_scan_fail(scan, "the member i, a symbol");
  if (object->trade.price[0] == 0) return cds_scan_fail(scan, "the member p, a price");
  if (!object->has_time) return cds_scan_fail(scan, "the member t, a time");
  *kind = CDS_TRADE_PRICE;
  *out = object->trade;
  return CDS_OK;
}

enum cds_status cds_trade_parse(enum cds_trade_kind *kind, struct cds_trade *out, const char *text, size_t length,
                                struct cds_error *err) {
  struct cds_scan scan;
  struct object object = {0};
  bool more = true, first = true;
  *kind = CDS_TRADE_OTHER;
  cds_scan_init(&scan, text, length, err);
  enum cds_status status = cds_scan_expect(&scan, '{', "an object");
  while (status == CDS_OK && more) {
    struct cds_slice name;
    status = cds_scan_member(&more, &name, &first, &scan);
    if (status == CDS_OK && more) status = scan_member_of_trade(&object, &name, &scan);
  }
  if (status == CDS_OK) status = cds_scan_end(&scan);
  return status == CDS_OK ? judge(kind, out, &object, &scan) : status;
}

/* ---- the stream ---- */

void cds_trade_reader_reset(struct cds_trade_reader *reader) {
  reader->length = 0;
  reader->depth = 0;
  reader->in_string = reader->is_escaped = false;
}

static void follow(struct cds_trade_reader *reader, char c) {
  if (reader->is_escaped) reader->is_escaped = false;
  else if (reader->in_string) {
    reader->is_escaped = c == '\\';
    reader->in_string = c != '"';
  } else if (c == '"') reader->in_string = true;
  else if (c == '{') reader->depth++;
  else if (c == '}') reader->depth--;
}

size_t cds_trade_read(bool *whole, struct cds_trade_reader *reader, const char *data, size_t length,
                      struct cds_error *err) {
  *whole = false;
  cds_error_clear(err);
  if (reader->depth == 0) reader->length = 0; /* the object before */
  for (size_t i = 0; i < length; i++) {
    if (reader->depth == 0 && is_space(data[i])) continue;
    if (reader->depth == 0 && data[i] != '{') {
      cds_error_decode(err, i, "an object", "the stream of trades");
      return i;
    }
    if (reader->length == sizeof reader->text) {
      cds_error_set(err, CDS_E_DECODE, "the stream of trades has an object of more than %d bytes", CDS_MAX_TRADE_BYTES);
      return i;
    }
    reader->text[reader->length++] = data[i];
    follow(reader, data[i]);
    if (reader->depth != 0) continue;
    *whole = true;
    return i + 1;
  }
  return length;
}

/* ---- the token ---- */

static enum cds_status scan_data(struct cds_trade_token *out, struct cds_scan *scan) {
  bool more = true, first = true, has_end = false;
  struct cds_slice name, value;
  enum cds_status status = cds_scan_expect(scan, '{', "the object d");
  while (status == CDS_OK && more) {
    status = cds_scan_member(&more, &name, &first, scan);
    if (status != CDS_OK || !more) break;
    if (is(&name, "access_token") && out->text[0] == 0) {
      status = scan_text(&value, sizeof out->text, scan, "an access_token");
      if (status == CDS_OK) copy(out->text, &value);
    } else if (is(&name, "expiration")) status = scan_time(&has_end, &out->expiration, scan);
    else status = scan_value(&value, scan);
  }
  if (status == CDS_OK && (out->text[0] == 0 || !has_end))
    status = cds_scan_fail(scan, "access_token and expiration in d");
  return status;
}

enum cds_status cds_trade_token_parse(struct cds_trade_token *out, const char *text, size_t length,
                                      struct cds_error *err) {
  struct cds_scan scan;
  struct cds_slice name, value = {0};
  bool more = true, first = true, is_good = false;
  out->text[0] = 0;
  cds_scan_init(&scan, text, length, err);
  enum cds_status status = cds_scan_expect(&scan, '{', "an object");
  while (status == CDS_OK && more) {
    status = cds_scan_member(&more, &name, &first, &scan);
    if (status != CDS_OK || !more) break;
    if (is(&name, "d") && out->text[0] == 0) status = scan_data(out, &scan);
    else if (is(&name, "s")) {
      status = scan_text(&value, CDS_TRADE_TEXT, &scan, "\"ok\"");
      is_good = status == CDS_OK && is(&value, "ok");
    } else status = scan_value(&value, &scan);
  }
  if (status == CDS_OK) status = cds_scan_end(&scan);
  if (status == CDS_OK && !is_good) status = cds_scan_fail(&scan, "an answer with s = \"ok\"");
  if (status == CDS_OK && out->text[0] == 0) status = cds_scan_fail(&scan, "the object d with a token");
  return status;
}
