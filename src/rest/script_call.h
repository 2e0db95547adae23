/* SPDX-License-Identifier: MIT
 * A call as a script makes it and waits for it: started at once, and its descriptor is readable when there is something
 * to take. Used by one thread at a time, the script's; the REST thread works behind it. */
#ifndef CDS_SCRIPT_CALL_H
#define CDS_SCRIPT_CALL_H

#include "codec/report.h"
#include "context/context.h"
#include "rest/operation.h"

struct cds_call;

CDS_MUST_CHECK enum cds_status cds_call_start(struct cds_call **out, struct cds_client *client,
                                              const struct cds_call_args *args, struct cds_error *err);

/* POSTs JSON to the client's REST endpoint itself, not signed. The question must be idempotent: it may be sent again.
 * Copies the body. */
CDS_MUST_CHECK enum cds_status cds_call_post(struct cds_call **out, struct cds_client *client, const char *body,
                                             size_t length, struct cds_error *err);

/* GETs the catalogue of feeds by a query such as "base_asset=BTC&hidden=true", encoded already ("" for none). anonymous:
 * not signed. CDS_E_CONFIG when the query is longer than CDS_MAX_QUERY_BYTES, or not encoded. */
CDS_MUST_CHECK enum cds_status cds_call_discover(struct cds_call **out, struct cds_client *client, const char *query,
                                                 bool anonymous, struct cds_error *err);

/* Asks the candlestick service for a token, by the client's credentials. */
CDS_MUST_CHECK enum cds_status cds_call_authorize(struct cds_call **out, struct cds_client *client,
                                                  struct cds_error *err);

/* Asks the candlestick service for groups, symbols or candles by an encoded query ("" for none) and a token, which must
 * be visible ASCII of at most CDS_MAX_TOKEN_BYTES. */
CDS_MUST_CHECK enum cds_status cds_call_prices(struct cds_call **out, struct cds_client *client,
                                               enum cds_operation operation, const char *query, const char *token,
                                               struct cds_error *err);

int cds_call_fd(const struct cds_call *call); /* readable once the call is done or an event waits */
bool cds_call_is_done(struct cds_call *call);

/* After done: CDS_OK or the call's error. */
enum cds_status cds_call_error(struct cds_call *call, struct cds_error *err);

/* After done and CDS_OK. The reports, at most once each: gives ownership away, NULL past the last. */
struct cds_report *cds_call_take_report(struct cds_call *call);
/* The answer's body (see cds_api_is_read_by_script; else NULL); belongs to the call. */
const char *cds_call_body(const struct cds_call *call, size_t *length);
double cds_call_keep_seconds(
  const struct cds_call *call);                        /* for which it may be kept: CDS_GET_DISCOVERY only, else 0 */
int cds_call_http_status(const struct cds_call *call); /* 200, 206 */
bool cds_call_next_page(const struct cds_call *call, int64_t *timestamp); /* as the service gave it */

struct cds_event *cds_call_take_event(struct cds_call *call); /* any time; NULL when none; caller frees */
void cds_call_free(struct cds_call *call);                    /* cancels it when it is not done */

#endif
