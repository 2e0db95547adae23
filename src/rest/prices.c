/* SPDX-License-Identifier: MIT
 * Calls of the candlestick service, as they are sent. */
#include "rest/prices.h"

#include <string.h>

#include "base/alloc.h"

static enum cds_status prepare(struct cds_call **out, struct cds_client *client, enum cds_operation operation,
                               const struct cds_call_hooks *hooks, struct cds_error *err) {
  const struct cds_call_args args = {.operation = operation};
  const struct cds_url *url = &client->config.prices;
  enum cds_status status = CDS_OK;
  if (url->host == NULL) status = cds_error_set(err, CDS_E_CONFIG, "price_url: missing");
  else status = cds_client_check(client, err);
  if (status == CDS_OK) status = cds_call_prepare(out, client, &args, url, hooks, err);
  if (status == CDS_OK) (*out)->exchange.anonymous = true;
  return status;
}

/* *out is the call, or after a failure NULL and the call gone. */
static enum cds_status give(struct cds_call **out, struct cds_call *call, enum cds_status status) {
  if (status == CDS_OK) *out = call;
  else cds_call_unref(call);
  return status;
}

/* Percent-encodes a value of a form; returns the end. */
static char *encode(char *out, const char *text) {
  static const char digits[] = "0123456789ABCDEF";
  for (; *text != 0; text++) {
    unsigned char c = (unsigned char)*text;
    bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._~", c);
    if (plain) *out++ = *text;
    else {
      *out++ = '%';
      *out++ = digits[c >> 4];
      *out++ = digits[c & 15];
    }
  }
  return out;
}

static enum cds_status write_credentials(struct cds_call *call, const struct cds_config *config,
                                         struct cds_error *err) {
  static const char login[] = "login=", password[] = "&password=";
  size_t size = 3 * (strlen(config->api_key) + strlen(config->api_secret)) + sizeof login + sizeof password;
  call->body = cds_calloc(1, size);
  if (call->body == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  call->body_length = size; /* of what is wiped, should more fail */
  char *at = stpcpy(call->body, login);
  at = stpcpy(encode(at, config->api_key), password);
  call->body_length = (size_t)(encode(at, config->api_secret) - call->body);
  call->exchange.form = true;
  return CDS_OK;
}

enum cds_status cds_prices_authorize(struct cds_call **out, struct cds_client *client,
                                     const struct cds_call_hooks *hooks, struct cds_error *err) {
  struct cds_call *call;
  *out = NULL;
  enum cds_status status = prepare(&call, client, CDS_POST_AUTHORIZE, hooks, err);
  if (status != CDS_OK) return status;
  return give(out, call, write_credentials(call, &client->config, err));
}

static enum cds_status add_token(struct cds_call *call, const char *token, struct cds_error *err) {
  size_t length = strlen(token);
  for (size_t i = 0; i < length; i++)
    if (token[i] <= ' ' || token[i] > '~') return cds_error_set(err, CDS_E_CONFIG, "the token is no header's value");
  if (length == 0 || length > CDS_MAX_TOKEN_BYTES)
    return cds_error_set(err, CDS_E_CONFIG, "the token has %zu bytes, expected 1 to %d", length, CDS_MAX_TOKEN_BYTES);
  call->token = cds_strdup(token);
  return call->token == NULL ? cds_error_set(err, CDS_E_MEMORY, "out of memory") : CDS_OK;
}

enum cds_status cds_prices_ask(struct cds_call **out, struct cds_client *client, enum cds_operation operation,
                               const char *query, const char *token, const struct cds_call_hooks *hooks,
                               struct cds_error *err) {
  struct cds_call *call;
  *out = NULL;
  enum cds_status status = prepare(&call, client, operation, hooks, err);
  if (status != CDS_OK) return status;
  status = cds_call_add_query(call, query, err);
  if (status == CDS_OK) status = add_token(call, token, err);
  return give(out, call, status);
}
