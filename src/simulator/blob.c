/* SPDX-License-Identifier: MIT
 * One row a schema, one kind a field. Written from the public schema pages, not from the library's own table, so that
 * the two check each other. */
#include "simulator/blob.h"

#include "simulator/walk.h"

#include <string.h>

#define DAY 86400u
#define CONTRACT (30 * DAY) /* how long a future is the nearest one */
#define ONE ((cds_sim_int)1000000000000000000LL)

enum kind {
  FEED_ID,
  VALID_FROM,
  OBSERVED,
  NATIVE_FEE,
  LINK_FEE,
  EXPIRES,
  PRICE,
  PRICE_2,
  PRICE_3,
  PRICE_4,
  PRICE_5,
  BID,
  ASK,
  TRADED,
  STATUS,
  SESSION,
  RIPCORD,
  LAST_UPDATE_NS,
  DATE_MS,
  DATE_NS,
  HOUR,
  DURATION,
  ASSETS,
  VOLUME_BID,
  VOLUME_ASK,
  COUNT_BID,
  COUNT_ASK,
  MULTIPLIER,
  NEXT_MULTIPLIER,
  ACTIVATION,
  TOKENIZED,
  NEXT_NAV,
  BLOCK,
  BLOCK_HASH,
  BLOCK_FROM,
  BLOCK_TIME,
  EXPIRY,
  NOTICE,
  MONTH,
  BUSINESS_DAY,
  ROLL,
  SMOOTH_ROLL,
  END
};

#define HEAD FEED_ID, VALID_FROM, OBSERVED, NATIVE_FEE, LINK_FEE, EXPIRES

struct cds_sim_layout {
  uint16_t version;
  enum kind fields[CDS_SIM_MAX_BLOB_WORDS];
};

static const struct cds_sim_layout layouts[] = {
  {1, {FEED_ID, OBSERVED, PRICE, BID, ASK, BLOCK, BLOCK_HASH, BLOCK_FROM, BLOCK_TIME, END}},
  {2, {HEAD, PRICE, END}},
  {3, {HEAD, PRICE, BID, ASK, END}},
  {4, {HEAD, PRICE, STATUS, END}},
  {5, {HEAD, PRICE, HOUR, DURATION, END}},
  {6, {HEAD, PRICE, PRICE_2, PRICE_3, PRICE_4, PRICE_5, END}},
  {7, {HEAD, PRICE, END}},
  {8, {HEAD, LAST_UPDATE_NS, PRICE, STATUS, END}},
  {9, {HEAD, PRICE, DATE_MS, ASSETS, RIPCORD, END}},
  {10, {HEAD, LAST_UPDATE_NS, PRICE, STATUS, MULTIPLIER, NEXT_MULTIPLIER, ACTIVATION, TOKENIZED, END}},
  {11, {HEAD, PRICE, LAST_UPDATE_NS, BID, VOLUME_BID, ASK, VOLUME_ASK, TRADED, SESSION, END}},
  {12, {HEAD, PRICE, NEXT_NAV, DATE_NS, RIPCORD, END}},
  {13, {HEAD, ASK, BID, COUNT_ASK, COUNT_BID, TRADED, END}},
  {14, {HEAD, PRICE, BID, ASK, EXPIRY, NOTICE, LAST_UPDATE_NS, STATUS, MONTH, ROLL, BUSINESS_DAY, SMOOTH_ROLL, END}},
};

/* One moment of one feed. */
struct moment {
  const struct cds_sim_feed *feed;
  uint64_t valid_from, observed; /* in the feed's unit */
  uint32_t second;
  unsigned step;
  cds_sim_int price;
};

static uint64_t draw(const struct moment *m, enum kind kind) {
  return cds_sim_hash(m->feed->key + (uint64_t)kind, (uint64_t)m->second * CDS_SIM_STEPS + m->step);
}

static cds_sim_int walk_about(const struct moment *m, enum kind kind, cds_sim_int base) {
  uint64_t position = (uint64_t)m->second * CDS_SIM_STEPS + m->step;
  return base + base * cds_sim_walk(m->feed->key + (uint64_t)kind, position) / CDS_SIM_WALK_UNIT;
}

static cds_sim_int spread(const struct moment *m, enum kind kind) {
  cds_sim_int size = m->price < 0 ? -m->price : m->price;
  return size / 20000 + size / 100000 * (cds_sim_int)(draw(m, kind) % 10) / 10;
}

static bool weekend(uint32_t second) {
  unsigned day = second / DAY % 7; /* the epoch was a Thursday */
  return day == 2 || day == 3;
}

/* Exchanges as seen from UTC: open from 13:30 to 20:00 on working days. */
static unsigned market_status(uint32_t second) {
  unsigned minute = second % DAY / 60;
  return !weekend(second) && minute >= 810 && minute < 1200 ? 2 : 1;
}

