/* SPDX-License-Identifier: MIT
 * Why a request failed, in words: from libcurl's codes to our errors. Private to net/transfer.c and its tests. */
#ifndef CDS_REST_ERROR_H
#define CDS_REST_ERROR_H

#include "net/rest.h"

#define CDS_REST_REASON_TEXT 256 /* libcurl's CURL_ERROR_SIZE */

/* What is known about a finished transfer besides libcurl's code. */
struct cds_rest_result {
  char reason[CDS_REST_REASON_TEXT]; /* libcurl's own words, "" when it has none */
  long verify_result;                /* OpenSSL's, 0 when the certificate chain was good */
  long os_error;                     /* errno of the attempt to connect, 0 when it worked or is not known */
  bool connected;                    /* the connection stood, TLS included */
  bool has_begun;                    /* something of the answer came */
  size_t header_bytes;
  const char *excess; /* "headers" or "body" when that passed its cap, else NULL */
  enum cds_status append_status;
};

/* code is a CURLcode. Returns CDS_OK for CURLE_OK; origin is "https://host:port". */
enum cds_status cds_rest_error(struct cds_error *err, int code, const struct cds_rest_result *result,
                               const struct cds_rest_options *options, const char *origin);

#endif
