/* SPDX-License-Identifier: MIT
 * From an HTTP status to an error, with what the answer says of time and reason. */
#include "rest/api_error.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define SKEW_WORTH_TELLING 5.0 /* seconds; the service refuses signatures further off than that */

static const char *reason_phrase(int status) {
  switch (status) {
  case 400: return " (bad request)";
  case 401: return " (unauthorized)";
  case 403: return " (forbidden)";
  case 404: return " (not found)";
  case 429: return " (too many requests)";
  case 500: return " (internal server error)";
  case 502: return " (bad gateway)";
  case 503: return " (service unavailable)";
  case 504: return " (gateway timeout)";
  default: return "";
  }
}

/* Copies what fits: blanks and line ends as single spaces, whole UTF-8 sequences, everything else as \xNN. */
static void copy_text(char *out, size_t size, const char *body, size_t length) {
  size_t used = 0;
  for (size_t i = 0; i < length;) {
    unsigned char c = (unsigned char)body[i];
    size_t step = cds_utf8_length((const unsigned char *)body + i, length - i);
    bool is_space = c == '\t' || c == '\r' || c == '\n';
    bool is_plain = step > 0 && (c >= ' ' && c != 0x7f);
    size_t need = is_space ? 1 : is_plain ? step : 4;
    if (used + need >= size) break;
    if (is_space) out[used] = ' ';
    else if (is_plain) memcpy(out + used, body + i, step);
    else snprintf(out + used, 5, "\\x%02x", c);
    used += need;
    i += is_plain ? step : 1;
  }
  out[used] = 0;
}

static enum cds_status auth_error(struct cds_error *err, const char *path, const struct cds_exchange *exchange) {
  const char *method = cds_exchange_method(exchange);
  double server_seconds, skew = 0;
  bool has_skew = cds_http_date(&server_seconds, exchange->headers.data);
  if (has_skew) skew = (double)exchange->received_at_ms / 1000 - server_seconds;
  if (has_skew && fabs(skew) > SKEW_WORTH_TELLING)
    cds_error_set(err, CDS_E_AUTH,
                  "%s %s answered %d%s; the local clock is %.0f s %s the service's, which accepts 5 s: set the clock",
                  method, path, exchange->http_status, reason_phrase(exchange->http_status), fabs(skew),
                  skew > 0 ? "ahead of" : "behind");
  else
    cds_error_set(err, CDS_E_AUTH, "%s %s answered %d%s: the key, the secret or the feed is refused", method, path,
                  exchange->http_status, reason_phrase(exchange->http_status));
  err->has_clock_skew = has_skew;
  err->clock_skew = skew;
  return CDS_E_AUTH;
}

static enum cds_status status_error(struct cds_error *err, const char *path, const struct cds_exchange *exchange) {
  const char *method = cds_exchange_method(exchange);
  int status = exchange->http_status;
  if (status == 401 || status == 403) return auth_error(err, path, exchange);
  if (status == 429)
    return cds_error_set(err, CDS_E_RATE_LIMIT, "%s %s answered 429%s", method, path, reason_phrase(status));
  if (status >= 300 && status < 400)
    return cds_error_set(err, CDS_E_API, "%s %s answered %d, a redirect, which is not followed", method, path, status);
  cds_error_set(err, CDS_E_API, "%s %s answered %d%s", method, path, status, reason_phrase(status));
  err->retryable = status >= 500;
  return CDS_E_API;
}

enum cds_status cds_api_http_error(struct cds_error *err, const char *path, const struct cds_exchange *exchange) {
  enum cds_status status = status_error(err, path, exchange);
  err->http_status = exchange->http_status;
  err->has_retry_after = cds_http_retry_after(&err->retry_after, exchange->headers.data, exchange->received_at_ms);
  if (exchange->body.data != NULL) copy_text(err->body, sizeof err->body, exchange->body.data, exchange->body.length);
  return status;
}
