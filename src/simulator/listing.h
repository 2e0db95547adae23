/* SPDX-License-Identifier: MIT
 * What discovery tells of a feed: made up from its name and its schema. */
#ifndef CDS_SIM_LISTING_H
#define CDS_SIM_LISTING_H

#include "base/buf.h"
#include "simulator/feeds.h"

/* The members that are text filters, in the order of cds_sim_listing.texts. */
enum cds_sim_listed {
  CDS_SIM_BASE_ASSET,
  CDS_SIM_QUOTE_ASSET,
  CDS_SIM_ASSET_CLASS,
  CDS_SIM_FEED_TYPE,
  CDS_SIM_ATTRIBUTE_TYPE,
  CDS_SIM_STATUS_NAME,
  CDS_SIM_NETWORK_TYPE,
  CDS_SIM_LISTED_TEXTS
};

enum cds_sim_listed_time { CDS_SIM_CREATED, CDS_SIM_LEAVING, CDS_SIM_LEFT, CDS_SIM_LISTED_TIMES };

#define CDS_SIM_LISTED_TEXT 48
#define CDS_SIM_TIME_TEXT 40

struct cds_sim_listing {
  const char *id, *name;
  unsigned version;
  const char *texts[CDS_SIM_LISTED_TEXTS];
  const char *market_hours, *service_level;
  char times[CDS_SIM_LISTED_TIMES][CDS_SIM_TIME_TEXT]; /* RFC 3339 with microseconds, UTC; "" for none */
  bool hidden;
  char base[CDS_SIM_LISTED_TEXT], quote[CDS_SIM_LISTED_TEXT]; /* room for two of the texts */
};

/* Feeds of v1 are to go twenty days after now; those of v12 are hidden, of v13 testing, of v6 on the testnet. The texts
 * are the feed's and the listing's own: neither may move. */
void cds_sim_listing_of(struct cds_sim_listing *out, const struct cds_sim_feed *feed, int64_t now_ms);

/* A feed that is gone, and no longer served. */
void cds_sim_listing_gone(struct cds_sim_listing *out);

CDS_MUST_CHECK enum cds_status cds_sim_listing_json(struct cds_buf *out, const struct cds_sim_listing *listing);

#endif
