/* SPDX-License-Identifier: MIT
 * What REST can be asked. */
#ifndef CDS_OPERATION_H
#define CDS_OPERATION_H

#include "codec/feed_id.h"

enum cds_operation {
  CDS_GET_FEEDS,
  CDS_GET_LATEST_REPORT, /* feeds[0] */
  CDS_GET_REPORT,        /* feeds[0], timestamp */
  CDS_GET_REPORTS,       /* feeds, timestamp */
  CDS_GET_REPORT_PAGE,   /* feeds[0], timestamp = start, limit (0: the service's default) */
  CDS_GET_DISCOVERY,     /* cds_call_discover's */
  CDS_HEAD_ORIGINS,      /* the engine's own: which origins the WebSocket service has */
  CDS_POST_JSON,         /* cds_call_post's */
  CDS_POST_AUTHORIZE,    /* cds_call_authorize's: the candlestick service, as those that follow, cds_call_prices' */
  CDS_GET_GROUPS,
  CDS_GET_SYMBOLS,
  CDS_GET_CANDLES,
  CDS_GET_TRADES /* rest/trades.c's: an answer without an end */
};

struct cds_call_args {
  enum cds_operation operation;
  const struct cds_feed_id *feeds;
  size_t feed_count;
  uint32_t timestamp;
  uint32_t limit;
};

#endif
