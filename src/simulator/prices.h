/* SPDX-License-Identifier: MIT
 * The candlestick service's endpoints: a token, groups, symbols, candles. */
#ifndef CDS_SIM_PRICES_H
#define CDS_SIM_PRICES_H

#include "simulator/answer.h"

/* Answers; the exchange's endpoint is one of the service's. */
void cds_sim_prices(struct cds_sim_exchange *exchange);

#endif
