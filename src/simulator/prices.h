/* SPDX-License-Identifier: MIT
 * The candlestick service's endpoints: a token, groups, symbols, candles, trades. */
#ifndef CDS_SIM_PRICES_H
#define CDS_SIM_PRICES_H

#include "simulator/trades.h"

/* Answers; the exchange's endpoint is one of the service's. Opens *trades when it asks for them. */
void cds_sim_prices(struct cds_sim_exchange *exchange, struct cds_sim_trades *trades);

#endif
