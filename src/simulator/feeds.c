/* SPDX-License-Identifier: MIT
 * The default feed set goes round the schemas; each schema has a few well-known names, further feeds are numbered. */
#include "simulator/feeds.h"

#include "base/alloc.h"
#include "codec/hex.h"
#include "crypto/keccak.h"
#include "simulator/blob.h"
#include "simulator/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 4

/* price in thousandths; 0: the value walks about zero */
struct known {
  uint16_t version;
  struct {
    const char *name;
    int64_t price;
  } feeds[NAMES];
};

static const struct known all_known[] = {
  {3, {{"ETH/USD", 3450120}, {"BTC/USD", 67210500}, {"LINK/USD", 18340}, {"SOL/USD", 172330}}},
  {2, {{"AVAX/USD", 35120}, {"BTC-FUNDING", 0}, {"DOGE/USD", 161}, {"UNI/USD", 9870}}},
  {4, {{"EUR/USD", 1084}, {"XAU/USD", 2391200}, {"GBP/USD", 1271}, {"USD/JPY", 156300}}},
  {5, {{"ETH-BORROW-RATE", 0}, {"USDC-LEND-RATE", 0}, {"SOFR-SPREAD", 0}, {"ETH-BASIS", 0}}},
  {6, {{"STETH-BASKET", 3449800}, {"BTC-CURVE", 67300100}, {"GAS-TIERS", 21}, {"LST-BASKET", 3600000}}},
  {7, {{"WSTETH/STETH", 1171}, {"RETH/ETH", 1112}, {"SUSDE/USDE", 1081}, {"SAVAX/AVAX", 1134}}},
  {8, {{"AAPL/USD", 221300}, {"TSLA/USD", 248900}, {"SPY/USD", 552100}, {"NVDA/USD", 124700}}},
  {9, {{"TBILL-NAV", 1043}, {"MMF-NAV", 1000}, {"CREDIT-NAV", 10211}, {"GOLD-NAV", 76400}}},
  {10, {{"AAPLX/USD", 221410}, {"TSLAX/USD", 249020}, {"SPYX/USD", 552300}, {"NVDAX/USD", 124810}}},
  {11, {{"MSFT/USD", 441200}, {"AMZN/USD", 186500}, {"GOOGL/USD", 181100}, {"META/USD", 498300}}},
  {12, {{"FUND-A-NAV", 1021}, {"FUND-B-NAV", 25300}, {"FUND-C-NAV", 100450}, {"FUND-D-NAV", 9980}}},
  {13, {{"ETH-PERP", 3451000}, {"BTC-PERP", 67240000}, {"LINK-PERP", 18360}, {"SOL-PERP", 172500}}},
  {1,
   {{"ETH/USD-LEGACY", 3450000}, {"BTC/USD-LEGACY", 67200000}, {"LINK/USD-LEGACY", 18350}, {"MATIC/USD-LEGACY", 562}}},
  {14, {{"WTI-FUTURE", 71230}, {"GOLD-FUTURE", 2402500}, {"BRENT-FUTURE", 75110}, {"GAS-FUTURE", 2841}}},
};
#define SCHEMAS (sizeof all_known / sizeof all_known[0])

bool cds_sim_id_parse(uint8_t id[32], const char *text, size_t length) {
  return length == CDS_SIM_ID_TEXT && text[0] == '0' && text[1] == 'x' && cds_hex_decode(id, text + 2, 64) == 64;
}

/* What follows from the id alone; a later name of the default set may overrule the price. */
static void set_id(struct cds_sim_feed *feed, uint64_t seed) {
  uint64_t key = seed;
  for (size_t i = 0; i < 32; i += 8) {
    uint64_t part = 0;
    for (size_t j = 0; j < 8; j++) part = part << 8 | feed->id[i + j];
    key = cds_sim_hash(key, part);
  }
  memcpy(feed->text, "0x", 2);
  cds_hex_encode(feed->text + 2, feed->id, 32);
  feed->text[CDS_SIM_ID_TEXT] = 0;
  feed->version = (uint16_t)((feed->id[0] & 0xf) << 8 | feed->id[1]);
  feed->in_ms = feed->id[0] >> 4 == 1;
  feed->key = key;
}

static void set_price(struct cds_sim_feed *feed, int64_t thousandths) {
  feed->around_zero = thousandths == 0;
  feed->base = (cds_sim_int)(thousandths ? thousandths : 50) * 1000000000000000LL;
}

static void default_feed(struct cds_sim_feed *feed, uint64_t seed, size_t index, bool in_ms) {
  const struct known *schema = &all_known[index % SCHEMAS];
  size_t number = index / SCHEMAS;
  const char *name = schema->feeds[number % NAMES].name, *unit = in_ms ? "-MS" : "";
  if (number < NAMES) snprintf(feed->name, sizeof feed->name, "%s%s", name, unit);
  else snprintf(feed->name, sizeof feed->name, "%s%s-%zu", name, unit, number / NAMES + 1);
  uint8_t hash[32];
  cds_keccak256(hash, feed->name, strlen(feed->name));
  feed->id[0] = (uint8_t)(schema->version >> 8 | (in_ms ? 0x10 : 0));
  feed->id[1] = (uint8_t)schema->version;
  memcpy(feed->id + 2, hash, 30);
  set_id(feed, seed);
  set_price(feed, schema->feeds[number % NAMES].price);
}

