/* SPDX-License-Identifier: MIT
 * What a peer sends over an open connection: messages, put together from their parts, and its close frame. */
#ifndef CDS_WS_INPUT_H
#define CDS_WS_INPUT_H

#include "net/ws_attempt.h"

/* Of the reader that takes connections over; its context is the ws. */
extern const struct cds_ws_reader_handler cds_ws_input_handler;

/* Of a connection that libwebsockets reads itself. receive: non-zero: give up the connection. */
int cds_ws_input_receive(struct cds_ws *ws, struct lws *wsi, const char *data, size_t length);

/* Hands out what came of it while reading was paused, once it no longer is. True when there was any. */
bool cds_ws_input_go_on(struct cds_ws *ws);

void cds_ws_input_peer_close(struct cds_ws *ws, const uint8_t *payload, size_t length);

#endif
