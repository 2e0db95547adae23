/* SPDX-License-Identifier: MIT
 * What libwebsockets reports of a ws. */
#ifndef CDS_WS_CALLBACK_H
#define CDS_WS_CALLBACK_H

#include <libwebsockets.h>

/* The one protocol, for cds_ws_context_init; the context's user is the ws. */
extern const struct lws_protocols cds_ws_protocols[];

#endif
