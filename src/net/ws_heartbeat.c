/* SPDX-License-Identifier: MIT
 * Pings, and the end of a connection that does not answer them. Only the pong to our own last ping counts as life: a
 * peer may send reports and yet never read. */
#include <string.h>

#include "base/clock.h"
#include "net/ws_internal.h"

static void ping_due(struct lws_sorted_usec_list *sul);

static void schedule(struct cds_ws *ws, sul_cb_t callback, int64_t delay_us) {
  lws_sul_schedule(ws->lws, 0, &ws->ping_sul, callback, delay_us);
}

static void pong_missing(struct lws_sorted_usec_list *sul) {
  struct cds_ws *ws = lws_container_of(sul, struct cds_ws, ping_sul);
  struct cds_error err;
  cds_error_set(&err, CDS_E_TIMEOUT, "no pong within %d s of a ping: the connection is dead",
                ws->settings.pong_timeout);
  cds_ws_outcome(ws, &err);
  if (ws->wsi != NULL) lws_set_timeout(ws->wsi, PENDING_TIMEOUT_WS_PONG_CHECK_GET_PONG, LWS_TO_KILL_SYNC);
}

static void ping_due(struct lws_sorted_usec_list *sul) {
  struct cds_ws *ws = lws_container_of(sul, struct cds_ws, ping_sul);
  if (ws->wsi == NULL) return;
  ws->ping_due = true;
  ws->pong_awaited = true;
  ws->ping_number++;
  lws_callback_on_writable(ws->wsi);
  schedule(ws, pong_missing, (int64_t)ws->settings.pong_timeout * LWS_USEC_PER_SEC);
}

void cds_ws_heartbeat_start(struct cds_ws *ws) {
  ws->ping_due = ws->pong_awaited = false;
  ws->latency_ms = -1;
  schedule(ws, ping_due, (int64_t)ws->settings.ping_interval * LWS_USEC_PER_SEC);
}

void cds_ws_heartbeat_stop(struct cds_ws *ws) {
  lws_sul_cancel(&ws->ping_sul);
  ws->ping_due = ws->pong_awaited = false;
}

void cds_ws_heartbeat_resume(struct cds_ws *ws) {
  schedule(ws, ping_due, 1);
}

int cds_ws_heartbeat_write(struct cds_ws *ws) {
  if (!ws->ping_due) return 0;
  unsigned char frame[LWS_PRE + sizeof ws->ping_number];
  memcpy(frame + LWS_PRE, &ws->ping_number, sizeof ws->ping_number);
  ws->ping_due = false;
  ws->ping_sent_ns = cds_clock_mono_ns();
  return lws_write(ws->wsi, frame + LWS_PRE, sizeof ws->ping_number, LWS_WRITE_PING) < 0 ? -1 : 0;
}

void cds_ws_heartbeat_pong(struct cds_ws *ws, const void *payload, size_t length) {
  if (!ws->pong_awaited || length != sizeof ws->ping_number || memcmp(payload, &ws->ping_number, length) != 0) return;
  ws->pong_awaited = false;
  ws->latency_ms = (double)(cds_clock_mono_ns() - ws->ping_sent_ns) / 1e6;
  schedule(ws, ping_due, (int64_t)ws->settings.ping_interval * LWS_USEC_PER_SEC);
}
