/* SPDX-License-Identifier: MIT
 * The table of endpoints. */
#include "simulator/endpoint.h"

#include <string.h>

static const struct {
  const char *method, *path;
} routes[] = {
  [CDS_SIM_FEEDS] = {"GET", "/api/v1/feeds"},
  [CDS_SIM_DISCOVERY] = {"GET", "/api/v1/discovery"},
  [CDS_SIM_LATEST] = {"GET", "/api/v1/reports/latest"},
  [CDS_SIM_AT] = {"GET", "/api/v1/reports"},
  [CDS_SIM_BULK] = {"GET", "/api/v1/reports/bulk"},
  [CDS_SIM_PAGE] = {"GET", "/api/v1/reports/page"},
  [CDS_SIM_ORIGINS] = {"HEAD", "/"},
  [CDS_SIM_AUTHORIZE] = {"POST", "/api/v1/authorize"},
  [CDS_SIM_GROUPS] = {"GET", "/api/v1/groups"},
  [CDS_SIM_SYMBOLS] = {"GET", "/api/v1/symbol_info"},
  [CDS_SIM_HISTORY] = {"GET", "/api/v1/history"},
  [CDS_SIM_HISTORY_ROWS] = {"GET", "/api/v1/history/rows"},
  [CDS_SIM_STREAMING] = {"GET", "/api/v1/streaming"},
  [CDS_SIM_WS] = {"GET", "/api/v1/ws"},
  [CDS_SIM_WS_V2] = {"GET", "/api/v2/ws"},
};

enum cds_sim_endpoint cds_sim_endpoint_find(const struct cds_sim_request *request) {
  if (strncmp(request->path, "/control/", 9) == 0) return CDS_SIM_CONTROL;
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
    if (strcmp(request->method, routes[i].method) == 0 && strcmp(request->path, routes[i].path) == 0)
      return (enum cds_sim_endpoint)i;
  return CDS_SIM_OTHER;
}

bool cds_sim_endpoint_is_ws(enum cds_sim_endpoint endpoint) {
  return endpoint == CDS_SIM_WS || endpoint == CDS_SIM_WS_V2;
}

bool cds_sim_endpoint_is_prices(enum cds_sim_endpoint endpoint) {
  return endpoint >= CDS_SIM_AUTHORIZE && endpoint <= CDS_SIM_STREAMING;
}

const char *cds_sim_endpoint_name(enum cds_sim_endpoint endpoint) {
  return endpoint == CDS_SIM_OTHER ? "other" : routes[endpoint].path;
}
