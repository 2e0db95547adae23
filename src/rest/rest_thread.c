/* SPDX-License-Identifier: MIT
 * The REST thread: a loop over waiting and sent calls. */
#include "rest/rest_thread.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "context/threads.h"
#include "net/rest.h"
#include "rest/breaker.h"
#include "rest/call.h"
#include "rest/call_list.h"
#include "rest/call_log.h"
#include "rest/rate.h"
#include "rest/retry.h"

#define MAX_WAIT_MS 60000

struct cds_rest_thread {
  struct cds_client *client; /* borrowed */
  /* the thread's own */
  struct cds_call_list waiting, sent;
  struct cds_rate rates[CDS_OPERATION_COUNT];
  /* guarded by mu */
  pthread_mutex_t mu;
  pthread_t thread;
  bool started, stopping;
  struct cds_rest *rest; /* NULL before the start and after the end; used unlocked by the thread itself */
  struct cds_call_list submitted;
  struct cds_timers timers;
  struct cds_breaker breakers[CDS_OPERATION_COUNT];
  struct cds_client_stats stats;
};

/* ---- the end of a call ---- */

/* The call is in no list any more. err NULL: it succeeded with *answer. */
static void end_call(struct cds_rest_thread *thread, struct cds_call *call, const struct cds_error *err,
                     struct cds_answer *answer) {
  if (err != NULL && err->status != CDS_E_CLOSED) {
    pthread_mutex_lock(&thread->mu);
    thread->stats.failures++;
    pthread_mutex_unlock(&thread->mu);
  }
  cds_exchange_clear(&call->exchange);
  cds_call_finish(call, err, answer);
  cds_call_unref(call);
}

static void end_closed(struct cds_rest_thread *thread, struct cds_call *call) {
  struct cds_error err;
  cds_error_set(&err, CDS_E_CLOSED, "the client was closed before the call was done");
  end_call(thread, call, &err, NULL);
}

/* ---- sending ---- */

/* May the call be sent now? False: *err says that the circuit is open. */
static bool enter_circuit(struct cds_rest_thread *thread, struct cds_call *call, int64_t now_ms, bool begin,
                          struct cds_error *err) {
  struct cds_breaker *breaker = &thread->breakers[call->question.operation];
  pthread_mutex_lock(&thread->mu);
  bool allowed = cds_breaker_allows(breaker, now_ms);
  if (!allowed) cds_retry_refuse(err, breaker, call->question.operation, now_ms);
  else if (begin) {
    cds_breaker_begin(breaker);
    thread->stats.requests++;
    thread->stats.retries += call->attempts > 0;
  }
  pthread_mutex_unlock(&thread->mu);
  return allowed;
}

/* Nobody will know how the attempt would have ended. */
static void release_circuit(struct cds_rest_thread *thread, const struct cds_call *call) {
  pthread_mutex_lock(&thread->mu);
  cds_breaker_cancel(&thread->breakers[call->question.operation]);
  pthread_mutex_unlock(&thread->mu);
}

/* The call is in no list. */
static void send_call(struct cds_rest_thread *thread, struct cds_call *call) {
  struct cds_error err;
  call->exchange.target = call->target;
  call->exchange.head = call->question.operation == CDS_HEAD_ORIGINS;
  call->exchange.url = call->url;
  call->exchange.post = call->body;
  call->exchange.post_length = call->body_length;
  call->exchange.bearer = call->token;
  call->exchange.owner = call;
  call->attempts++;
  call->signed_ahead_ms = cds_service_clock_ahead_ms(&thread->client->clock);
  cds_call_trace_sent(call);
  if (cds_rest_start(thread->rest, &call->exchange, &err) == CDS_OK) {
    cds_call_list_append(&thread->sent, call);
    return;
  }
  release_circuit(thread, call);
  end_call(thread, call, &err, NULL);
}

/* Works on the waiting call at *link. Returns the milliseconds until it should be looked at again, or -1 when it has
 * left the list. */
static int64_t step_waiting(struct cds_rest_thread *thread, struct cds_call **link, int64_t now_ms) {
  struct cds_call *call = *link;
  struct cds_rate *rate = &thread->rates[call->question.operation];
  struct cds_error err;
  if (atomic_load(&call->cancelled)) {
    end_closed(thread, cds_call_list_take(&thread->waiting, link));
    return -1;
  }
  if (call->not_before_ms > now_ms) return call->not_before_ms - now_ms;
  int64_t wait = cds_rate_wait(rate, now_ms);
  if (!enter_circuit(thread, call, now_ms, wait == 0, &err)) {
    cds_call_list_take(&thread->waiting, link);
    end_call(thread, call, call->attempts > 0 ? &call->last : &err, NULL); /* its own failure tells more */
    return -1;
  }
  if (wait > 0) return wait;
  cds_rate_take(rate, now_ms);
  cds_call_list_take(&thread->waiting, link);
  send_call(thread, call);
  return -1;
}

