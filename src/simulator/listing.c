/* SPDX-License-Identifier: MIT
 * What discovery tells of a feed: made up from its name and its schema. */
#include "simulator/listing.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define GENESIS 1704067200 /* 2024-01-01 */
#define NOTICE (20 * DAY)  /* how long before it goes a feed of v1 is always found */
#define VERSION_BITS 0x0fff

static const struct kind {
  const char *asset_class, *feed_type, *attribute_type, *market_hours;
} kinds[] = {
  {"Other", "Other", "Value", "24/7"},
  {"Crypto", "Legacy", "LegacyPrice", "24/7"},
  {"Crypto", "Crypto Standard", "AveragePrice", "24/7"},
  {"Crypto", "Crypto Advanced", "CexPrice", "24/7"},
  {"Forex", "RWA Standard", "MidPrice", "24/5"},
  {"Rates", "Rate", "InterestRate", "24/7"},
  {"Crypto", "Basket", "MultiPrice", "24/7"},
  {"Crypto", "Exchange Rate", "ExchangeRate", "24/7"},
  {"Equities", "RWA Standard", "MidPrice", "US equities"},
  {"Funds", "Net Asset Value", "NavPerShare", "daily"},
  {"Equities", "Tokenized Asset", "TokenPrice", "24/7"},
  {"Equities", "RWA Advanced", "MidPrice", "US equities 24/5"},
  {"Funds", "Net Asset Value", "NavRange", "daily"},
  {"Crypto", "Best Bid and Ask", "DexPrice", "24/7"},
  {"Commodities", "Futures", "FuturesPrice", "24/5"},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static void write_time(char out[CDS_SIM_TIME_TEXT], int64_t seconds, unsigned micros) {
  struct tm parts;
  char text[24];
  time_t time = (time_t)seconds;
  out[0] = 0;
  if (gmtime_r(&time, &parts) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts) > 0)
    snprintf(out, CDS_SIM_TIME_TEXT, "%s.%06uZ", text, micros % 1000000);
}

/* "ETH/USD-2" is ETH in USD, and so is "ETH-PERP": what a name does not say is in dollars. */
static void split_name(struct cds_sim_listing *out) {
  size_t base = strcspn(out->name, "/-");
  const char *quote = out->name[base] == '/' ? out->name + base + 1 : "USD";
  snprintf(out->base, sizeof out->base, "%.*s", (int)base, out->name);
  snprintf(out->quote, sizeof out->quote, "%.*s", (int)strcspn(quote, "-"), quote);
}

static void describe(struct cds_sim_listing *out, const char *id, const char *name, unsigned version) {
  const struct kind *kind = &kinds[version < KINDS ? version : 0];
  *out = (struct cds_sim_listing){.id = id, .name = name, .version = version};
  split_name(out);
  out->texts[CDS_SIM_BASE_ASSET] = out->base;
  out->texts[CDS_SIM_QUOTE_ASSET] = out->quote;
  out->texts[CDS_SIM_ASSET_CLASS] = kind->asset_class;
  out->texts[CDS_SIM_FEED_TYPE] = kind->feed_type;
  out->texts[CDS_SIM_ATTRIBUTE_TYPE] = kind->attribute_type;
  out->texts[CDS_SIM_STATUS_NAME] = version == 13 ? "testing" : "live";
  out->texts[CDS_SIM_NETWORK_TYPE] = version == 6 ? "testnet" : "mainnet";
  out->market_hours = kind->market_hours;
  out->service_level = version == 1 ? "legacy" : "standard";
  write_time(out->times[CDS_SIM_CREATED], GENESIS + (int64_t)version * 30 * DAY, version * 1001);
}

void cds_sim_listing_of(struct cds_sim_listing *out, const struct cds_sim_feed *feed, int64_t now_ms) {
  describe(out, feed->text, feed->name, feed->version & VERSION_BITS);
  out->hidden = out->version == 12;
  if (out->version == 1) write_time(out->times[CDS_SIM_LEAVING], now_ms / 1000 + NOTICE, 0);
}

void cds_sim_listing_gone(struct cds_sim_listing *out) {
  describe(out, "0x0003676f6e6520776974686f757420612074726163650000000000000000cafe", "LUNA/USD", 3);
  write_time(out->times[CDS_SIM_LEAVING], GENESIS + 455 * DAY, 0);
  write_time(out->times[CDS_SIM_LEFT], GENESIS + 456 * DAY + 57600, 250000);
}

static enum cds_status write_member(struct cds_buf *out, const char *name, const char *value) {
  return *value == 0 ? cds_buf_printf(out, "\"%s\":null,", name) : cds_buf_printf(out, "\"%s\":\"%s\",", name, value);
}

enum cds_status cds_sim_listing_json(struct cds_buf *out, const struct cds_sim_listing *listing) {
  const struct {
    const char *name, *value;
  } members[] = {
    {"feedId", listing->id},
    {"name", listing->name},
    {"assetName", listing->base},
    {"baseAsset", listing->base},
    {"quoteAsset", listing->quote},
    {"assetClass", listing->texts[CDS_SIM_ASSET_CLASS]},
    {"feedType", listing->texts[CDS_SIM_FEED_TYPE]},
    {"attributeType", listing->texts[CDS_SIM_ATTRIBUTE_TYPE]},
    {"marketHours", listing->market_hours},
    {"serviceLevel", listing->service_level},
    {"networkType", listing->texts[CDS_SIM_NETWORK_TYPE]},
    {"status", listing->texts[CDS_SIM_STATUS_NAME]},
    {"createdAt", listing->times[CDS_SIM_CREATED]},
    {"expectedDecommissionAt", listing->times[CDS_SIM_LEAVING]},
    {"decommissionedAt", listing->times[CDS_SIM_LEFT]},
  };
  enum cds_status status = cds_buf_printf(out, "{");
  for (size_t i = 0; status == CDS_OK && i < sizeof members / sizeof members[0]; i++)
    status = write_member(out, members[i].name, members[i].value);
  return status == CDS_OK ? cds_buf_printf(out, "\"schemaVersion\":\"V%u\"}", listing->version) : status;
}
