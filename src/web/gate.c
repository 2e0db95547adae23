/* SPDX-License-Identifier: MIT
 * The checks of the service, in its order. */
#include "web/gate.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "codec/feed_id.h"
#include "crypto/hmac.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_MS 5000
#define MAX_TARGET (256u << 10)

struct cds_web_gate {
  char *key, *secret; /* NULL: nobody has to sign */
  struct cds_feed_id *feeds;
  size_t count;
};

enum cds_status cds_web_gate_new(struct cds_web_gate **out, const char *key, const char *secret,
                                 struct cds_error *err) {
  struct cds_web_gate *gate = *out = cds_calloc(1, sizeof *gate);
  if (gate && key) {
    gate->key = cds_strdup(key);
    gate->secret = cds_strdup(secret);
  }
  if (gate && (!key || (gate->key && gate->secret))) return CDS_OK;
  cds_web_gate_free(gate);
  *out = NULL;
  return cds_error_set(err, CDS_E_MEMORY, "out of memory");
}

void cds_web_gate_free(struct cds_web_gate *gate) {
  if (!gate) return;
  cds_free(gate->key);
  if (gate->secret) cds_free_secret(gate->secret, strlen(gate->secret));
  cds_free(gate->feeds);
  cds_free(gate);
}

enum cds_status cds_web_gate_add(struct cds_web_gate *gate, const char *feed_id, struct cds_error *err) {
  struct cds_feed_id id;
  enum cds_status status = cds_feed_id_parse(&id, feed_id, strlen(feed_id), err);
  if (status != CDS_OK) return status;
  struct cds_feed_id *feeds = cds_realloc(gate->feeds, (gate->count + 1) * sizeof *feeds);
  if (!feeds) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  gate->feeds = feeds;
  feeds[gate->count++] = id;
  return CDS_OK;
}

size_t cds_web_gate_count(const struct cds_web_gate *gate) {
  return gate->count;
}

/* ---- the signature ---- */

static bool is_signed(const struct cds_web_gate *gate, const char *method, const char *target, const char *signature,
                      int64_t time_ms) {
  char expected[65], given[64];
  for (size_t i = 0; i < 64; i++)
    given[i] = (char)(signature[i] >= 'A' && signature[i] <= 'F' ? signature[i] + 32 : signature[i]);
  return cds_sign_request(expected, method, target, "", 0, gate->key, gate->secret, strlen(gate->secret), time_ms) ==
           CDS_OK &&
         cds_equal_secret(expected, given, sizeof given);
}

static bool is_signed_escaped(const struct cds_web_gate *gate, const char *method, const char *target,
                              const char *comma, const char *signature, int64_t time_ms) {
  struct cds_buf escaped;
  enum cds_status status = CDS_OK;
  cds_buf_init(&escaped, MAX_TARGET);
  for (const char *end; status == CDS_OK; target = end + 1) {
    end = target + strcspn(target, ",");
    status = cds_buf_append(&escaped, target, (size_t)(end - target));
    if (!*end) break;
    if (status == CDS_OK) status = cds_buf_append(&escaped, comma, 3);
  }
  bool good = status == CDS_OK && is_signed(gate, method, escaped.data, signature, time_ms);
  cds_buf_clear(&escaped);
  return good;
}

static bool is_signed_somehow(const struct cds_web_gate *gate, const char *method, const char *target,
                              const char *signature, int64_t time_ms) {
  if (is_signed(gate, method, target, signature, time_ms)) return true;
  return strchr(target, ',') && (is_signed_escaped(gate, method, target, "%2C", signature, time_ms) ||
                                 is_signed_escaped(gate, method, target, "%2c", signature, time_ms));
}

static bool is_key(const struct cds_web_gate *gate, const char *key) {
  size_t length = strlen(key);
  return length == strlen(gate->key) && cds_equal_secret(key, gate->key, length);
}

int cds_web_gate_check(const struct cds_web_gate *gate, const char *method, const char *target,
                       const struct cds_web_credentials *credentials, const char **reason) {
  const char *timestamp = credentials->timestamp, *signature = credentials->signature;
  size_t digits = strlen(timestamp);
  if (!gate->key) return 0;
  *reason = "missing authorization headers";
  if (!credentials->key[0] || !timestamp[0] || !signature[0]) return 400;
  *reason = "malformed X-Authorization-Timestamp";
  if (digits > 16 || strspn(timestamp, "0123456789") != digits) return 400;
  *reason = "malformed X-Authorization-Signature-SHA256";
  if (strlen(signature) != 64 || strspn(signature, "0123456789abcdefABCDEF") != 64) return 400;
  *reason = "unknown API key";
  if (!is_key(gate, credentials->key)) return 401;
  int64_t time_ms = strtoll(timestamp, NULL, 10);
  *reason = "timestamp outside of the 5 second window";
  if (llabs(time_ms - cds_clock_wall_ms()) > WINDOW_MS) return 401;
  *reason = "signature mismatch";
  return is_signed_somehow(gate, method, target, signature, time_ms) ? 0 : 401;
}

/* ---- feeds ---- */

static const char *argument(const char *query, const char *name, size_t *length) {
  size_t size = strlen(name);
  while (*query) {
    *length = strcspn(query, "&");
    if (*length > size && memcmp(query, name, size) == 0 && query[size] == '=') {
      *length -= size + 1;
      return query + size + 1;
    }
    query += *length + (query[*length] == '&');
  }
  return NULL;
}

static int want(const struct cds_web_gate *gate, const char *text, size_t length, bool *wanted, const char **reason) {
  struct cds_feed_id id;
  *reason = "malformed feed id";
  if (cds_feed_id_parse(&id, text, length, NULL) != CDS_OK) return 400;
  *reason = "this relay does not have that feed";
  for (size_t i = 0; i < gate->count; i++) {
    if (cds_feed_id_compare(&gate->feeds[i], &id) != 0) continue;
    wanted[i] = true;
    return 0;
  }
  return 401;
}

int cds_web_gate_feeds(const struct cds_web_gate *gate, const char *query, bool **wanted, const char **reason) {
  size_t length;
  const char *list = argument(query, "feedIDs", &length);
  *reason = "missing feedIDs";
  *wanted = NULL;
  if (!list || gate->count == 0) return 400;
  *reason = "out of memory";
  bool *feeds = cds_calloc(gate->count, sizeof *feeds);
  if (!feeds) return 503;
  int status = 0;
  for (const char *end = list + length; status == 0 && list <= end;) {
    size_t part = 0;
    while (list + part < end && list[part] != ',') part++;
    status = want(gate, list, part, feeds, reason);
    list += part + 1;
  }
  if (status == 0) *wanted = feeds;
  else cds_free(feeds);
  return status;
}
