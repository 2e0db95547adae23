/* SPDX-License-Identifier: MIT
 * Objects of the stream of trades: what is read, and what is refused, in whatever pieces it comes. */
#include "codec/trade.h"
#include "tap.h"

#define TRADE(members) "{\"f\":\"t\",\"i\":\"ETHUSD\",\"fid\":\"0x00\",\"p\":2.68312e+21,\"t\":1748525526" members "}"

static struct cds_error err;

static enum cds_status parse(enum cds_trade_kind *kind, struct cds_trade *trade, const char *text) {
  cds_error_clear(&err);
  return cds_trade_parse(kind, trade, text, strlen(text), &err);
}

static void test_trade(void) {
  enum cds_trade_kind kind;
  struct cds_trade trade;
  ok(parse(&kind, &trade, TRADE(",\"s\":1")) == CDS_OK && kind == CDS_TRADE_PRICE, "a trade");
  is_string(trade.symbol, "ETHUSD", "its symbol");
  is_string(trade.feed_id, "0x00", "its feed");
  is_string(trade.price, "2.68312e+21", "its price, letter for letter");
  is_number(trade.time, 1748525526, "its time");
  ok(parse(&kind, &trade, "{\"t\": 9007199254740992 ,\"p\":-0,\"i\":\"A\",\"f\":\"t\"}") == CDS_OK, "in any order");
  is_string(trade.feed_id, "", "without a feed");
  is_number(trade.time, 9007199254740992, "the latest time");
  ok(parse(&kind, &trade, TRADE(",\"x\":[{\"p\":[1]},null]")) == CDS_OK, "members that are not known are passed over");
  ok(parse(&kind, &trade, "{\"heartbeat\":1748525526}") == CDS_OK && kind == CDS_TRADE_HEARTBEAT, "a heartbeat");
  ok(parse(&kind, &trade, "{\"f\":\"q\",\"i\":\"A\"}") == CDS_OK && kind == CDS_TRADE_OTHER, "another kind");
}

static void refuses(const char *text, const char *words) {
  enum cds_trade_kind kind;
  struct cds_trade trade;
  is_number(parse(&kind, &trade, text), CDS_E_DECODE, text);
  if (!ok(strstr(err.message, words) != NULL, "expected %s", words)) printf("#   got: %s\n", err.message);
}

static void test_wrong(void) {
  refuses("{}", "the member f, or heartbeat");
  refuses("{\"f\":\"t\"}", "the member i");
  refuses("{\"f\":\"t\",\"i\":\"A\"}", "the member p");
  refuses("{\"f\":\"t\",\"i\":\"A\",\"p\":1}", "the member t");
  refuses("{\"heartbeat\":1,\"f\":\"t\"}", "a heartbeat alone");
  refuses("[1]", "an object");
  refuses(TRADE("") "1", "nothing after the object");
  refuses(TRADE(",\"p\":1"), "each member once");
  refuses(TRADE(",\"t\":1"), "each member once");
  refuses(TRADE(",\"i\":\"A\""), "each member once");
  refuses("{\"f\":\"t\",\"p\":\"1\"}", "a number of up to 71");
  refuses("{\"f\":\"t\",\"p\":[1]}", "a number of up to 71");
  refuses("{\"f\":\"t\",\"p\":null}", "a number of up to 71");
  refuses("{\"f\":\"t\",\"p\":1e100}", "its exponent up to 99");
  refuses("{\"f\":\"t\",\"p\":1e-100}", "its exponent up to 99");
  refuses("{\"f\":\"t\",\"p\":NaN}", "a value");
  refuses("{\"f\":\"t\",\"p\":01}", "',' or '}'");
  refuses("{\"f\":\"t\",\"p\":123456789012345678901234567890123456789012345678901234567890123456789012}",
          "a number of");
  refuses("{\"f\":\"t\",\"t\":1.5}", "an integer");
  refuses("{\"f\":\"t\",\"t\":-1}", "an integer");
  refuses("{\"f\":\"t\",\"t\":null}", "whole seconds up to 2^53");
  refuses("{\"f\":\"t\",\"t\":9007199254740993}", "whole seconds up to 2^53");
  refuses("{\"f\":\"t\",\"i\":7}", "a symbol as a text");
  refuses("{\"f\":\"t\",\"i\":\"\"}", "a symbol as a text");
  refuses("{\"f\":\"t\",\"i\":\"A B\"}", "a symbol as a text");
  refuses("{\"f\":\"t\",\"i\":\"\\u0041\"}", "a symbol as a text");
  refuses("{\"f\":\"t\",\"i\":\"\xc3\xa9\"}", "a symbol as a text");
  refuses("{\"f\":\"t\",\"fid\":\"0123456789012345678901234567890123456789012345678901234567890123456789012\"}",
          "a feed id");
  refuses("{\"f\":\"t\",\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}", "less nesting");
}

