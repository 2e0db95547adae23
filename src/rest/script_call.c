/* SPDX-License-Identifier: MIT
 * The script's side of a REST call. */
#include "rest/script_call.h"

#include <string.h>

#include "base/alloc.h"
#include "rest/prices.h"
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
static enum cds_status prepare(struct cds_call **out, struct cds_client *client, enum cds_operation operation,
                               struct cds_error *err) {
  const struct cds_call_args args = {.operation = operation};
  enum cds_status status = cds_client_check(client, err);
  return status == CDS_OK ? cds_call_prepare(out, client, &args, &client->config.rest, NULL, err) : status;
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

enum cds_status cds_call_discover(struct cds_call **out, struct cds_client *client, const char *query, bool anonymous,
                                  struct cds_error *err) {
  struct cds_call *call;
  *out = NULL;
  enum cds_status status = prepare(&call, client, CDS_GET_DISCOVERY, err);
  if (status != CDS_OK) return status;
  status = cds_call_add_query(call, query, err);
  if (status != CDS_OK) {
    cds_call_unref(call);
    return status;
  }
  call->exchange.anonymous = anonymous;
  return start(out, call, err);
}

/* ---- the candlestick service ---- */

enum cds_status cds_call_authorize(struct cds_call **out, struct cds_client *client, struct cds_error *err) {
  struct cds_call *call;
  *out = NULL;
  enum cds_status status = cds_prices_authorize(&call, client, NULL, err);
  return status == CDS_OK ? start(out, call, err) : status;
}

enum cds_status cds_call_prices(struct cds_call **out, struct cds_client *client, enum cds_operation operation,
                                const char *query, const char *token, struct cds_error *err) {
  struct cds_call *call;
  *out = NULL;
  enum cds_status status = cds_prices_ask(&call, client, operation, query, token, NULL, err);
  return status == CDS_OK ? start(out, call, err) : status;
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
