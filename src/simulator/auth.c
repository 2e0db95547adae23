/* SPDX-License-Identifier: MIT
 * Who sends a request, and how often they may. */
#include "simulator/auth.h"

#include "base/clock.h"
#include "crypto/hmac.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MS 5000

static bool read_timestamp(int64_t *out, const char *text) {
  size_t length = strlen(text);
  if (length == 0 || length > 16 || text[strspn(text, "0123456789")]) return false;
  *out = strtoll(text, NULL, 10);
  return true;
}

static bool is_signature(const char *text) {
  return strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64;
}

/* Looks at every account whatever the outcome, so that the time taken does not tell keys apart. */
struct cds_sim_account *cds_sim_find_account(struct cds_sim *sim, const char *key) {
  struct cds_sim_account *found = NULL;
  size_t length = strlen(key);
  for (size_t i = 0; i < sim->options->key_count; i++)
    if (strlen(sim->accounts[i].key) == length && cds_equal_secret(sim->accounts[i].key, key, length))
      found = &sim->accounts[i];
  return found;
}

static int check_signature(const struct cds_sim_request *request, const struct cds_sim_account *account,
                           const char *signature, int64_t timestamp, const char **message) {
  char expected[65], given[64];
  for (size_t i = 0; i < 64; i++)
    given[i] = (char)(signature[i] >= 'A' && signature[i] <= 'F' ? signature[i] + 32 : signature[i]);
  *message = "cannot check the signature";
  if (cds_sign_request(expected, request->method, request->target, request->body, request->body_length, account->key,
                       account->secret, strlen(account->secret), timestamp) != CDS_OK)
    return 500;
  *message = "signature mismatch";
  return cds_equal_secret(expected, given, 64) ? 0 : 401;
}

bool cds_sim_has_credentials(const struct cds_sim_request *request) {
  return cds_sim_request_header(request, "Authorization") ||
         cds_sim_request_header(request, "X-Authorization-Timestamp") ||
         cds_sim_request_header(request, "X-Authorization-Signature-SHA256");
}

int cds_sim_authenticate(struct cds_sim *sim, const struct cds_sim_request *request, struct cds_sim_account **account,
                         const char **message) {
  const char *key = cds_sim_request_header(request, "Authorization");
  const char *timestamp = cds_sim_request_header(request, "X-Authorization-Timestamp");
  const char *signature = cds_sim_request_header(request, "X-Authorization-Signature-SHA256");
  int64_t time_ms = 0;
  *message = "missing authorization headers";
  if (!key || !*key || !timestamp || !signature) return 400;
  *message = "malformed X-Authorization-Timestamp";
  if (!read_timestamp(&time_ms, timestamp)) return 400;
  *message = "malformed X-Authorization-Signature-SHA256";
  if (!is_signature(signature)) return 400;
  *account = cds_sim_find_account(sim, key);
  *message = "unknown API key";
  if (!*account) return 401;
  *message = "timestamp outside of the 5 second window";
  if (llabs(time_ms - cds_sim_gate_ms(sim)) > WINDOW_MS) return 401;
  return check_signature(request, *account, signature, time_ms, message);
}

/* A bucket per endpoint that holds one second's worth. */
int cds_sim_throttle(struct cds_sim *sim, struct cds_sim_account *account, enum cds_sim_endpoint endpoint,
                     int *retry_after) {
  double rate = sim->options->rate_limit, size = rate < 1 ? 1 : rate;
  if (rate <= 0) return 0;
  int64_t now = cds_clock_mono_ms() + 1; /* never 0 */
  double *tokens = &account->tokens[endpoint];
  int64_t *refilled = &account->refilled[endpoint];
  *tokens = *refilled == 0 ? size : fmin(size, *tokens + (double)(now - *refilled) * rate / 1000);
  *refilled = now;
  if (*tokens >= 1) {
    *tokens -= 1;
    return 0;
  }
  *retry_after = (int)ceil((1 - *tokens) / rate);
  return 429;
}
