/* SPDX-License-Identifier: MIT
 * A connection that has become a WebSocket: what is sent to it waits in a bounded space. */
#ifndef CDS_WEB_SOCKET_H
#define CDS_WEB_SOCKET_H

#include "web/gate.h"
#include "web/peer.h"

/* May the request become one (protocol: as its header Upgrade says)? Otherwise it is answered here; gate NULL: none may. */
bool cds_web_socket_admit(const struct cds_web_gate *gate, struct lws *wsi, const char *protocol);

/* It has become one; false: memory ran out. */
bool cds_web_socket_open(struct cds_web_peer *peer, const struct cds_web_gate *gate, struct lws *wsi);

/* False: the peer is no WebSocket that wants the feed of that number, or ends now, as too much waits for it. */
bool cds_web_socket_send(struct cds_web_peer *peer, size_t feed, const void *data, size_t length);

bool cds_web_socket_write(struct cds_web_peer *peer); /* false: it is to be closed */

#endif
