/* SPDX-License-Identifier: MIT
 * One call after another, each of them asked for when the one before has ended: for a token, or for the stream, whose
 * bytes are taken as they come. A call that is to wait first is submitted, and waits with the REST thread: whatever
 * ends that, the call's end is told, and so the stream's. */
#include "rest/trades.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "context/backoff.h"
#include "rest/prices.h"
#include "rest/rest_thread.h"

#define TOKEN_MARGIN 60 /* seconds before its end in which a token is not used any more */
#define WORKED_MS 1000  /* a connection that told something for so long was a good one */

struct cds_trades {
  atomic_uint refs;          /* the script's and the call's */
  struct cds_client *client; /* a reference */
  char *query;
  struct cds_listener listener;
  double patience; /* seconds */
  struct cds_trade_queue queue;
  /* of whoever works on it: the script until the first call is submitted, then the REST thread */
  struct cds_trade_reader reader;
  struct cds_trade_token token;
  bool has_token, token_is_new; /* nothing was heard with it yet */
  bool is_authorizing;
  bool is_connected;
  int64_t connected_at_ms;  /* monotonic, as is: */
  int64_t heard_at_ms;      /* or, before anything was, when the request is to begin */
  unsigned failures;        /* in a row */
  struct cds_error refused; /* why a connection was given up */
  struct cds_timer timer;   /* looks whether it is silent; set only while a call is under way */
  /* guarded by mu */
  pthread_mutex_t mu;
  struct cds_call *call; /* a reference; NULL between two */
};

static void unref(struct cds_trades *trades) {
  if (atomic_fetch_sub(&trades->refs, 1) != 1) return;
  cds_trade_queue_clear(&trades->queue);
  pthread_mutex_destroy(&trades->mu);
  cds_free(trades->query);
  cds_client_unref(trades->client);
  cds_free_secret(trades, sizeof *trades); /* the token */
}

static void emit(void *context, struct cds_event *event) {
  struct cds_trades *trades = context;
  cds_trade_queue_tell(&trades->queue, event);
}

static void tell(struct cds_trades *trades, enum cds_link_state state, enum cds_log_level level,
                 const struct cds_error *why, double delay) {
  char host[CDS_HOST_PORT_TEXT];
  struct cds_event *event = cds_event_new(CDS_EVENT_STATUS);
  if (event == NULL) return;
  event->state = state;
  event->level = level;
  event->attempt = (int)trades->failures;
  event->delay = delay;
  if (why != NULL) snprintf(event->message, sizeof event->message, "%s", why->message);
  cds_url_host_port(host, &trades->client->config.prices);
  snprintf(event->host, sizeof event->host, "%.255s", host);
  emit(trades, event);
}

/* ---- what the service tells ---- */

static void note_heard(struct cds_trades *trades) {
  trades->heard_at_ms = cds_clock_mono_ms();
  if (trades->is_connected) return;
  trades->is_connected = true;
  trades->token_is_new = false;
  trades->connected_at_ms = trades->heard_at_ms;
  cds_trade_queue_connect(&trades->queue, true);
  tell(trades, CDS_LINK_CONNECTED, CDS_LOG_INFO, NULL, 0);
}

static enum cds_status take_object(struct cds_trades *trades) {
  enum cds_trade_kind kind;
  struct cds_trade trade;
  const struct cds_trade_reader *reader = &trades->reader;
  enum cds_status status = cds_trade_parse(&kind, &trade, reader->text, reader->length, &trades->refused);
  if (status != CDS_OK) return status;
  note_heard(trades);
  if (kind == CDS_TRADE_HEARTBEAT) cds_trade_queue_count(&trades->queue, &trades->queue.stats.heartbeats);
  if (kind == CDS_TRADE_OTHER) cds_trade_queue_count(&trades->queue, &trades->queue.stats.ignored);
  if (kind != CDS_TRADE_PRICE) return CDS_OK;
  trade.received_at_ms = cds_clock_wall_ms();
  cds_trade_queue_push(&trades->queue, &trade);
  return CDS_OK;
}

static bool take(void *context, const char *data, size_t length) {
  struct cds_trades *trades = context;
  while (length > 0 && trades->refused.status == CDS_OK) { /* it may be given up already */
    bool whole;
    size_t used = cds_trade_read(&whole, &trades->reader, data, length, &trades->refused);
    data += used;
    length -= used;
    if (trades->refused.status != CDS_OK || (whole && take_object(trades) != CDS_OK))
      cds_trade_queue_count(&trades->queue, &trades->queue.stats.decode_errors);
  }
  return trades->refused.status == CDS_OK;
}

/* ---- the call, and its silence ---- */

static struct cds_call *take_call(struct cds_trades *trades) {
  pthread_mutex_lock(&trades->mu);
  struct cds_call *call = trades->call;
  trades->call = NULL;
  pthread_mutex_unlock(&trades->mu);
  return call;
}

