/* SPDX-License-Identifier: MIT
 * The candlestick service's stream of trades, as a script reads it: a token, a connection that is made again, and a
 * bounded queue. Used by one thread at a time, the script's; the REST thread works behind it. */
#ifndef CDS_TRADES_H
#define CDS_TRADES_H

#include "context/context.h"
#include "rest/trade_queue.h"

struct cds_trades;

/* Asks by an encoded query; a connection that tells nothing for `patience` seconds is made again, as is any that ends.
 * What is not worth another try, or more failures in a row than the client's max_reconnects, ends it. CDS_E_CONFIG:
 * the query is wrong, or the client has no price_url. */
CDS_MUST_CHECK enum cds_status cds_trades_open(struct cds_trades **out, struct cds_client *client, const char *query,
                                               double patience, struct cds_error *err);

/* Readable once a trade or an event waits, or it is over; valid until it is freed. */
int cds_trades_fd(const struct cds_trades *trades);

/* Never waits. OVER: with *err as the reason; CDS_E_CLOSED after a close, the client's too. */
enum cds_trades_pop cds_trades_pop(struct cds_trade *out, struct cds_trades *trades, struct cds_error *err);

struct cds_event *cds_trades_take_event(struct cds_trades *trades); /* NULL when none; caller frees */
void cds_trades_stats(struct cds_trades_stats *out, struct cds_trades *trades);
bool cds_trades_is_closed(struct cds_trades *trades);

void cds_trades_close(struct cds_trades *trades); /* what waits is given up; idempotent */
void cds_trades_free(struct cds_trades *trades);  /* closes it; NULL is ignored */

#endif
