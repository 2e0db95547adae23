/* SPDX-License-Identifier: MIT
 * Which proxy a WebSocket connection goes through, by libcurl's rules, so that both halves of a client agree. */
#ifndef CDS_PROXY_H
#define CDS_PROXY_H

#include "net/url.h"

/* "" for none, else "[user:password@]host:port"; owned by the caller. */
#define CDS_MAX_PROXY_TEXT 512

/* setting: an explicit proxy, "" for none, NULL for the environment: https_proxy, HTTPS_PROXY (http_proxy for an
 * endpoint without TLS), then all_proxy, ALL_PROXY; no_proxy and NO_PROXY list hosts that get none.
 * CDS_E_CONFIG for a proxy that is not HTTP or too long. */
CDS_MUST_CHECK enum cds_status cds_proxy_for(char out[CDS_MAX_PROXY_TEXT], const struct cds_url *url,
                                             const char *setting, struct cds_error *err);

/* The part that may be told: "host:port", without user and password. Points into proxy, as cds_proxy_for wrote it. */
const char *cds_proxy_name(const char *proxy);

#endif