static void drop_call(struct cds_trades *trades) {
  struct cds_call *call = take_call(trades);
  if (call != NULL) cds_call_unref(call);
}

static void cancel_call(struct cds_trades *trades) {
  struct cds_call *call = take_call(trades);
  if (call == NULL) return;
  cds_rest_thread_cancel(trades->client->rest, call);
  cds_call_unref(call);
}

static void watch(struct cds_trades *trades) {
  bool added;
  struct cds_error closed; /* then the call's end follows */
  int64_t due_ms = trades->heard_at_ms + (int64_t)(trades->patience * 1000);
  (void)(cds_rest_thread_set_timer(trades->client->rest, &trades->timer, due_ms, &added, &closed) == CDS_OK);
}

static void look(void *context) {
  struct cds_trades *trades = context;
  if (cds_clock_mono_ms() < trades->heard_at_ms + (int64_t)(trades->patience * 1000)) {
    watch(trades);
    return;
  }
  cds_error_set(&trades->refused, CDS_E_TIMEOUT, "nothing was heard for %g s (heartbeat_timeout)", trades->patience);
  cancel_call(trades);
}

/* ---- calls ---- */

static void on_done(void *context, const struct cds_error *err, struct cds_answer *answer);

static bool wants_token(const struct cds_trades *trades) {
  bool is_old = cds_clock_wall_ms() / 1000 >= trades->token.expiration - TOKEN_MARGIN;
  return !trades->has_token || (is_old && !trades->token_is_new);
}

static enum cds_status make_call(struct cds_call **out, struct cds_trades *trades, struct cds_error *err) {
  const struct cds_call_hooks hooks = {.context = trades, .done = on_done, .event = emit};
  trades->is_authorizing = wants_token(trades);
  if (trades->is_authorizing) return cds_prices_authorize(out, trades->client, &hooks, err);
  cds_trade_reader_reset(&trades->reader);
  cds_error_clear(&trades->refused);
  enum cds_status status =
    cds_prices_ask(out, trades->client, CDS_GET_TRADES, trades->query, trades->token.text, &hooks, err);
  if (status == CDS_OK) (*out)->exchange.listener = &trades->listener;
  return status;
}

static bool is_over(struct cds_trades *trades) {
  enum cds_status status;
  return cds_trade_queue_is_over(&trades->queue, &status);
}

/* False: it was closed meanwhile. */
static bool keep_call(struct cds_trades *trades, struct cds_call *call) {
  pthread_mutex_lock(&trades->mu);
  bool goes_on = !is_over(trades);
  if (goes_on) {
    atomic_fetch_add(&call->refs, 1);
    trades->call = call;
  }
  pthread_mutex_unlock(&trades->mu);
  return goes_on;
}

/* The next question, after so many seconds. */
static enum cds_status ask(struct cds_trades *trades, double delay, struct cds_error *err) {
  struct cds_call *call;
  enum cds_status status = make_call(&call, trades, err);
  if (status != CDS_OK) return status;
  call->max_retries = 0; /* it is asked again from here */
  call->not_before_ms = trades->heard_at_ms = cds_clock_mono_ms() + (int64_t)(delay * 1000);
  bool watches = !trades->is_authorizing; /* by the REST thread, then */
  if (keep_call(trades, call)) {
    atomic_fetch_add(&trades->refs, 1);
    status = cds_rest_thread_submit(trades->client->rest, call, err);
    if (status == CDS_OK && watches) watch(trades);
    if (status != CDS_OK) {
      drop_call(trades);
      unref(trades);
    }
  }
  cds_call_unref(call);
  return status;
}

static void ask_or_end(struct cds_trades *trades, double delay) {
  struct cds_error err;
  if (ask(trades, delay, &err) != CDS_OK) cds_trade_queue_end(&trades->queue, &err);
}

static bool is_final(const struct cds_error *err) {
  return err->status == CDS_E_AUTH || err->status == CDS_E_CONFIG || err->status == CDS_E_CLOSED ||
         (err->status == CDS_E_API && !err->retryable);
}

static void fail(struct cds_trades *trades, const struct cds_error *err) {
  const struct cds_stream_config *config = &trades->client->config.stream;
  trades->failures++;
  if (is_final(err) || trades->failures > config->max_reconnects) {
    if (err->status != CDS_E_CLOSED) tell(trades, CDS_LINK_FAILED, CDS_LOG_ERROR, err, 0);
    cds_trade_queue_end(&trades->queue, err);
    return;
  }
  double delay =
    cds_backoff_delay(trades->failures - 1, config->reconnect_delay, config->reconnect_max_delay, cds_backoff_random());
  if (err->has_retry_after) delay = err->retry_after;
  cds_trade_queue_count(&trades->queue, &trades->queue.stats.reconnects);
  tell(trades, CDS_LINK_RECONNECTING, CDS_LOG_WARN, err, delay);
  ask_or_end(trades, delay);
}