/* Returns how long the loop may sleep. */
static int step_all_waiting(struct cds_rest_thread *thread) {
  int64_t now_ms = cds_clock_mono_ms(), sleep_ms = MAX_WAIT_MS;
  for (struct cds_call **link = &thread->waiting.head; *link != NULL;) {
    int64_t wait_ms = step_waiting(thread, link, now_ms);
    if (wait_ms < 0) continue;
    sleep_ms = wait_ms < sleep_ms ? wait_ms : sleep_ms;
    link = &(*link)->next;
  }
  return (int)sleep_ms;
}

/* ---- after an attempt ---- */

/* Counts the attempt; true when the circuit lets another one follow. */
static bool count_attempt(struct cds_rest_thread *thread, struct cds_call *call, const struct cds_error *err) {
  struct cds_breaker *breaker = &thread->breakers[call->question.operation];
  pthread_mutex_lock(&thread->mu);
  thread->stats.connections += call->exchange.connections;
  if (err->status == CDS_E_MEMORY) cds_breaker_cancel(breaker); /* our own trouble, not the service's */
  else if (cds_retry_is_service_failure(err)) cds_breaker_failure(breaker, cds_clock_mono_ms());
  else cds_breaker_success(breaker);
  bool allowed = cds_breaker_allows(breaker, cds_clock_mono_ms());
  pthread_mutex_unlock(&thread->mu);
  return allowed;
}

static void retry_later(struct cds_rest_thread *thread, struct cds_call *call, const struct cds_error *err) {
  double delay = cds_retry_delay(call, err);
  cds_call_log(call, CDS_LOG_WARN, "%s; retry %u of %d in %.3f s", err->message, call->attempts, call->max_retries,
               delay);
  call->last = *err;
  call->not_before_ms = cds_clock_mono_ms() + (int64_t)(delay * 1000);
  cds_call_list_append(&thread->waiting, call);
}

static void finish_attempt(struct cds_rest_thread *thread, struct cds_call *call) {
  struct cds_exchange *exchange = &call->exchange;
  struct cds_error err;
  struct cds_answer answer = {0};
  cds_call_list_remove(&thread->sent, call);
  if (exchange->status != CDS_OK) err = exchange->err;
  else if (cds_api_answer(&answer, &call->question, exchange, &err) == CDS_OK) cds_error_clear(&err);
  cds_call_log_attempt(call);
  cds_call_note_clock(call);
  cds_call_tell_response(call);
  bool circuit_allows = count_attempt(thread, call, &err);
  if (err.status == CDS_OK) end_call(thread, call, NULL, &answer);
  else if (circuit_allows && cds_retry_may(call, &err)) retry_later(thread, call, &err);
  else end_call(thread, call, &err, NULL);
}

static void drop_cancelled(struct cds_rest_thread *thread, bool all) {
  for (struct cds_call **link = &thread->sent.head; *link != NULL;) {
    struct cds_call *call = *link;
    if (!all && !atomic_load(&call->cancelled)) {
      link = &call->next;
      continue;
    }
    cds_call_list_take(&thread->sent, link);
    cds_rest_cancel(thread->rest, &call->exchange);
    release_circuit(thread, call);
    end_closed(thread, call);
  }
}

/* ---- timers ---- */

/* Rings what is due; returns how long the loop may sleep. */
static int ring_timers(struct cds_rest_thread *thread) {
  struct cds_timer *timer;
  int64_t wait_ms;
  do {
    pthread_mutex_lock(&thread->mu);
    timer = cds_timers_take_due(&thread->timers, cds_clock_mono_ms(), &wait_ms);
    pthread_mutex_unlock(&thread->mu);
    if (timer != NULL) timer->ring(timer->context);
  } while (timer != NULL);
  return (int)(wait_ms < 0 || wait_ms > MAX_WAIT_MS ? MAX_WAIT_MS : wait_ms);
}

/* ---- the loop ---- */

/* Moves new calls to the waiting list; false when it is time to stop. */
static bool take_submitted(struct cds_rest_thread *thread) {
  pthread_mutex_lock(&thread->mu);
  cds_call_list_move(&thread->waiting, &thread->submitted);
  bool go_on = !thread->stopping;
  pthread_mutex_unlock(&thread->mu);
  return go_on;
}

static void *run(void *context) {
  struct cds_rest_thread *thread = context;
  struct cds_exchange *exchange;
  while (take_submitted(thread)) {
    drop_cancelled(thread, false);
    int ring_ms = ring_timers(thread), step_ms = step_all_waiting(thread);
    cds_rest_wait(thread->rest, ring_ms < step_ms ? ring_ms : step_ms);
    while ((exchange = cds_rest_take_done(thread->rest)) != NULL) finish_attempt(thread, exchange->owner);
  }
  drop_cancelled(thread, true);
  while (thread->waiting.head != NULL) end_closed(thread, cds_call_list_take(&thread->waiting, &thread->waiting.head));
  pthread_mutex_lock(&thread->mu);
  struct cds_rest *rest = thread->rest;
  thread->rest = NULL;
  pthread_mutex_unlock(&thread->mu);
  cds_rest_free(rest); /* here, where SIGPIPE is blocked */
  return NULL;
}

