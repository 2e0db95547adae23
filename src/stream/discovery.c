/* SPDX-License-Identifier: MIT
 * HEAD / on the WebSocket host, and what its answer changes. */
#include "stream/discovery.h"

#include <string.h>

#include "base/clock.h"
#include "rest/rest_thread.h"
#include "stream/core.h"
#include "stream/outlet.h"
#include "stream/parts.h"

#define ASK_AGAIN_MS 60000
#define RETRIES 1 /* the stream waits for the answer */

void cds_discovery_init(struct cds_stream *stream, void (*answered)(struct cds_stream *stream)) {
  stream->discovery.answered = answered;
}

bool cds_discovery_is_wanted(const struct cds_stream *stream) {
  return cds_core_config(stream)->ha && cds_core_client(stream)->config.ws_count == 1;
}

void cds_discovery_limit(struct cds_stream *stream, size_t limit) {
  stream->discovery.limit = limit;
}

void cds_discovery_skip(struct cds_stream *stream, size_t origins) {
  stream->discovery.origins.count = origins;
}

const struct cds_origins *cds_discovery_origins(const struct cds_stream *stream) {
  return &stream->discovery.origins;
}

/* mu is held. More origins than the account has room for are left alone. */
static void set_origins(struct cds_discovery *discovery, const struct cds_origins *found) {
  discovery->origins = *found;
  if (discovery->origins.count > discovery->limit) discovery->origins.count = discovery->limit;
  if (discovery->origins.count == 0) discovery->origins = (struct cds_origins){.count = 1};
}

static void warn(struct cds_stream *stream, const struct cds_error *failure, const struct cds_origins *found,
                 size_t limit) {
  if (failure != NULL)
    cds_stream_log(stream, CDS_LOG_WARN, "ha: the service's origins are not known: %s", failure->message);
  else if (found->count < 2)
    cds_stream_log(stream, CDS_LOG_WARN, "ha: the service names %s origin: one connection is no high availability",
                   found->count == 0 ? "no" : "one");
  else if (found->count > limit)
    cds_stream_log(stream, CDS_LOG_WARN,
                   "ha: %zu of the service's %zu origins are used: an account may hold %d connections", limit,
                   found->count, CDS_MAX_CONNECTIONS);
}

static void on_ring(void *context) {
  struct cds_stream *stream = context;
  struct cds_error ignored;
  (void)!cds_discovery_ask(stream, &ignored);
  cds_stream_unref(stream);
}

static void ask_later(struct cds_stream *stream) {
  struct cds_timer *timer = &stream->discovery.again;
  struct cds_error ignored;
  bool added;
  cds_stream_ref(stream);
  timer->ring = on_ring;
  timer->context = stream;
  (void)!cds_rest_thread_set_timer(cds_core_client(stream)->rest, timer, cds_clock_mono_ms() + ASK_AGAIN_MS, &added,
                                   &ignored);
  if (!added) cds_stream_unref(stream);
}

static void on_done(void *context, const struct cds_error *failure, struct cds_answer *answer) {
  struct cds_stream *stream = context;
  struct cds_discovery *discovery = &stream->discovery;
  static const struct cds_origins none;
  const struct cds_origins *found = failure == NULL ? &answer->origins : &none;
  cds_stream_lock(stream);
  struct cds_call *call = discovery->call;
  bool is_first = discovery->origins.count == 0, goes_on = !cds_core_is_over(stream);
  size_t limit = discovery->limit;
  discovery->call = NULL;
  discovery->is_asking = false;
  if (goes_on && (is_first || found->count > 0)) set_origins(discovery, found);
  cds_stream_unlock(stream);
  cds_call_unref(call);
  if (goes_on) {
    warn(stream, failure, found, limit);
    if (failure != NULL && failure->retryable) ask_later(stream);
    discovery->answered(stream);
  }
  cds_stream_unref(stream);
}

static void on_event(void *context, struct cds_event *event) {
  cds_stream_emit(context, event);
}

static bool begin_asking(struct cds_stream *stream) {
  struct cds_discovery *discovery = &stream->discovery;
  int64_t now_ms = cds_clock_mono_ms();
  cds_stream_lock(stream);
  bool due = !cds_core_is_stopping(stream) && cds_discovery_is_wanted(stream) && !discovery->is_asking &&
             (discovery->asked_at_ms == 0 || now_ms - discovery->asked_at_ms >= ASK_AGAIN_MS);
  if (due) {
    discovery->is_asking = true;
    discovery->asked_at_ms = now_ms;
  }
  cds_stream_unlock(stream);
  return due;
}

static void forget_call(struct cds_stream *stream) {
  cds_stream_lock(stream);
  struct cds_call *call = stream->discovery.call;
  stream->discovery.call = NULL;
  stream->discovery.is_asking = false;
  cds_stream_unlock(stream);
  if (call != NULL) cds_call_unref(call);
}

enum cds_status cds_discovery_ask(struct cds_stream *stream, struct cds_error *err) {
  static const struct cds_call_args args = {.operation = CDS_HEAD_ORIGINS};
  const struct cds_call_hooks hooks = {.context = stream, .done = on_done, .event = on_event};
  struct cds_call *call;
  if (!begin_asking(stream)) return CDS_OK;
  enum cds_status status =
    cds_call_prepare(&call, cds_core_client(stream), &args, &cds_core_client(stream)->config.ws[0], &hooks, err);
  if (call != NULL) call->max_retries = call->max_retries < RETRIES ? call->max_retries : RETRIES;
  if (call != NULL) call->log_level = cds_core_config(stream)->log_level;
  cds_stream_lock(stream);
  stream->discovery.call = call;
  cds_stream_unlock(stream);
  cds_stream_ref(stream);
  if (status == CDS_OK) status = cds_rest_thread_submit(call->client->rest, call, err);
  if (status == CDS_OK) return CDS_OK;
  forget_call(stream);
  cds_stream_unref(stream);
  return status;
}

void cds_discovery_cancel(struct cds_stream *stream) {
  cds_stream_lock(stream);
  struct cds_call *call = stream->discovery.call;
  if (call != NULL) atomic_fetch_add(&call->refs, 1);
  cds_stream_unlock(stream);
  if (cds_rest_thread_cancel_timer(cds_core_client(stream)->rest, &stream->discovery.again)) cds_stream_unref(stream);
  if (call == NULL) return;
  cds_rest_thread_cancel(call->client->rest, call);
  cds_call_unref(call);
}
