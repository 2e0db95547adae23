/* SPDX-License-Identifier: MIT
 * What the candlestick service tells, strictly read: a token, and its stream of trades, one JSON object after another
 * with at most whitespace between them. Pure; the bytes may come in any pieces. */
#ifndef CDS_TRADE_H
#define CDS_TRADE_H

#include "base/error.h"
#include "base/limits.h"

#define CDS_TRADE_TEXT 72 /* of each text of a trade, with its final 0 */

struct cds_trade {
  char symbol[CDS_TRADE_TEXT];
  char feed_id[CDS_TRADE_TEXT]; /* as the service writes it; "" when it has none */
  char price[CDS_TRADE_TEXT];   /* a JSON number, letter for letter; its exponent has at most two digits */
  int64_t time;                 /* Unix seconds, at most 2^53 */
  int64_t received_at_ms;       /* left to whoever reads the stream */
};

enum cds_trade_kind {
  CDS_TRADE_PRICE,
  CDS_TRADE_HEARTBEAT, /* {"heartbeat":…} */
  CDS_TRADE_OTHER      /* an object of another kind: its member "f" is not "t" */
};

/* Reads one whole object; *out is filled in only for CDS_TRADE_PRICE. Members that are not known are passed over. */
CDS_MUST_CHECK enum cds_status cds_trade_parse(enum cds_trade_kind *kind, struct cds_trade *out, const char *text,
                                               size_t length, struct cds_error *err);

/* Puts objects together. */
struct cds_trade_reader {
  char text[CDS_MAX_TRADE_BYTES];
  size_t length;
  unsigned depth;
  bool in_string, is_escaped;
};

void cds_trade_reader_reset(struct cds_trade_reader *reader);

/* Takes bytes up to the end of an object: returns how many, and *whole says whether reader->text has one, which is
 * gone with the next call. CDS_E_DECODE in err->status: what comes is no object, or longer than CDS_MAX_TRADE_BYTES. */
CDS_MUST_CHECK size_t cds_trade_read(bool *whole, struct cds_trade_reader *reader, const char *data, size_t length,
                                     struct cds_error *err);

/* A service's answer {"s":"ok","d":{"access_token":…,"expiration":…}}. The token, whose end is a time in Unix seconds,
 * is visible ASCII. */
struct cds_trade_token {
  char text[CDS_MAX_TOKEN_BYTES + 1];
  int64_t expiration;
};
CDS_MUST_CHECK enum cds_status cds_trade_token_parse(struct cds_trade_token *out, const char *text, size_t length,
                                                     struct cds_error *err);

#endif
