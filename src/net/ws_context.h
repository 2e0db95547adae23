/* SPDX-License-Identifier: MIT
 * A libwebsockets context, for one connection at a time or for a server, and what its versions want to be held off. */
#ifndef CDS_WS_CONTEXT_H
#define CDS_WS_CONTEXT_H

#include <libwebsockets.h>
#include <openssl/ssl.h>

#include "base/cds.h"

#if LWS_LIBRARY_VERSION_NUMBER == 4005000
#error "libwebsockets 4.5.0 tells control frames as messages: it may be 4.1 to 4.4, or 4.5.1 and later"
#endif

#define CDS_WS_HEADER_ROOM (16 * 1024) /* for the lines of a request, and for those of its answer */

struct cds_ws_context {
  struct lws_context *lws; /* NULL: there is none */
  const struct lws_protocols *protocols;
  void *user;         /* lws_context_user answers it */
  size_t buffer_size; /* pt_serv_buf_size: the whole handshake request is built there */
#if LWS_LIBRARY_VERSION_NUMBER >= 4003000
  lws_log_cx_t log;
#endif
};

/* False: memory or descriptors ran out. protocols is borrowed; the context must stay where it is. max_target: bytes of
 * the longest request target. Either way cds_ws_context_clear is to follow. */
bool cds_ws_context_init(struct cds_ws_context *context, const struct lws_protocols *protocols, void *user,
                         size_t max_target);

/* The same for a server: of how many connections, with how many bytes of headers each, for which a peer may take so long. */
struct cds_ws_server_limits {
  unsigned connections, seconds;
  size_t header_bytes;
};

bool cds_ws_context_init_server(struct cds_ws_context *context, const struct lws_protocols *protocols, void *user,
                                const struct cds_ws_server_limits *limits);

/* NULL when memory ran out. The context owns the vhost, which keeps a reference of ssl. */
struct lws_vhost *cds_ws_context_vhost(struct cds_ws_context *context, const char *name, SSL_CTX *ssl);

/* A vhost that listens on an IP address without TLS; port 0: any, CONTEXT_PORT_NO_LISTEN_SERVER: it takes connections that
 * others have accepted. NULL when it cannot. */
struct lws_vhost *cds_ws_context_listen(struct cds_ws_context *context, const char *address, int port);

void cds_ws_context_clear(struct cds_ws_context *context);

#endif