static const struct cds_sim_feeds *sorting; /* qsort has no context; set for the duration of one call */

static int by_id(const void *a, const void *b) {
  return memcmp(sorting->list[*(const size_t *)a].id, sorting->list[*(const size_t *)b].id, 32);
}

static enum cds_status allocate(struct cds_sim_feeds *out, size_t count, struct cds_error *err) {
  out->count = count;
  out->list = cds_calloc(count, sizeof *out->list);
  out->order = cds_calloc(count, sizeof *out->order);
  if (out->list && out->order) return CDS_OK;
  cds_sim_feeds_clear(out);
  return cds_error_set(err, CDS_E_MEMORY, "no memory for %zu feeds", count);
}

static enum cds_status sort(struct cds_sim_feeds *feeds, struct cds_error *err) {
  for (size_t i = 0; i < feeds->count; i++) feeds->order[i] = i;
  sorting = feeds;
  qsort(feeds->order, feeds->count, sizeof *feeds->order, by_id);
  for (size_t i = 1; i < feeds->count; i++) {
    if (by_id(&feeds->order[i - 1], &feeds->order[i]) != 0) continue;
    cds_error_set(err, CDS_E_CONFIG, "feed %s is given twice", feeds->list[feeds->order[i]].text);
    cds_sim_feeds_clear(feeds);
    return CDS_E_CONFIG;
  }
  return CDS_OK;
}

enum cds_status cds_sim_feeds_default(struct cds_sim_feeds *out, uint64_t seed, size_t count, size_t ms_count,
                                      struct cds_error *err) {
  if (count < 1 || count > CDS_SIM_MAX_FEEDS)
    return cds_error_set(err, CDS_E_CONFIG, "feeds must be 1 to %d", CDS_SIM_MAX_FEEDS);
  if (allocate(out, count, err) != CDS_OK) return CDS_E_MEMORY;
  for (size_t i = 0; i < count; i++) default_feed(&out->list[i], seed, i, i < ms_count);
  return sort(out, err);
}

static void name_feed(struct cds_sim_feed *feed, uint64_t seed) {
  struct cds_sim_feed known = {0};
  for (size_t i = 0; i < SCHEMAS * NAMES; i++) {
    default_feed(&known, seed, i, feed->in_ms);
    if (memcmp(known.id, feed->id, 32) != 0) continue;
    *feed = known;
    return;
  }
  snprintf(feed->name, sizeof feed->name, "FEED-%.8s", feed->text + 6);
  set_price(feed, (int64_t)(1000 + cds_sim_hash(feed->key, 1) % 1000000));
}

static enum cds_status given_feed(struct cds_sim_feed *feed, uint64_t seed, const char *text, bool known,
                                  struct cds_error *err) {
  if (!cds_sim_id_parse(feed->id, text, strlen(text)))
    return cds_error_set(err, CDS_E_CONFIG, "feed \"%.80s\" is not 0x and 64 hex digits", text);
  set_id(feed, seed);
  if (known && !cds_sim_layout_find(feed->version))
    return cds_error_set(err, CDS_E_CONFIG, "feed %s has schema version %u, only 1 to 14 are known", feed->text,
                         feed->version);
  if (known && feed->id[0] >> 4 > 1)
    return cds_error_set(err, CDS_E_CONFIG, "feed %s has a resolution that is neither seconds nor milliseconds",
                         feed->text);
  name_feed(feed, seed);
  return CDS_OK;
}

enum cds_status cds_sim_feeds_list(struct cds_sim_feeds *out, uint64_t seed, const char *const *ids, size_t count,
                                   bool known, struct cds_error *err) {
  if (count < 1 || count > CDS_SIM_MAX_FEEDS)
    return cds_error_set(err, CDS_E_CONFIG, "there must be 1 to %d feeds", CDS_SIM_MAX_FEEDS);
  if (allocate(out, count, err) != CDS_OK) return CDS_E_MEMORY;
  for (size_t i = 0; i < count; i++) {
    if (given_feed(&out->list[i], seed, ids[i], known, err) == CDS_OK) continue;
    cds_sim_feeds_clear(out);
    return CDS_E_CONFIG;
  }
  return sort(out, err);
}

void cds_sim_feeds_clear(struct cds_sim_feeds *feeds) {
  cds_free(feeds->list);
  cds_free(feeds->order);
  *feeds = (struct cds_sim_feeds){0};
}

long cds_sim_feeds_find(const struct cds_sim_feeds *feeds, const uint8_t id[32]) {
  size_t low = 0, high = feeds->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2, index = feeds->order[middle];
    int order = memcmp(id, feeds->list[index].id, 32);
    if (order == 0) return (long)index;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return -1;
}
