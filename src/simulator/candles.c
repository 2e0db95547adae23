/* SPDX-License-Identifier: MIT
 * Candles, from the prices of the reports themselves. */
#include "simulator/candles.h"

#include "simulator/blob.h"

#include <stdlib.h>

#define DAY 86400u
#define MAX_NUMBERS 2000000u /* in the one thread that serves everybody */

uint32_t cds_sim_resolution(const char *text) {
  char *unit;
  unsigned long count = strtoul(text, &unit, 10);
  if (*text < '1' || *text > '9' || count > 10000 || unit[0] == 0 || unit[1] != 0) return 0;
  switch (*unit) {
  case 'm': return (uint32_t)count * 60;
  case 'h': return (uint32_t)count * 3600;
  case 'd': return (uint32_t)count * DAY;
  default: return 0;
  }
}

/* The longer windows of the service, up to five years, are not served here. */
bool cds_sim_resolution_fits(uint32_t seconds, uint32_t window) {
  if (window <= DAY) return seconds >= 60 && seconds <= DAY;
  return window <= 5 * DAY && seconds >= 300 && seconds <= 5 * DAY;
}

static void add(struct cds_sim_candle *candle, cds_sim_int price) {
  if (price > candle->high) candle->high = price;
  if (price < candle->low) candle->low = price;
  candle->close = price;
}

long cds_sim_candles(struct cds_sim_candle out[CDS_SIM_MAX_CANDLES], const struct cds_sim_source *source, size_t feed,
                     uint64_t end, uint32_t seconds, uint32_t from, uint32_t to) {
  uint64_t first = ((uint64_t)from + seconds - 1) / seconds * seconds, behind = (to / seconds + (uint64_t)1) * seconds;
  long count = 0;
  if (behind > UINT32_MAX || first >= behind) return 0;
  uint64_t number = cds_sim_seek(source, feed, (uint32_t)first), last = cds_sim_seek(source, feed, (uint32_t)behind);
  if (last > end) last = end;
  if (number < last && last - number > MAX_NUMBERS) return -1;
  for (; number < last; number++) {
    if (!cds_sim_exists(source, feed, number)) continue;
    uint32_t second = (uint32_t)(number / source->rate), time = second - second % seconds;
    cds_sim_int price = cds_sim_price(&source->feeds.list[feed], second, (unsigned)(number % source->rate));
    if (count > 0 && out[count - 1].time == time) add(&out[count - 1], price);
    else if (count == CDS_SIM_MAX_CANDLES) return -1;
    else out[count++] = (struct cds_sim_candle){time, price, price, price, price};
  }
  return count;
}
