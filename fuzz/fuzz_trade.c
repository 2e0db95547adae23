/* SPDX-License-Identifier: MIT
 * The stream of trades, put together from pieces and read, and the token before it.
 * Input: the length of a piece, then what the service tells. */
#include "codec/trade.h"
#include "fuzz.h"

static void check_text(const char text[CDS_TRADE_TEXT], bool may_be_empty) {
  size_t length = strnlen(text, CDS_TRADE_TEXT);
  MUST(length < CDS_TRADE_TEXT && (length > 0 || may_be_empty));
  for (size_t i = 0; i < length; i++) MUST(text[i] > ' ' && text[i] <= '~' && text[i] != '"' && text[i] != '\\');
}

static void check_price(const char *price) {
  char *end;
  size_t length = strlen(price), exponent = strcspn(price, "eE");
  MUST(strspn(price, "+-.0123456789eE") == length && (price[0] == '-' || (price[0] >= '0' && price[0] <= '9')));
  strtod(price, &end);
  MUST(*end == 0);
  if (exponent < length) MUST(labs(strtol(price + exponent + 1, NULL, 10)) < 100);
}

static void check_object(const char *text, size_t length) {
  enum cds_trade_kind kind;
  struct cds_trade trade = {0};
  struct cds_error err = {0};
  char *copy = fuzz_copy(text, length);
  enum cds_status status = cds_trade_parse(&kind, &trade, copy, length, &err);
  free(copy);
  if (status != CDS_OK) fuzz_check_error(&err, status);
  if (status != CDS_OK || kind != CDS_TRADE_PRICE) return;
  check_text(trade.symbol, false);
  check_text(trade.feed_id, true);
  check_text(trade.price, false);
  check_price(trade.price);
  MUST(trade.time >= 0 && trade.time <= (int64_t)1 << 53);
}

/* The objects before what is refused, and their bytes. */
struct seen {
  size_t objects, bytes;
  bool is_refused;
};

static struct seen read_all(const char *data, size_t size, size_t piece, bool checks) {
  static struct cds_trade_reader reader;
  struct seen seen = {0};
  cds_trade_reader_reset(&reader);
  for (size_t at = 0; at < size && !seen.is_refused;) {
    bool whole;
    struct cds_error err = {0};
    size_t length = size - at < piece ? size - at : piece, used;
    char *copy = fuzz_copy(data + at, length);
    used = cds_trade_read(&whole, &reader, copy, length, &err);
    free(copy);
    MUST(used <= length && (used > 0 || err.status != CDS_OK) && reader.length <= CDS_MAX_TRADE_BYTES);
    at += used;
    seen.is_refused = err.status != CDS_OK;
    if (seen.is_refused) fuzz_check_error(&err, CDS_E_DECODE);
    if (!whole) continue;
    MUST(reader.text[0] == '{' && reader.text[reader.length - 1] == '}');
    seen.objects++;
    seen.bytes += reader.length;
    if (checks) check_object(reader.text, reader.length);
  }
  return seen;
}

static void check_token(const char *text, size_t length) {
  static struct cds_trade_token token;
  struct cds_error err = {0};
  enum cds_status status = cds_trade_token_parse(&token, text, length, &err);
  if (status != CDS_OK) {
    fuzz_check_error(&err, status);
    return;
  }
  size_t used = strnlen(token.text, sizeof token.text);
  MUST(used > 0 && used < sizeof token.text && token.expiration >= 0);
  for (size_t i = 0; i < used; i++) MUST(token.text[i] > ' ' && token.text[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  char *text = fuzz_copy(data + 1, size - 1);
  struct seen whole = read_all(text, size - 1, size, true), pieces = read_all(text, size - 1, 1 + data[0], false);
  MUST(whole.objects == pieces.objects && whole.bytes == pieces.bytes && whole.is_refused == pieces.is_refused);
  check_token(text, size - 1);
  free(text);
  return 0;
}
