/* SPDX-License-Identifier: MIT
 * The script's side of a REST call. */
#include "rest/script_call.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "rest/rest_thread.h"

/* ---- start ---- */

/* Submits a call that a script waits for; *out is NULL after a failure, and the call gone. */
static enum cds_status start(struct cds_call **out, struct cds_call *call, struct cds_error *err) {
  enum cds_status status = cds_notify_init(&call->notify, err);
  if (status == CDS_OK) status = cds_rest_thread_submit(call->client->rest, call, err);
  if (status == CDS_OK) *out = call;
  else cds_call_unref(call);
  return status;
}

enum cds_status cds_call_start(struct cds_call **out, struct cds_client *client, const struct cds_call_args *args,
                               struct cds_error *err) {
  *out = NULL;
  struct cds_call *call;
  enum cds_status status = cds_client_check(client, err);
  if (status == CDS_OK) status = cds_call_prepare(&call, client, args, &client->config.rest, NULL, err);
  return status == CDS_OK ? start(out, call, err) : status;
}

/* A call without feeds, not started. */
static enum cds_status prepare_at(struct cds_call **out, struct cds_client *client, enum cds_operation operation,
                                  const struct cds_url *url, struct cds_error *err) {
  const struct cds_call_args args = {.operation = operation};
  enum cds_status status = cds_client_check(client, err);
  return status == CDS_OK ? cds_call_prepare(out, client, &args, url, NULL, err) : status;
}

static enum cds_status prepare(struct cds_call **out, struct cds_client *client, enum cds_operation operation,
                               struct cds_error *err) {
  return prepare_at(out, client, operation, &client->config.rest, err);
}

enum cds_status cds_call_post(struct cds_call **out, struct cds_client *client, const char *body, size_t length,
                              struct cds_error *err) {
  struct cds_call *call;
  *out = NULL;
  enum cds_status status = prepare(&call, client, CDS_POST_JSON, err);
  if (status != CDS_OK) return status;
  call->body = cds_malloc(length);
  if (call->body == NULL) {
    cds_call_unref(call);
    return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  }
  memcpy(call->body, body, length);
  call->body_length = length;
  return start(out, call, err);
}

static enum cds_status check_query(const char *query, struct cds_error *err) {
  size_t length = strlen(query);
  if (length > CDS_MAX_QUERY_BYTES)
    return cds_error_set(err, CDS_E_CONFIG, "the filters are %zu bytes long, expected at most %d", length,
                         CDS_MAX_QUERY_BYTES);
  for (size_t i = 0; i < length; i++)
    if (query[i] <= ' ' || query[i] > '~' || query[i] == '#')
      return cds_error_set(err, CDS_E_CONFIG, "the query is not encoded at byte %zu", i);
  return CDS_OK;
}

