/* SPDX-License-Identifier: MIT
 * Only the pong to our own last ping counts as life: a peer may send reports and yet never read. */
#include "net/ws_heartbeat.h"

#include <string.h>

#include "base/clock.h"
#include "base/trace.h"

static void schedule(struct cds_heartbeat *heartbeat, sul_cb_t callback, int64_t delay_us) {
  lws_sul_schedule(heartbeat->lws, 0, &heartbeat->sul, callback, delay_us);
}

static void pong_missing(struct lws_sorted_usec_list *sul) {
  struct cds_heartbeat *heartbeat = lws_container_of(sul, struct cds_heartbeat, sul);
  heartbeat->dead(heartbeat->context);
}

static void ping_due(struct lws_sorted_usec_list *sul) {
  struct cds_heartbeat *heartbeat = lws_container_of(sul, struct cds_heartbeat, sul);
  heartbeat->ping_is_due = true;
  heartbeat->pong_is_awaited = true;
  heartbeat->number++;
  lws_callback_on_writable(heartbeat->wsi);
  schedule(heartbeat, pong_missing, (int64_t)heartbeat->timeout * LWS_USEC_PER_SEC);
}

static void ping_after(struct cds_heartbeat *heartbeat, int seconds) {
  schedule(heartbeat, ping_due, seconds > 0 ? (int64_t)seconds * LWS_USEC_PER_SEC : 1);
}

void cds_heartbeat_start(struct cds_heartbeat *heartbeat, struct lws *wsi) {
  heartbeat->wsi = wsi;
  heartbeat->ping_is_due = heartbeat->pong_is_awaited = false;
  heartbeat->latency_ms = -1;
  ping_after(heartbeat, heartbeat->interval);
}

void cds_heartbeat_stop(struct cds_heartbeat *heartbeat) {
  if (heartbeat->wsi != NULL) lws_sul_cancel(&heartbeat->sul);
  heartbeat->wsi = NULL;
  heartbeat->ping_is_due = heartbeat->pong_is_awaited = false;
}

void cds_heartbeat_resume(struct cds_heartbeat *heartbeat, struct lws *wsi) {
  heartbeat->wsi = wsi;
  ping_after(heartbeat, 0);
}

int cds_heartbeat_write(struct cds_heartbeat *heartbeat) {
  if (!heartbeat->ping_is_due) return 0;
  size_t size = sizeof heartbeat->number;
  unsigned char frame[LWS_PRE + sizeof heartbeat->number];
  memcpy(frame + LWS_PRE, &heartbeat->number, size);
  heartbeat->ping_is_due = false;
  heartbeat->sent_ns = cds_clock_mono_ns();
  if (cds_trace_is_on()) cds_trace("> ping %llu", (unsigned long long)heartbeat->number);
  return lws_write(heartbeat->wsi, frame + LWS_PRE, size, LWS_WRITE_PING) < 0 ? -1 : 0;
}

void cds_heartbeat_pong(struct cds_heartbeat *heartbeat, const void *payload, size_t length) {
  if (!heartbeat->pong_is_awaited || length != sizeof heartbeat->number ||
      memcmp(payload, &heartbeat->number, length) != 0)
    return;
  heartbeat->pong_is_awaited = false;
  heartbeat->latency_ms = (double)(cds_clock_mono_ns() - heartbeat->sent_ns) / 1e6;
  if (cds_trace_is_on())
    cds_trace("< pong %llu, after %.1f ms", (unsigned long long)heartbeat->number, heartbeat->latency_ms);
  ping_after(heartbeat, heartbeat->interval);
}