/* Counts the objects of a text that comes in pieces of `step` bytes; -1: it was refused. */
static int read_all(const char *text, size_t step) {
  static struct cds_trade_reader reader;
  size_t length = strlen(text);
  int objects = 0;
  cds_trade_reader_reset(&reader);
  for (size_t at = 0; at < length;) {
    bool whole;
    size_t piece = length - at < step ? length - at : step,
           used = cds_trade_read(&whole, &reader, text + at, piece, &err);
    if (err.status != CDS_OK) return -1;
    objects += whole && reader.text[0] == '{' && reader.text[reader.length - 1] == '}';
    at += used;
  }
  return objects;
}

static void test_reader(void) {
  static const char good[] = " {\"a\":\"}{\\\"}\"}\r\n\t{\"b\":{\"c\":{}}}{} \n{\"open\":";
  for (size_t step = 1; step < sizeof good; step++) is_number(read_all(good, step), 3, "objects, in pieces");
  is_number(read_all("{} garbage", 3), -1, "garbage after an object");
  ok(strstr(err.message, "expected an object") != NULL, "in words: %s", err.message);
  is_number(read_all("}", 1), -1, "an end without a beginning");
  is_number(read_all("[{}]", 1), -1, "an array");
}

static void test_longest(void) {
  static char text[CDS_MAX_TRADE_BYTES + 2];
  memset(text, 'x', CDS_MAX_TRADE_BYTES + 1);
  memcpy(text, "{\"a\":\"", 6);
  memcpy(text + CDS_MAX_TRADE_BYTES - 2, "\"}", 3);
  is_number(read_all(text, 1000), 1, "the longest object");
  memcpy(text + CDS_MAX_TRADE_BYTES - 2, "x\"}", 4);
  is_number(read_all(text, 1000), -1, "a longer one");
  ok(strstr(err.message, "an object of more than 4096 bytes") != NULL, "in words: %s", err.message);
}

static void token(const char *text, const char *words) {
  static struct cds_trade_token out;
  cds_error_clear(&err);
  enum cds_status status = cds_trade_token_parse(&out, text, strlen(text), &err);
  is_number(status, words == NULL ? CDS_OK : CDS_E_DECODE, text);
  if (words != NULL) ok(strstr(err.message, words) != NULL, "in words: %s", err.message);
  else ok(strcmp(out.text, "ab.c") == 0 && out.expiration == 9000000000, "the token and its end");
}

static void test_token(void) {
  token("{\"s\":\"ok\",\"d\":{\"access_token\":\"ab.c\",\"expiration\":9000000000,\"x\":[]},\"y\":1}", NULL);
  token("{\"d\":{\"expiration\":9000000000,\"access_token\":\"ab.c\"},\"s\":\"ok\"}", NULL);
  token("{\"s\":\"error\",\"errmsg\":\"no\"}", "an answer with s = \"ok\"");
  token("{\"s\":\"ok\"}", "the object d with a token");
  token("{\"s\":\"ok\",\"d\":7}", "the object d");
  token("{\"s\":\"ok\",\"d\":{\"access_token\":\"t\"}}", "access_token and expiration in d");
  token("{\"s\":\"ok\",\"d\":{\"expiration\":1}}", "access_token and expiration in d");
  token("{\"s\":\"ok\",\"d\":{\"access_token\":\"a b\",\"expiration\":1}}", "an access_token");
  token("{\"s\":\"ok\",\"d\":{\"access_token\":\"a\\r\\nX: y\",\"expiration\":1}}", "an access_token");
  token("{\"s\":\"ok\",\"d\":{\"access_token\":\"t\",\"expiration\":1.5}}", "an integer");
}

int main(void) {
  test_trade();
  test_wrong();
  test_reader();
  test_longest();
  test_token();
  return done();
}