static enum cds_status add_query(struct cds_call *call, const char *query, struct cds_error *err) {
  size_t size = strlen(call->target) + strlen(query) + 2;
  if (*query == 0) return CDS_OK;
  char *target = cds_malloc(size);
  if (target == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  snprintf(target, size, "%s?%s", call->target, query);
  cds_free(call->target);
  call->target = target;
  return CDS_OK;
}

enum cds_status cds_call_discover(struct cds_call **out, struct cds_client *client, const char *query, bool anonymous,
                                  struct cds_error *err) {
  struct cds_call *call;
  *out = NULL;
  enum cds_status status = check_query(query, err);
  if (status == CDS_OK) status = prepare(&call, client, CDS_GET_DISCOVERY, err);
  if (status != CDS_OK) return status;
  status = add_query(call, query, err);
  if (status != CDS_OK) {
    cds_call_unref(call);
    return status;
  }
  call->exchange.anonymous = anonymous;
  return start(out, call, err);
}

/* ---- the candlestick service ---- */

static enum cds_status prepare_prices(struct cds_call **out, struct cds_client *client, enum cds_operation operation,
                                      struct cds_error *err) {
  const struct cds_url *url = &client->config.prices;
  if (url->host == NULL) return cds_error_set(err, CDS_E_CONFIG, "price_url: missing");
  enum cds_status status = prepare_at(out, client, operation, url, err);
  if (status == CDS_OK) (*out)->exchange.anonymous = true;
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

enum cds_status cds_call_authorize(struct cds_call **out, struct cds_client *client, struct cds_error *err) {
  struct cds_call *call;
  *out = NULL;
  enum cds_status status = prepare_prices(&call, client, CDS_POST_AUTHORIZE, err);
  if (status != CDS_OK) return status;
  status = write_credentials(call, &client->config, err);
  if (status == CDS_OK) return start(out, call, err);
  cds_call_unref(call);
  return status;
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

enum cds_status cds_call_prices(struct cds_call **out, struct cds_client *client, enum cds_operation operation,
                                const char *query, const char *token, struct cds_error *err) {
  struct cds_call *call;
  *out = NULL;
  enum cds_status status = check_query(query, err);
  if (status == CDS_OK) status = prepare_prices(&call, client, operation, err);
  if (status != CDS_OK) return status;
  status = add_query(call, query, err);
  if (status == CDS_OK) status = add_token(call, token, err);
  if (status == CDS_OK) return start(out, call, err);
  cds_call_unref(call);
  return status;
}

/* ---- waiting and taking; nothing with a lock is touched in a forked child ---- */

int cds_call_fd(const struct cds_call *call) {
  return call->notify.read_fd;
}

bool cds_call_is_done(struct cds_call *call) {
  if (cds_client_is_foreign(call->client)) return true;
  pthread_mutex_lock(&call->mu);
  bool done = call->done;
  pthread_mutex_unlock(&call->mu);
  return done;
}

enum cds_status cds_call_error(struct cds_call *call, struct cds_error *err) {
  if (cds_client_is_foreign(call->client)) return cds_client_check(call->client, err);
  pthread_mutex_lock(&call->mu);
  *err = call->err;
  pthread_mutex_unlock(&call->mu);
  return err->status;
}

/* After done only the script touches the answer, so no lock is needed for it. */
static struct cds_answer *answer_of(struct cds_call *call) {
  return cds_call_is_done(call) && !cds_client_is_foreign(call->client) ? &call->answer : NULL;
}

struct cds_report *cds_call_take_report(struct cds_call *call) {
  struct cds_answer *answer = answer_of(call);
  if (answer == NULL || answer->taken == answer->count) return NULL;
  struct cds_report *report = answer->reports[answer->taken];
  answer->reports[answer->taken++] = NULL;
  return report;
}

const char *cds_call_body(const struct cds_call *call, size_t *length) {
  *length = call->answer.body.length;
  return call->answer.body.data;
}

double cds_call_keep_seconds(const struct cds_call *call) {
  return call->answer.keep_seconds;
}

int cds_call_http_status(const struct cds_call *call) {
  return call->answer.http_status;
}

bool cds_call_next_page(const struct cds_call *call, int64_t *timestamp) {
  *timestamp = call->answer.next_page_timestamp;
  return call->answer.has_next_page;
}

struct cds_event *cds_call_take_event(struct cds_call *call) {
  if (cds_client_is_foreign(call->client)) return NULL;
  pthread_mutex_lock(&call->mu);
  struct cds_event *event = cds_event_pop(&call->events);
  if (call->events.count == 0 && !call->done) cds_notify_clear(&call->notify);
  pthread_mutex_unlock(&call->mu);
  return event;
}

void cds_call_free(struct cds_call *call) {
  if (call == NULL) return;
  if (cds_client_is_foreign(call->client)) { /* its memory is leaked on purpose: a parent's thread may have held it */
    cds_notify_close(&call->notify);
    return;
  }
  if (!cds_call_is_done(call)) cds_rest_thread_cancel(call->client->rest, call);
  cds_call_unref(call);
}