static void after_token(struct cds_trades *trades, const struct cds_error *err, const struct cds_answer *answer) {
  struct cds_error wrong;
  trades->has_token =
    err == NULL && cds_trade_token_parse(&trades->token, answer->body.data, answer->body.length, &wrong) == CDS_OK;
  trades->token_is_new = trades->has_token;
  if (trades->has_token) ask_or_end(trades, 0);
  else fail(trades, err != NULL ? err : &wrong);
}

static void after_stream(struct cds_trades *trades, const struct cds_error *err) {
  struct cds_error ended = {0};
  if (trades->refused.status != CDS_OK) err = &trades->refused;
  else if (err == NULL) {
    cds_error_set(&ended, CDS_E_NETWORK, "the service has ended the stream of trades");
    err = &ended;
  }
  if (trades->is_connected && cds_clock_mono_ms() - trades->connected_at_ms >= WORKED_MS) trades->failures = 0;
  if (trades->is_connected) tell(trades, CDS_LINK_DISCONNECTED, CDS_LOG_INFO, err, 0);
  trades->is_connected = false;
  cds_trade_queue_connect(&trades->queue, false);
  if (err->status == CDS_E_AUTH && !trades->token_is_new) {
    trades->has_token = false; /* it was good before: another one may be */
    ask_or_end(trades, 0);
  } else fail(trades, err);
}

static void on_done(void *context, const struct cds_error *err, struct cds_answer *answer) {
  struct cds_trades *trades = context;
  cds_rest_thread_cancel_timer(trades->client->rest, &trades->timer);
  drop_call(trades);
  if (!is_over(trades)) {
    if (trades->is_authorizing) after_token(trades, err, answer);
    else after_stream(trades, err);
  }
  unref(trades);
}

/* ---- the script's side; nothing with a lock is touched in a forked child ---- */

static struct cds_trades *new_trades(struct cds_client *client, const char *query, struct cds_error *err) {
  struct cds_trades *trades = cds_calloc(1, sizeof *trades);
  char *copy = cds_strdup(query);
  bool has_mutex = trades != NULL && copy != NULL && pthread_mutex_init(&trades->mu, NULL) == 0;
  if (!has_mutex) cds_error_set(err, CDS_E_MEMORY, "out of memory");
  if (!has_mutex || cds_trade_queue_init(&trades->queue, err) != CDS_OK) {
    if (has_mutex) pthread_mutex_destroy(&trades->mu);
    cds_free(copy);
    cds_free(trades);
    return NULL;
  }
  atomic_init(&trades->refs, 1);
  trades->query = copy;
  trades->client = cds_client_ref(client);
  trades->listener = (struct cds_listener){.take = take, .context = trades};
  trades->timer.ring = look;
  trades->timer.context = trades;
  return trades;
}

enum cds_status cds_trades_open(struct cds_trades **out, struct cds_client *client, const char *query, double patience,
                                struct cds_error *err) {
  *out = NULL;
  enum cds_status status = cds_client_check(client, err);
  if (status != CDS_OK) return status;
  struct cds_trades *trades = new_trades(client, query, err);
  if (trades == NULL) return CDS_E_MEMORY;
  trades->patience = patience;
  status = ask(trades, 0, err);
  if (status == CDS_OK) *out = trades;
  else unref(trades);
  return status;
}

int cds_trades_fd(const struct cds_trades *trades) {
  return trades->queue.notify.read_fd;
}

enum cds_trades_pop cds_trades_pop(struct cds_trade *out, struct cds_trades *trades, struct cds_error *err) {
  if (cds_client_is_foreign(trades->client))
    return cds_client_check(trades->client, err) == CDS_OK ? CDS_TRADES_EMPTY : CDS_TRADES_OVER;
  return cds_trade_queue_pop(out, &trades->queue, err);
}

struct cds_event *cds_trades_take_event(struct cds_trades *trades) {
  return cds_client_is_foreign(trades->client) ? NULL : cds_trade_queue_take_event(&trades->queue);
}

void cds_trades_stats(struct cds_trades_stats *out, struct cds_trades *trades) {
  *out = (struct cds_trades_stats){0};
  if (!cds_client_is_foreign(trades->client)) cds_trade_queue_stats(out, &trades->queue);
}

bool cds_trades_is_closed(struct cds_trades *trades) {
  enum cds_status status;
  if (cds_client_is_foreign(trades->client)) return true;
  return cds_trade_queue_is_over(&trades->queue, &status) && status == CDS_E_CLOSED;
}

void cds_trades_close(struct cds_trades *trades) {
  if (cds_client_is_foreign(trades->client)) return;
  cds_trade_queue_close(&trades->queue);
  cancel_call(trades);
}

void cds_trades_free(struct cds_trades *trades) {
  if (trades == NULL) return;
  if (cds_client_is_foreign(trades->client)) { /* its memory is leaked on purpose, as a call's is */
    cds_notify_close(&trades->queue.notify);
    return;
  }
  cds_trades_close(trades);
  unref(trades);
}
