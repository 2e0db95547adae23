/* SPDX-License-Identifier: MIT
 * The candlestick service. Failures are {"s":"error","errmsg":…}. A symbol is the name of a feed without its slash, as
 * "ETHUSD" for ETH/USD; feeds of other names have none. */
#include "simulator/prices.h"

#include "base/alloc.h"
#include "simulator/candles.h"
#include "simulator/listing.h"
#include "simulator/message.h"
#include "simulator/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BODY (4u << 20)
#define MAX_TRADED 100 /* symbols of a stream */

static void refuse(struct cds_sim_exchange *exchange, int status, const char *extra, const char *message) {
  char body[256];
  int length = snprintf(body, sizeof body, "{\"s\":\"error\",\"errmsg\":\"%s\"}", message);
  cds_sim_answer(exchange, status, extra, "application/json", body, (size_t)length);
}

static void answer(struct cds_sim_exchange *exchange, enum cds_status status, struct cds_buf *body) {
  if (status == CDS_OK) cds_sim_answer_json(exchange, 200, body);
  else refuse(exchange, 500, "", "out of memory");
  cds_buf_clear(body);
}

/* ---- a token ---- */

/* A member of the form in the body, as a query has it; NULL without one. */
static char *form_value(const struct cds_sim_request *request, const char *name) {
  int status;
  struct cds_sim_request form = {.query = request->body};
  return cds_sim_request_query(&form, name, &status);
}

static struct cds_sim_account *log_in(struct cds_sim *sim, const struct cds_sim_request *request) {
  char *login = form_value(request, "login"), *password = form_value(request, "password");
  struct cds_sim_account *account = login && password ? cds_sim_find_account(sim, login) : NULL;
  if (account && strcmp(account->secret, password) != 0) account = NULL;
  cds_free(login);
  cds_free(password);
  return account;
}

static void authorize(struct cds_sim_exchange *exchange) {
  const struct cds_sim_account *account = log_in(exchange->sim, &exchange->request);
  int64_t expiration = cds_sim_gate_ms(exchange->sim) / 1000 + CDS_SIM_TOKEN_SECONDS;
  struct cds_buf body;
  if (!account) {
    refuse(exchange, 401, "", "unknown login or wrong password");
    return;
  }
  cds_buf_init(&body, MAX_BODY);
  enum cds_status status = cds_buf_printf(&body, "{\"s\":\"ok\",\"d\":{\"access_token\":\"");
  if (status == CDS_OK) status = cds_sim_token_make(&body, account, expiration);
  if (status == CDS_OK) status = cds_buf_printf(&body, "\",\"expiration\":%lld}}", (long long)expiration);
  answer(exchange, status, &body);
}

/* ---- symbols ---- */

static const char *const groups[] = {"crypto", "rwa"};

struct symbol {
  char text[48], base[48], quote[48];
  const char *group;
};

/* The feed's symbol; false: it has none, or the account may not read it. */
static bool symbol_of(struct symbol *out, const struct cds_sim_exchange *exchange,
                      const struct cds_sim_account *account, size_t feed) {
  const struct cds_sim_feed *about = &exchange->sim->source.feeds.list[feed];
  struct cds_sim_listing listing;
  size_t base = strcspn(about->name, "/"), length = strlen(about->name);
  if (length > 3 && strcmp(about->name + length - 3, "-MS") == 0) length -= 3;
  if (base >= length || memchr(about->name, '-', length) || (account->permitted && !account->permitted[feed]))
    return false;
  cds_sim_listing_of(&listing, about, cds_sim_now_ms(exchange->sim));
  out->group = groups[strcmp(listing.texts[CDS_SIM_ASSET_CLASS], "Crypto") != 0];
  snprintf(out->base, sizeof out->base, "%.*s", (int)base, about->name);
  snprintf(out->quote, sizeof out->quote, "%.*s", (int)(length - base - 1), about->name + base + 1);
  snprintf(out->text, sizeof out->text, "%.*s%.*s", (int)base, about->name, (int)(length - base - 1),
           about->name + base + 1);
  return true;
}

static void answer_groups(struct cds_sim_exchange *exchange) {
  struct cds_buf body;
  cds_buf_init(&body, MAX_BODY);
  answer(
    exchange,
    cds_buf_printf(&body, "{\"s\":\"ok\",\"d\":{\"groups\":[{\"id\":\"%s\"},{\"id\":\"%s\"}]}}", groups[0], groups[1]),
    &body);
}

