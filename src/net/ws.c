/* SPDX-License-Identifier: MIT
 * A ws's life, and what its owner asks of it. */
#include "net/ws.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "net/ws_attempt.h"
#include "net/ws_callback.h"
#include "net/ws_input.h"

#define CLOSE_WAIT_US 200000 /* for the peer's answer to our close */

/* ---- the beginning ---- */

/* libwebsockets goes on without its wake-up when no descriptor is left for it; then nothing could end the thread. */
static bool can_be_woken(struct cds_ws *ws) {
  lws_cancel_service(ws->context.lws);
  (void)lws_service(ws->context.lws, -1); /* does not wait */
  return ws->can_be_woken;
}

static enum cds_status make_context(struct cds_ws *ws, struct cds_error *err) {
  if (cds_ws_context_init(&ws->context, cds_ws_protocols, ws, ws->settings.max_target))
    ws->direct = cds_ws_context_vhost(&ws->context, "direct", ws->ssl);
  if (ws->direct == NULL || !can_be_woken(ws))
    return cds_error_set(err, CDS_E_MEMORY, "no WebSocket context: memory or descriptors ran out");
  return CDS_OK;
}

static void on_dead(void *context) {
  struct cds_ws *ws = context;
  struct cds_error err;
  cds_error_set(&err, CDS_E_TIMEOUT, "no pong within %d s of a ping: the connection is dead",
                ws->settings.pong_timeout);
  cds_ws_outcome(ws, &err);
  cds_ws_kill(ws);
}

enum cds_status cds_ws_new(struct cds_ws **out, const struct cds_ws_settings *settings,
                           const struct cds_ws_handler *handler, struct cds_error *err) {
  *out = NULL;
  struct cds_ws *ws = cds_calloc(1, sizeof *ws);
  if (ws == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  ws->settings = *settings;
  ws->handler = *handler;
  cds_buf_init(&ws->message, CDS_MAX_MESSAGE_BYTES);
  cds_buf_init(&ws->held, CDS_MAX_MESSAGE_BYTES);
  ws->reader = (struct cds_ws_reader){.handler = &cds_ws_input_handler, .context = ws};
  enum cds_status status = cds_ws_tls_new(&ws->ssl, &ws->tls_failure, &settings->tls, err);
  if (status == CDS_OK) status = make_context(ws, err);
  if (status != CDS_OK) {
    cds_ws_free(ws);
    return status;
  }
  ws->heartbeat = (struct cds_heartbeat){.lws = ws->context.lws,
                                         .interval = settings->ping_interval,
                                         .timeout = settings->pong_timeout,
                                         .dead = on_dead,
                                         .context = ws,
                                         .latency_ms = -1};
  ws->state = CDS_WS_IDLE;
  *out = ws;
  return CDS_OK;
}

/* ---- waiting, and the end ---- */

static void service(struct cds_ws *ws) {
  bool has_read = cds_ws_reader_go_on(&ws->reader) || cds_ws_input_go_on(ws);
  (void)lws_service(ws->context.lws, has_read ? -1 : 0); /* -1: does not wait */
}

static void close_wait_over(struct lws_sorted_usec_list *sul) {
  struct cds_ws *ws = lws_container_of(sul, struct cds_ws, timer_sul);
  ws->state = CDS_WS_IDLE;
  cds_ws_wake(ws); /* timers run before libwebsockets waits */
}

static void close_politely(struct cds_ws *ws) {
  cds_heartbeat_stop(&ws->heartbeat);
  ws->state = CDS_WS_CLOSING;
  lws_sul_schedule(ws->context.lws, 0, &ws->timer_sul, close_wait_over, CLOSE_WAIT_US);
  if (cds_ws_reader_has(&ws->reader, ws->wsi)) {
    cds_ws_reader_close(&ws->reader, LWS_CLOSE_STATUS_NORMAL, true);
    cds_ws_reader_pause(&ws->reader, false);
  }
  lws_callback_on_writable(ws->wsi);
  while (ws->wsi != NULL && ws->state == CDS_WS_CLOSING) service(ws);
}

void cds_ws_free(struct cds_ws *ws) {
  if (ws == NULL) return;
  if (ws->wsi != NULL && ws->state == CDS_WS_OPEN) close_politely(ws);
  ws->state = CDS_WS_CLOSING;
  cds_lookup_free(ws->lookup);
  if (ws->context.lws != NULL) {
    lws_sul_cancel(&ws->attempt_sul);
    lws_sul_cancel(&ws->step_sul);
    lws_sul_cancel(&ws->timer_sul);
    cds_heartbeat_stop(&ws->heartbeat);
  }
  cds_ws_context_clear(&ws->context);
  cds_ws_reader_stop(&ws->reader);
  SSL_CTX_free(ws->ssl);
  cds_buf_clear(&ws->message);
  cds_buf_clear(&ws->held);
  cds_free(ws);
}

/* ---- what the owner asks ---- */

void cds_ws_connect(struct cds_ws *ws, const struct cds_url *url, const char *target) {
  cds_ws_attempt(ws, url, target);
}

static void timer_due(struct lws_sorted_usec_list *sul) {
  struct cds_ws *ws = lws_container_of(sul, struct cds_ws, timer_sul);
  ws->handler.timer(ws->handler.context);
}

void cds_ws_timer(struct cds_ws *ws, double seconds) {
  lws_usec_t delay = (lws_usec_t)((seconds < 1e9 ? seconds : 1e9) * 1e6);
  lws_sul_schedule(ws->context.lws, 0, &ws->timer_sul, timer_due, delay > 0 ? delay : 1);
}

void cds_ws_pause(struct cds_ws *ws, bool pause) {
  if (ws->state != CDS_WS_OPEN || ws->wsi == NULL || ws->paused == pause) return;
  ws->paused = pause;
  if (cds_ws_reader_has(&ws->reader, ws->wsi)) cds_ws_reader_pause(&ws->reader, pause);
  else lws_rx_flow_control(ws->wsi, pause ? 0 : 1);
  if (pause) cds_heartbeat_stop(&ws->heartbeat);
  else cds_heartbeat_resume(&ws->heartbeat, ws->wsi);
}

void cds_ws_drop(struct cds_ws *ws, const struct cds_error *why) {
  if (ws->state != CDS_WS_OPEN || ws->wsi == NULL) return;
  cds_ws_outcome(ws, why);
  cds_ws_kill(ws);
}

double cds_ws_ping_latency_ms(const struct cds_ws *ws) {
  return ws->heartbeat.latency_ms;
}

void cds_ws_end(struct cds_ws *ws) {
  ws->is_ended = true;
  cds_ws_wake(ws); /* timers run before libwebsockets waits */
}

bool cds_ws_service(struct cds_ws *ws) {
  if (!ws->is_ended) service(ws);
  return !ws->is_ended;
}

static void time_is_over(struct lws_sorted_usec_list *sul) {
  cds_ws_wake(lws_container_of(sul, struct cds_ws, wait_sul)); /* timers run before libwebsockets waits */
}

void cds_ws_service_for(struct cds_ws *ws, double seconds) {
  lws_usec_t delay = (lws_usec_t)((seconds < 1e9 ? seconds : 1e9) * 1e6);
  if (seconds >= 0) lws_sul_schedule(ws->context.lws, 0, &ws->wait_sul, time_is_over, delay > 0 ? delay : 1);
  (void)cds_ws_service(ws);
  if (seconds >= 0) lws_sul_cancel(&ws->wait_sul);
}

void cds_ws_wake(struct cds_ws *ws) {
  lws_cancel_service(ws->context.lws);
}
