/* SPDX-License-Identifier: MIT
 * Pings, and the end of a connection that does not answer them. */
#ifndef CDS_WS_HEARTBEAT_H
#define CDS_WS_HEARTBEAT_H

#include <libwebsockets.h>

#include "base/cds.h"

struct cds_heartbeat {
  struct lws_context *lws;
  int interval, timeout;       /* seconds */
  void (*dead)(void *context); /* no pong came: called from libwebsockets' service */
  void *context;
  /* private */
  struct lws *wsi; /* NULL: at rest */
  uint64_t number; /* of the last ping, and its payload */
  bool ping_is_due, pong_is_awaited;
  int64_t sent_ns;
  double latency_ms; /* the last ping's way there and back; negative when not known */
  struct lws_sorted_usec_list sul;
};

void cds_heartbeat_start(struct cds_heartbeat *heartbeat, struct lws *wsi);
void cds_heartbeat_stop(struct cds_heartbeat *heartbeat);
void cds_heartbeat_resume(struct cds_heartbeat *heartbeat, struct lws *wsi); /* after a stop: pings at once */

/* The socket is writable; non-zero: give up the connection. */
int cds_heartbeat_write(struct cds_heartbeat *heartbeat);

void cds_heartbeat_pong(struct cds_heartbeat *heartbeat, const void *payload, size_t length);

#endif