/* One of the answer's parallel arrays, of the group's symbols. */
static enum cds_status write_column(struct cds_buf *body, const struct cds_sim_exchange *exchange,
                                    const struct cds_sim_account *account, const char *group, const char *column) {
  enum cds_status status = cds_buf_printf(body, ",\"%s\":[", column);
  struct symbol symbol;
  const char *separator = "";
  for (size_t i = 0; status == CDS_OK && i < exchange->sim->source.feeds.count; i++) {
    if (!symbol_of(&symbol, exchange, account, i) || strcmp(symbol.group, group) != 0) continue;
    const char *text = column[0] == 's' ? symbol.text : column[0] == 'c' ? symbol.quote : symbol.base;
    status = cds_buf_printf(body, "%s\"%s\"", separator, text);
    separator = ",";
  }
  return status == CDS_OK ? cds_buf_printf(body, "]") : status;
}

static void answer_symbols(struct cds_sim_exchange *exchange, const struct cds_sim_account *account) {
  int status;
  char *group = cds_sim_request_query(&exchange->request, "group", &status);
  struct cds_buf body;
  if (!group || (strcmp(group, groups[0]) != 0 && strcmp(group, groups[1]) != 0)) {
    cds_free(group);
    refuse(exchange, 400, "", "missing or unknown group");
    return;
  }
  cds_buf_init(&body, MAX_BODY);
  enum cds_status written = cds_buf_printf(&body, "{\"s\":\"ok\"");
  if (written == CDS_OK) written = write_column(&body, exchange, account, group, "symbol");
  if (written == CDS_OK) written = write_column(&body, exchange, account, group, "currency");
  if (written == CDS_OK) written = write_column(&body, exchange, account, group, "base-currency");
  if (written == CDS_OK) written = cds_buf_printf(&body, "}");
  answer(exchange, written, &body);
  cds_free(group);
}

/* ---- candles ---- */

struct question {
  size_t feed;
  uint32_t seconds, from, to;
};

static bool read_time(uint32_t *out, const struct cds_sim_request *request, const char *name) {
  int status;
  char *text = cds_sim_request_query(request, name, &status);
  bool good = text && *text && strlen(text) <= 10 && text[strspn(text, "0123456789")] == 0;
  unsigned long long value = good ? strtoull(text, NULL, 10) : 0;
  cds_free(text);
  *out = (uint32_t)value;
  return good && value <= UINT32_MAX;
}

static bool find_symbol(size_t *feed, const struct cds_sim_exchange *exchange, const struct cds_sim_account *account,
                        const char *text) {
  struct symbol symbol;
  for (*feed = 0; *feed < exchange->sim->source.feeds.count; (*feed)++)
    if (symbol_of(&symbol, exchange, account, *feed) && strcmp(symbol.text, text) == 0) return true;
  return false;
}

/* NULL, or what is wrong with the question. */
static const char *read_question(struct question *out, const struct cds_sim_exchange *exchange,
                                 const struct cds_sim_account *account) {
  int status;
  char *symbol = cds_sim_request_query(&exchange->request, "symbol", &status);
  bool known = symbol && find_symbol(&out->feed, exchange, account, symbol);
  cds_free(symbol);
  if (!known) return "missing or unknown symbol";
  if (!read_time(&out->from, &exchange->request, "from") || !read_time(&out->to, &exchange->request, "to"))
    return "missing or malformed from or to";
  if (out->to < out->from) return "to lies before from";
  char *resolution = cds_sim_request_query(&exchange->request, "resolution", &status);
  out->seconds = resolution ? cds_sim_resolution(resolution) : 0;
  cds_free(resolution);
  if (out->seconds == 0) return "missing or malformed resolution";
  if (!cds_sim_resolution_fits(out->seconds, out->to - out->from)) return "the resolution does not fit the window";
  return cds_sim_is_recorded(exchange->sim) ? "there are no candles of recorded reports" : NULL;
}

static double value_of(const struct cds_sim_candle *candle, char column) {
  switch (column) {
  case 't': return (double)candle->time;
  case 'o': return (double)candle->open;
  case 'h': return (double)candle->high;
  case 'l': return (double)candle->low;
  case 'c': return (double)candle->close;
  default: return 0; /* no volume is known of a price */
  }
}

/* Newest first, as the service does. */
static enum cds_status write_rows(struct cds_buf *body, const struct cds_sim_candle *candles, long count) {
  enum cds_status status = cds_buf_printf(body, ",\"candles\":[");
  for (long i = count - 1; status == CDS_OK && i >= 0; i--) {
    status = cds_buf_printf(body, "%s[", i < count - 1 ? "," : "");
    for (const char *column = "tohlcv"; status == CDS_OK && *column; column++)
      status = cds_buf_printf(body, "%s%.17g", *column == 't' ? "" : ",", value_of(&candles[i], *column));
    if (status == CDS_OK) status = cds_buf_printf(body, "]");
  }
  return status == CDS_OK ? cds_buf_printf(body, "]") : status;
}

