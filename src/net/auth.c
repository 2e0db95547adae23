/* SPDX-License-Identifier: MIT
 * Signs one request: the values of the authentication headers. */
#include "net/auth.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hmac.h"

enum cds_status cds_auth_sign(struct cds_auth *out, const char *method, const char *target, const char *api_key,
                              const char *api_secret, int64_t now_ms, struct cds_error *err) {
  snprintf(out->timestamp, sizeof out->timestamp, "%" PRId64, now_ms);
  enum cds_status status =
    cds_sign_request(out->signature, method, target, "", 0, api_key, api_secret, strlen(api_secret), now_ms);
  if (status != CDS_OK) return cds_error_set(err, status, "the request could not be signed");
  return CDS_OK;
}
