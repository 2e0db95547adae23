/* SPDX-License-Identifier: MIT
 * The inside of a ws, shared by ws.c (contexts and attempts), ws_callback.c (what libwebsockets reports) and
 * ws_heartbeat.c. All of it belongs to the I/O thread. */
#ifndef CDS_WS_INTERNAL_H
#define CDS_WS_INTERNAL_H

#include <libwebsockets.h>

#include "net/lookup.h"
#include "net/ws.h"
#include "net/ws_tls.h"

#define CDS_WS_RX_BYTES (16 * 1024) /* one callback's payload at most; shorter messages are not copied */
#define CDS_WS_HEADER_ROOM (16 * 1024)

enum cds_ws_state { CDS_WS_IDLE, CDS_WS_CONNECTING, CDS_WS_OPEN, CDS_WS_CLOSING };

struct cds_ws {
  struct cds_ws_settings settings;
  struct cds_ws_handler handler;
  struct lws_context *lws;
  struct lws_vhost *direct, *proxied; /* proxied: NULL until a proxy is first needed */
  size_t buffer_size;                 /* pt_serv_buf_size: the whole handshake request is built there */
  bool can_be_woken;                  /* proved before the first attempt */
  SSL_CTX *ssl;                       /* NULL until the first TLS attempt */

  /* one attempt or connection */
  enum cds_ws_state state;
  struct lws *wsi; /* NULL when there is none */
  const struct cds_url *url;
  const char *target;
  char proxy[512];
  struct cds_lookup *lookup; /* may outlive an attempt that ran out of time: the next one waits for it too */
  bool is_looking_up;        /* the attempt waits for it */
  struct cds_addresses addresses;
  size_t next_address;
  int64_t deadline_ms; /* of the attempt, monotonic */
  bool starting;       /* inside lws_client_connect_via_info */
  bool lost_at_start;  /* the connection was destroyed in there */
  bool tcp_open;
  long verify_error;         /* X509_V_ERR_… of this attempt */
  unsigned long tls_failure; /* OpenSSL's code, likewise */
  bool has_outcome;
  struct cds_error outcome; /* the first reason known is kept: later ones are its consequences */
  bool paused;
  struct cds_buf message; /* a message that comes in several pieces */

  /* heartbeat */
  uint64_t ping_number;
  bool ping_due, pong_awaited;
  int64_t ping_sent_ns;
  double latency_ms;

  struct lws_sorted_usec_list attempt_sul, step_sul, timer_sul, ping_sul;
};

/* Records why the attempt or connection ends, unless a reason is known already. */
void cds_ws_outcome(struct cds_ws *ws, const struct cds_error *err);

/* The wsi is going or gone: what follows (next address, or the closed handler) happens outside libwebsockets' calls. */
void cds_ws_lost(struct cds_ws *ws);

/* Goes on with the attempt that waits for its host's addresses, if they are there. */
void cds_ws_looked_up(struct cds_ws *ws);

/* The handshake is done: stops the attempt's clock and starts the heartbeat. */
void cds_ws_established(struct cds_ws *ws);

int cds_ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length);

void cds_ws_heartbeat_start(struct cds_ws *ws);
void cds_ws_heartbeat_stop(struct cds_ws *ws);
void cds_ws_heartbeat_resume(struct cds_ws *ws); /* pings at once */
int cds_ws_heartbeat_write(struct cds_ws *ws);   /* the socket is writable; non-zero: give up the connection */
void cds_ws_heartbeat_pong(struct cds_ws *ws, const void *payload, size_t length);

#endif
