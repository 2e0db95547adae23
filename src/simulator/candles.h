/* SPDX-License-Identifier: MIT
 * Candles of the reports that are made: open, high, low and close of a feed's main price in spans of time. */
#ifndef CDS_SIM_CANDLES_H
#define CDS_SIM_CANDLES_H

#include "simulator/source.h"

#define CDS_SIM_MAX_CANDLES 1500

struct cds_sim_candle {
  uint32_t time; /* its first second */
  cds_sim_int open, high, low, close;
};

/* "1m", "4h", "1d" as seconds; 0 for anything else. */
uint32_t cds_sim_resolution(const char *text);

/* Whether the service has candles of so many seconds for a window of so many: finer ones of short windows only. */
bool cds_sim_resolution_fits(uint32_t seconds, uint32_t window);

/* The candles that begin from one second to another, both included, ascending; those without a report are left out.
 * `end` is one past the feed's newest report. Returns their number, at most CDS_SIM_MAX_CANDLES; -1: too much to look
 * through. */
long cds_sim_candles(struct cds_sim_candle out[CDS_SIM_MAX_CANDLES], const struct cds_sim_source *source, size_t feed,
                     uint64_t end, uint32_t seconds, uint32_t from, uint32_t to);

#endif