/* ---- start and stop ---- */

enum cds_status cds_rest_thread_new(struct cds_rest_thread **out, struct cds_client *client, struct cds_error *err) {
  struct cds_rest_thread *thread = cds_calloc(1, sizeof *thread);
  *out = NULL;
  if (thread == NULL || pthread_mutex_init(&thread->mu, NULL) != 0) {
    cds_free(thread);
    return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  }
  thread->client = client;
  cds_call_list_init(&thread->waiting);
  cds_call_list_init(&thread->sent);
  cds_call_list_init(&thread->submitted);
  for (size_t i = 0; i < CDS_OPERATION_COUNT; i++) {
    cds_rate_init(&thread->rates[i], client->config.rate_limit);
    int limit = i == CDS_GET_TRADES ? 0 : client->config.breaker_failures; /* that lasts, and waits by itself */
    cds_breaker_init(&thread->breakers[i], limit, client->config.breaker_cooldown);
  }
  *out = thread;
  return CDS_OK;
}

/* mu is held. */
static enum cds_status start_thread(struct cds_rest_thread *thread, struct cds_error *err) {
  struct cds_rest_options options = cds_config_rest(&thread->client->config);
  options.clock = &thread->client->clock;
  enum cds_status status = cds_rest_new(&thread->rest, &options, err);
  if (status != CDS_OK) return status;
  int failed = cds_threads_create(&thread->thread, run, thread);
  if (failed == 0) {
    thread->started = true;
    return CDS_OK;
  }
  cds_rest_free(thread->rest);
  thread->rest = NULL;
  return cds_error_set(err, CDS_E_MEMORY, "the REST thread could not be started: %s", strerror(failed));
}

/* mu is held. */
static enum cds_status be_running(struct cds_rest_thread *thread, struct cds_error *err) {
  if (thread->stopping) return cds_error_set(err, CDS_E_CLOSED, "the client is closed");
  return thread->started ? CDS_OK : start_thread(thread, err);
}

enum cds_status cds_rest_thread_submit(struct cds_rest_thread *thread, struct cds_call *call, struct cds_error *err) {
  pthread_mutex_lock(&thread->mu);
  enum cds_status status = be_running(thread, err);
  if (status == CDS_OK) {
    atomic_fetch_add(&call->refs, 1);
    cds_call_list_append(&thread->submitted, call);
    cds_rest_wake(thread->rest);
  }
  pthread_mutex_unlock(&thread->mu);
  return status;
}

enum cds_status cds_rest_thread_set_timer(struct cds_rest_thread *thread, struct cds_timer *timer, int64_t due_ms,
                                          bool *added, struct cds_error *err) {
  *added = false;
  pthread_mutex_lock(&thread->mu);
  enum cds_status status = be_running(thread, err);
  if (status == CDS_OK && cds_timers_set(&thread->timers, timer, due_ms, added)) cds_rest_wake(thread->rest);
  pthread_mutex_unlock(&thread->mu);
  return status;
}

bool cds_rest_thread_cancel_timer(struct cds_rest_thread *thread, struct cds_timer *timer) {
  pthread_mutex_lock(&thread->mu);
  bool was_set = cds_timers_cancel(&thread->timers, timer);
  pthread_mutex_unlock(&thread->mu);
  return was_set;
}

void cds_rest_thread_cancel(struct cds_rest_thread *thread, struct cds_call *call) {
  atomic_store(&call->cancelled, true);
  pthread_mutex_lock(&thread->mu);
  if (thread->rest != NULL) cds_rest_wake(thread->rest);
  pthread_mutex_unlock(&thread->mu);
}

void cds_rest_thread_stop(struct cds_rest_thread *thread) {
  pthread_mutex_lock(&thread->mu);
  thread->stopping = true;
  bool joins = thread->started;
  thread->started = false;
  if (thread->rest != NULL) cds_rest_wake(thread->rest);
  pthread_mutex_unlock(&thread->mu);
  if (joins) pthread_join(thread->thread, NULL);
}

void cds_rest_thread_free(struct cds_rest_thread *thread) {
  if (thread == NULL) return;
  pthread_mutex_destroy(&thread->mu);
  cds_free(thread);
}

void cds_rest_thread_stats(struct cds_client_stats *out, struct cds_rest_thread *thread) {
  enum cds_circuit worst = CDS_CIRCUIT_CLOSED;
  int64_t now_ms = cds_clock_mono_ms();
  pthread_mutex_lock(&thread->mu);
  *out = thread->stats;
  for (size_t i = 0; i < CDS_OPERATION_COUNT; i++) {
    enum cds_circuit state = cds_breaker_state(&thread->breakers[i], now_ms);
    worst = state > worst ? state : worst;
  }
  pthread_mutex_unlock(&thread->mu);
  out->circuit = cds_circuit_name(worst);
}
