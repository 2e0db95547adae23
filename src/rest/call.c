/* SPDX-License-Identifier: MIT
 * A REST call's life, and how it ends. */
#include "rest/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void free_call(struct cds_call *call) {
  cds_exchange_clear(&call->exchange);
  cds_answer_clear(&call->answer);
  cds_event_clear(&call->events);
  cds_notify_close(&call->notify);
  pthread_mutex_destroy(&call->mu);
  cds_free(call->question.feeds);
  cds_free(call->target);
  if (call->body != NULL) cds_free_secret(call->body, call->body_length);
  if (call->token != NULL) cds_free_secret(call->token, strlen(call->token));
  cds_client_unref(call->client);
  cds_free(call);
}

void cds_call_unref(struct cds_call *call) {
  if (atomic_fetch_sub(&call->refs, 1) == 1) free_call(call);
}

/* ---- made ---- */

static int compare_feeds(const void *a, const void *b) {
  return cds_feed_id_compare(a, b);
}

static enum cds_status copy_question(struct cds_question *question, const struct cds_call_args *args,
                                     struct cds_error *err) {
  question->operation = args->operation;
  if (args->feed_count == 0) return CDS_OK;
  question->feeds = cds_calloc(args->feed_count, sizeof *question->feeds);
  if (question->feeds == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  question->feed_count = args->feed_count;
  memcpy(question->feeds, args->feeds, args->feed_count * sizeof *question->feeds);
  qsort(question->feeds, question->feed_count, sizeof *question->feeds, compare_feeds);
  return CDS_OK;
}

static struct cds_call *new_call(struct cds_client *client, struct cds_error *err) {
  struct cds_call *call = cds_calloc(1, sizeof *call);
  if (call == NULL || pthread_mutex_init(&call->mu, NULL) != 0) {
    cds_free(call);
    cds_error_set(err, CDS_E_MEMORY, "out of memory");
    return NULL;
  }
  atomic_init(&call->refs, 1);
  atomic_init(&call->cancelled, false);
  call->notify = (struct cds_notify){.read_fd = -1, .write_fd = -1};
  call->client = cds_client_ref(client);
  return call;
}

enum cds_status cds_call_prepare(struct cds_call **out, struct cds_client *client, const struct cds_call_args *args,
                                 const struct cds_url *url, const struct cds_call_hooks *hooks, struct cds_error *err) {
  *out = NULL;
  enum cds_status status = cds_api_check(args, err);
  if (status != CDS_OK) return status;
  struct cds_call *call = new_call(client, err);
  if (call == NULL) return CDS_E_MEMORY;
  call->url = url;
  call->max_retries = client->config.max_retries;
  call->log_level = client->config.stream.log_level;
  if (hooks != NULL) call->hooks = *hooks;
  status = copy_question(&call->question, args, err);
  if (status == CDS_OK) status = cds_api_target(&call->target, url->base, args, err);
  if (status == CDS_OK) *out = call;
  else cds_call_unref(call);
  return status;
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

enum cds_status cds_call_add_query(struct cds_call *call, const char *query, struct cds_error *err) {
  enum cds_status status = check_query(query, err);
  size_t size = strlen(call->target) + strlen(query) + 2;
  if (status != CDS_OK || *query == 0) return status;
  char *target = cds_malloc(size);
  if (target == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  snprintf(target, size, "%s?%s", call->target, query);
  cds_free(call->target);
  call->target = target;
  return CDS_OK;
}

/* ---- the REST thread's side ---- */

void cds_call_finish(struct cds_call *call, const struct cds_error *err, struct cds_answer *answer) {
  if (call->hooks.done != NULL) {
    call->hooks.done(call->hooks.context, err, answer);
    if (answer != NULL) cds_answer_clear(answer);
    return;
  }
  pthread_mutex_lock(&call->mu);
  call->done = true;
  if (err != NULL) {
    call->err = *err;
  } else {
    call->answer = *answer;
    *answer = (struct cds_answer){0};
  }
  cds_notify_raise(&call->notify);
  pthread_mutex_unlock(&call->mu);
}

bool cds_call_wants_log(const struct cds_call *call, enum cds_log_level level) {
  return level >= call->log_level;
}

void cds_call_emit(struct cds_call *call, struct cds_event *event) {
  if (event == NULL) return;
  if (call->hooks.event != NULL) {
    call->hooks.event(call->hooks.context, event);
    return;
  }
  pthread_mutex_lock(&call->mu);
  cds_event_push(&call->events, event);
  cds_notify_raise(&call->notify);
  pthread_mutex_unlock(&call->mu);
}
