/* SPDX-License-Identifier: MIT
 * One connection of the server: its request, and the bytes that wait to be sent. */
#ifndef CDS_WEB_PEER_H
#define CDS_WEB_PEER_H

#include "base/buf.h"
#include "web/server.h"

struct lws;

enum cds_web_state {
  CDS_WEB_NO_REQUEST,
  CDS_WEB_ASKED,
  CDS_WEB_TAKEN,
  CDS_WEB_STREAM,
  CDS_WEB_ENDING,
  CDS_WEB_SOCKET, /* a WebSocket: web/socket.h */
  CDS_WEB_SLOW    /* one that ends, as its peer reads too slowly */
};

struct cds_web_peer {
  struct cds_web_peer *previous, *next; /* in the server's list, the oldest first */
  struct lws *wsi;
  enum cds_web_state state;
  struct cds_web_request request;
  struct cds_buf target; /* what the request's texts point into */
  struct cds_buf out;
  size_t sent;
  bool *wanted; /* of a WebSocket: for each feed, is it to come? */
};

/* Reads the request; gate NULL: everybody may ask. */
void cds_web_peer_open(struct cds_web_peer *peer, const struct cds_web_gate *gate, struct lws *wsi, uint64_t id);
void cds_web_peer_clear(struct cds_web_peer *peer);
void cds_web_peer_drop_sent(struct cds_web_peer *peer); /* frees the room of what was sent */

bool cds_web_peer_send(struct cds_web_peer *peer, const void *data, size_t length, bool more);
bool cds_web_peer_write(struct cds_web_peer *peer); /* false: it is to be closed */

#endif
