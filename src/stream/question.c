/* SPDX-License-Identifier: MIT
 * A call that the stream waits for. */
#include "stream/question.h"

#include <math.h>

#include "base/clock.h"
#include "rest/rest_thread.h"
#include "stream/core.h"
#include "stream/outlet.h"
#include "stream/parts.h"

#define TELL_EVERY_MS 1000

/* False: the stream is stopping, and would not cancel the call any more. */
static bool put_call(struct cds_question_place *place, struct cds_call *call) {
  cds_stream_lock(place->stream);
  bool is_stopping = cds_core_is_stopping(place->stream);
  struct cds_call *before = cds_question_take_call(place);
  place->call = call;
  cds_stream_unlock(place->stream);
  if (before != NULL) cds_call_unref(before);
  return !is_stopping;
}

enum cds_status cds_question_ask(struct cds_question_place *place, const struct cds_call_args *args,
                                 const struct cds_call_hooks *hooks, struct cds_error *err) {
  struct cds_stream *stream = place->stream;
  struct cds_call *call;
  enum cds_status status =
    cds_call_prepare(&call, cds_core_client(stream), args, &cds_core_client(stream)->config.rest, hooks, err);
  if (call != NULL) {
    call->log_level = cds_core_config(stream)->log_level;
    call->max_retries = 0; /* when to ask again is the sequence's to say */
  }
  if (!put_call(place, call) && status == CDS_OK) status = cds_error_set(err, CDS_E_CLOSED, "the stream is closed");
  if (status == CDS_OK) {
    cds_stream_ref(stream);
    status = cds_rest_thread_submit(call->client->rest, call, err);
    if (status != CDS_OK) cds_stream_unref(stream);
  }
  if (status != CDS_OK) (void)put_call(place, NULL);
  return status;
}

struct cds_call *cds_question_take_call(struct cds_question_place *place) {
  struct cds_call *call = place->call;
  place->call = NULL;
  return call;
}

struct cds_call *cds_question_call(struct cds_question_place *place) {
  if (place->call != NULL) atomic_fetch_add(&place->call->refs, 1);
  return place->call;
}

void cds_question_cancel(struct cds_call *call) {
  if (call == NULL) return;
  cds_rest_thread_cancel(call->client->rest, call);
  cds_call_unref(call);
}

bool cds_question_is_worth_repeating(const struct cds_error *err) {
  bool refused = err->status == CDS_E_API && err->http_status >= 400 && err->http_status < 500;
  return err->status != CDS_E_AUTH && err->status != CDS_E_CONFIG && !refused;
}

/* The sequence heeds far less than an hour. */
int64_t cds_question_retry_after_ms(const struct cds_error *err) {
  return err->has_retry_after ? (int64_t)(fmin(err->retry_after, 3600) * 1000) : 0;
}

void cds_question_tell_failure(struct cds_question_place *place, const struct cds_error *err) {
  struct cds_stream *stream = place->stream;
  int64_t now_ms = cds_clock_mono_ms();
  cds_stream_lock(stream);
  bool is_due = !cds_core_is_stopping(stream) && now_ms >= *place->silent_until_ms;
  if (is_due) *place->silent_until_ms = now_ms + TELL_EVERY_MS;
  cds_stream_unlock(stream);
  if (is_due) cds_stream_log(stream, CDS_LOG_WARN, "what is missing could not be had: %.300s", err->message);
}
