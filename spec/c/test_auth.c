/* SPDX-License-Identifier: MIT
 * The values of a request's authentication headers: a signature of the test's own takes the place of crypto/hmac.c. */
#include "net/auth.h"

#include "crypto/hmac.h"
#include "tap.h"

static enum cds_status outcome;

enum cds_status cds_sign_request(char out[65], const char *method, const char *target, const void *body,
                                 size_t body_length, const char *api_key, const char *api_secret, size_t secret_length,
                                 int64_t now_ms) {
  snprintf(out, 65, "%s %s %zu %s %.*s %lld", method, target, body_length, api_key, (int)secret_length, api_secret,
           (long long)now_ms);
  ok(body != NULL, "of a body, which is empty");
  return outcome;
}

int main(void) {
  struct cds_auth auth;
  struct cds_error err = {0};
  is_number(cds_auth_sign(&auth, "HEAD", "/x", "key", "secret", 1700000000123, &err), CDS_OK, "a request is signed");
  is_string(auth.timestamp, "1700000000123", "at its time");
  is_string(auth.signature, "HEAD /x 0 key secret 1700000000123", "as it is sent");
  outcome = CDS_E_MEMORY;
  is_number(cds_auth_sign(&auth, "HEAD", "/x", "key", "secret", 1, &err), CDS_E_MEMORY, "or it is not");
  ok(err.status == CDS_E_MEMORY && strcmp(err.message, "the request could not be signed") == 0, "as is told");
  return done();
}
