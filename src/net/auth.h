/* SPDX-License-Identifier: MIT
 * The authentication headers of one request. A signature is good for about five seconds of the service's clock:
 * make a fresh one for every attempt, as late as can be. */
#ifndef CDS_AUTH_H
#define CDS_AUTH_H

#include "base/error.h"

#define CDS_USER_AGENT "chainlink-streams-lua/" CDS_VERSION

/* Header names, without the colon. The first one's value is the API key itself. */
#define CDS_HEADER_KEY "Authorization"
#define CDS_HEADER_TIMESTAMP "X-Authorization-Timestamp"
#define CDS_HEADER_SIGNATURE "X-Authorization-Signature-SHA256"

/* Both texts are valid header values, and of constant length until the year 2286. */
struct cds_auth {
  char timestamp[21]; /* Unix milliseconds */
  char signature[65];
};

/* method is "GET" or "HEAD" (the body is empty); target is the exact request target: base path, path and query. */
CDS_MUST_CHECK enum cds_status cds_auth_sign(struct cds_auth *out, const char *method, const char *target,
                                             const char *api_key, const char *api_secret, int64_t now_ms,
                                             struct cds_error *err);

#endif