static enum cds_status write_columns(struct cds_buf *body, const struct cds_sim_candle *candles, long count) {
  enum cds_status status = CDS_OK;
  for (const char *column = "tohlcv"; status == CDS_OK && *column; column++) {
    status = cds_buf_printf(body, ",\"%c\":[", *column);
    for (long i = count - 1; status == CDS_OK && i >= 0; i--)
      status = cds_buf_printf(body, "%s%.17g", i < count - 1 ? "," : "", value_of(&candles[i], *column));
    if (status == CDS_OK) status = cds_buf_printf(body, "]");
  }
  return status;
}

static void answer_candles(struct cds_sim_exchange *exchange, const struct cds_sim_account *account) {
  struct question asked = {0};
  const struct cds_sim_source *source = &exchange->sim->source;
  const char *wrong = read_question(&asked, exchange, account);
  struct cds_sim_candle *candles = cds_calloc(CDS_SIM_MAX_CANDLES, sizeof *candles);
  struct cds_buf body;
  long count = 0;
  if (!wrong && candles)
    count = cds_sim_candles(candles, source, asked.feed, cds_sim_end(source, asked.feed, cds_sim_now_ms(exchange->sim)),
                            asked.seconds, asked.from, asked.to);
  if (count < 0) wrong = "the window has too many reports";
  if (wrong) refuse(exchange, 400, "", wrong);
  else {
    cds_buf_init(&body, MAX_BODY);
    enum cds_status status = candles ? cds_buf_printf(&body, "{\"s\":\"ok\"") : CDS_E_MEMORY;
    bool rows = exchange->endpoint == CDS_SIM_HISTORY_ROWS;
    if (status == CDS_OK) status = (rows ? write_rows : write_columns)(&body, candles, count);
    if (status == CDS_OK) status = cds_buf_printf(&body, "}");
    answer(exchange, status, &body);
  }
  cds_free(candles);
}

/* ---- trades ---- */

/* Of a list with commas; how many, 0: one of them is not known. */
static size_t find_symbols(struct cds_sim_traded *out, const struct cds_sim_exchange *exchange,
                           const struct cds_sim_account *account, char *list) {
  size_t count = 0;
  for (char *name = list, *next; name; name = next) {
    next = strchr(name, ',');
    if (next) *next++ = 0;
    struct cds_sim_traded *traded = &out[count++];
    if (count > MAX_TRADED || !find_symbol(&traded->feed, exchange, account, name)) return 0;
    snprintf(traded->symbol, sizeof traded->symbol, "%s", name);
  }
  return count;
}

static void open_trades(struct cds_sim_exchange *exchange, const struct cds_sim_account *account,
                        struct cds_sim_trades *trades) {
  int status;
  char *list = cds_sim_request_query(&exchange->request, "symbol", &status);
  struct cds_sim_traded *traded = cds_calloc(MAX_TRADED + 1, sizeof *traded);
  size_t count = list && traded ? find_symbols(traded, exchange, account, list) : 0;
  cds_free(list);
  if (count > 0 && !cds_sim_is_recorded(exchange->sim)) {
    cds_sim_trades_open(trades, exchange, traded, count);
    return;
  }
  cds_free(traded);
  refuse(exchange, 400, "", count > 0 ? "there are no trades of recorded reports" : "missing or unknown symbol");
}

void cds_sim_prices(struct cds_sim_exchange *exchange, struct cds_sim_trades *trades) {
  struct cds_sim_account *account = NULL;
  char extra[40];
  int retry_after = 0;
  if (exchange->endpoint == CDS_SIM_AUTHORIZE) {
    authorize(exchange);
    return;
  }
  account = cds_sim_token_account(exchange->sim, &exchange->request);
  if (!account) {
    refuse(exchange, 401, "", "missing, unknown or expired token");
  } else if (cds_sim_throttle(exchange->sim, account, exchange->endpoint, &retry_after) != 0) {
    snprintf(extra, sizeof extra, "Retry-After: %d\r\n", retry_after);
    refuse(exchange, 429, extra, "too many requests");
  } else if (exchange->endpoint == CDS_SIM_GROUPS) {
    answer_groups(exchange);
  } else if (exchange->endpoint == CDS_SIM_SYMBOLS) {
    answer_symbols(exchange, account);
  } else if (exchange->endpoint == CDS_SIM_STREAMING) {
    open_trades(exchange, account, trades);
  } else {
    answer_candles(exchange, account);
  }
}
