/* SPDX-License-Identifier: MIT
 * A token is <expiration>.<HMAC of that, by the account's secret>.<key>. */
#include "simulator/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codec/hex.h"
#include "crypto/hmac.h"

#define TAG_TEXT 64

static enum cds_status sign(char out[TAG_TEXT], const struct cds_sim_account *account, int64_t expiration) {
  char text[32];
  uint8_t tag[32];
  int length = snprintf(text, sizeof text, "candles %lld", (long long)expiration);
  enum cds_status status = cds_hmac_sha256(tag, account->secret, strlen(account->secret), text, (size_t)length);
  if (status == CDS_OK) cds_hex_encode(out, tag, sizeof tag);
  return status;
}

enum cds_status cds_sim_token_make(struct cds_buf *out, const struct cds_sim_account *account, int64_t expiration) {
  char tag[TAG_TEXT];
  enum cds_status status = sign(tag, account, expiration);
  if (status != CDS_OK) return status;
  return cds_buf_printf(out, "%lld.%.*s.%s", (long long)expiration, TAG_TEXT, tag, account->key);
}

struct cds_sim_account *cds_sim_token_account(struct cds_sim *sim, const struct cds_sim_request *request) {
  const char *value = cds_sim_request_header(request, "Authorization");
  if (!value || strncasecmp(value, "Bearer ", 7) != 0) return NULL;
  char *end, expected[TAG_TEXT];
  long long expiration = strtoll(value + 7, &end, 10);
  if (*end != '.' || strlen(end) < TAG_TEXT + 3 || end[TAG_TEXT + 1] != '.') return NULL;
  struct cds_sim_account *account = cds_sim_find_account(sim, end + TAG_TEXT + 2);
  if (!account || sign(expected, account, expiration) != CDS_OK) return NULL;
  if (!cds_equal_secret(expected, end + 1, TAG_TEXT)) return NULL;
  return cds_sim_gate_ms(sim) < expiration * 1000 ? account : NULL;
}