static unsigned market_session(uint32_t second) {
  unsigned minute = second % DAY / 60;
  if (weekend(second)) return 5;
  if (minute < 480) return 4;
  if (minute < 810) return 1;
  return minute < 1200 ? 2 : 3;
}

static cds_sim_int market_value(const struct moment *m, enum kind kind) {
  switch (kind) {
  case PRICE: return m->price;
  case PRICE_2:
  case PRICE_3:
  case PRICE_4:
  case PRICE_5: return m->price + m->price / 100 * (cds_sim_int)(kind - PRICE);
  case BID: return m->price - spread(m, kind);
  case ASK: return m->price + spread(m, kind);
  case TRADED: return m->price + spread(m, BID) * ((cds_sim_int)(draw(m, kind) % 3) - 1);
  case NATIVE_FEE: return walk_about(m, kind, 26000000000000LL);
  case LINK_FEE: return walk_about(m, kind, 3400000000000000LL);
  case ASSETS: return walk_about(m, kind, ONE * 125000000);
  case VOLUME_BID:
  case VOLUME_ASK: return ONE / 100 * (cds_sim_int)(draw(m, kind) % 100000);
  case COUNT_BID:
  case COUNT_ASK: return (cds_sim_int)(draw(m, kind) % 1000000);
  case MULTIPLIER: return ONE;
  case NEXT_MULTIPLIER: return ONE * 2;
  case TOKENIZED: return m->price + spread(m, kind);
  case NEXT_NAV: return m->price + m->price / 5000;
  case ROLL: return m->price + m->price / 200;
  case SMOOTH_ROLL: return m->price + m->price / 300;
  default: return 0;
  }
}

static cds_sim_int time_value(const struct moment *m, enum kind kind) {
  cds_sim_int second = m->second;
  switch (kind) {
  case VALID_FROM: return m->valid_from;
  case OBSERVED: return m->observed;
  case EXPIRES: return (cds_sim_int)m->observed + (cds_sim_int)30 * DAY * (m->feed->in_ms ? 1000 : 1);
  case STATUS: return market_status(m->second);
  case SESSION: return market_session(m->second);
  case RIPCORD: return cds_sim_hash(m->feed->key, m->second / 600) % 16 == 0;
  case LAST_UPDATE_NS:
    return second * 1000000000 + (cds_sim_int)m->step * 1000000 - (cds_sim_int)(draw(m, kind) % 1000000000);
  case DATE_MS: return (second - second % DAY) * 1000;
  case DATE_NS: return (second - second % DAY) * 1000000000;
  case HOUR: return second - second % 3600;
  case DURATION: return DAY;
  case ACTIVATION: return second - second % DAY + DAY;
  case BLOCK: return second / 12;
  case BLOCK_FROM: return second / 12 - 1;
  case BLOCK_TIME: return second - second % 12;
  case EXPIRY: return second - second % CONTRACT + CONTRACT;
  case NOTICE: return second - second % CONTRACT + CONTRACT - 3 * DAY;
  case MONTH: return m->second / CONTRACT % 12 + 1;
  case BUSINESS_DAY: return m->second % CONTRACT / DAY % 10;
  default: return 0;
  }
}

static void put_block_hash(uint8_t word[32], uint32_t block) {
  for (size_t i = 0; i < 32; i++) word[i] = (uint8_t)(cds_sim_hash(block, i / 8) >> (i % 8 * 8));
}

static void put_field(uint8_t word[32], const struct moment *m, enum kind kind) {
  if (kind == FEED_ID) memcpy(word, m->feed->id, 32);
  else if (kind == BLOCK_HASH) put_block_hash(word, m->second / 12);
  else /* a kind belongs to one of the two, the other gives 0 */
    cds_sim_put_int(word, market_value(m, kind) + time_value(m, kind));
}

const struct cds_sim_layout *cds_sim_layout_find(uint16_t version) {
  for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
    if (layouts[i].version == version) return &layouts[i];
  return NULL;
}

cds_sim_int cds_sim_price(const struct cds_sim_feed *feed, uint32_t second, unsigned step) {
  const struct moment m = {.feed = feed, .second = second, .step = step};
  cds_sim_int price = walk_about(&m, PRICE, feed->base);
  return feed->around_zero ? price - feed->base : price;
}

size_t cds_sim_blob(uint8_t out[32 * CDS_SIM_MAX_BLOB_WORDS], const struct cds_sim_feed *feed, uint64_t valid_from,
                    uint64_t observed, uint32_t second, unsigned step) {
  const struct cds_sim_layout *layout = cds_sim_layout_find(feed->version);
  struct moment m = {feed, valid_from, observed, second, step, cds_sim_price(feed, second, step)};
  size_t count = 0;
  while (layout->fields[count] != END) {
    put_field(out + 32 * count, &m, layout->fields[count]);
    count++;
  }
  return 32 * count;
}
