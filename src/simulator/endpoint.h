/* SPDX-License-Identifier: MIT
 * What can be asked for: method and path. */
#ifndef CDS_SIM_ENDPOINT_H
#define CDS_SIM_ENDPOINT_H

#include "simulator/http.h"

enum cds_sim_endpoint {
  CDS_SIM_FEEDS,
  CDS_SIM_DISCOVERY,
  CDS_SIM_LATEST,
  CDS_SIM_AT,
  CDS_SIM_BULK,
  CDS_SIM_PAGE,
  CDS_SIM_ORIGINS,
  CDS_SIM_AUTHORIZE,
  CDS_SIM_GROUPS,
  CDS_SIM_SYMBOLS,
  CDS_SIM_HISTORY,
  CDS_SIM_HISTORY_ROWS,
  CDS_SIM_STREAMING,
  CDS_SIM_WS,
  CDS_SIM_WS_V2,
  CDS_SIM_OTHER,
  CDS_SIM_ENDPOINTS, /* the number of those that are counted */
  CDS_SIM_CONTROL
};

bool cds_sim_endpoint_is_ws(enum cds_sim_endpoint endpoint);
bool cds_sim_endpoint_is_prices(enum cds_sim_endpoint endpoint); /* of the candlestick service */
enum cds_sim_endpoint cds_sim_endpoint_find(const struct cds_sim_request *request);

/* The path of one that is counted, "other" for OTHER. */
const char *cds_sim_endpoint_name(enum cds_sim_endpoint endpoint);

#endif
