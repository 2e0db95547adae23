/* SPDX-License-Identifier: MIT
 * The candlestick service's stream of trades: an answer without an end, in chunks. Each report's price is a trade. */
#ifndef CDS_SIM_TRADES_H
#define CDS_SIM_TRADES_H

#include "simulator/answer.h"

#define CDS_SIM_SYMBOL_TEXT 48

struct cds_sim_traded {
  size_t feed;
  char symbol[CDS_SIM_SYMBOL_TEXT];
};

/* Zeroed: there is none. */
struct cds_sim_trades {
  bool is_open, is_done; /* done: nothing is sent any more */
  struct cds_sim_traded *list;
  size_t count;
  uint64_t number;      /* the next report of each */
  int64_t heartbeat_ms; /* monotonic: when the next one is due */
  long sent;            /* objects */
  struct cds_sim_fault fault;
};

/* Answers; takes the list. From now on prices are sent as they come. */
void cds_sim_trades_open(struct cds_sim_trades *trades, struct cds_sim_exchange *exchange, struct cds_sim_traded *list,
                         size_t count);
void cds_sim_trades_send(struct cds_sim_trades *trades, struct cds_sim_exchange *exchange); /* what is due */
void cds_sim_trades_clear(struct cds_sim_trades *trades);

/* Does the fault come in such a stream, rather than in place of its answer? */
bool cds_sim_trades_fault(const struct cds_sim_fault *fault);

#endif
