/* SPDX-License-Identifier: MIT
 * The inside of a ws: one attempt after another to connect it, each over the addresses of its host, and its end. ws.c
 * makes it, and ws_callback.c tells what libwebsockets reports. All of it belongs to the ws's own thread. */
#ifndef CDS_WS_ATTEMPT_H
#define CDS_WS_ATTEMPT_H

#include "net/lookup.h"
#include "net/ws.h"
#include "net/ws_context.h"
#include "net/ws_heartbeat.h"
#include "net/ws_reader.h"
#include "net/ws_tls.h"

enum cds_ws_state {
  CDS_WS_BEING_MADE, /* nobody else knows it: no handler is called */
  CDS_WS_IDLE,
  CDS_WS_CONNECTING,
  CDS_WS_OPEN,
  CDS_WS_CLOSING /* no handler is called any more */
};

struct cds_ws {
  struct cds_ws_settings settings;
  struct cds_ws_handler handler;
  struct cds_ws_context context;
  struct lws_vhost *direct, *proxied; /* proxied: NULL until a proxy is first needed */
  SSL_CTX *ssl;
  bool can_be_woken; /* proved before the first attempt */
  bool is_ended;     /* by cds_ws_end */

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
  struct cds_buf held;    /* messages that came although reading is paused: the size of each, and its bytes */
  struct cds_ws_reader reader;

  struct cds_heartbeat heartbeat;
  struct lws_sorted_usec_list attempt_sul, step_sul, timer_sul, wait_sul;
};

/* libwebsockets before 4.2 cuts the request line at 2048 bytes, and later ones fail past 64 KiB of it: an attempt is
 * made with this for its target, and cds_ws_callback puts the target in its place. */
#define CDS_WS_PLACEHOLDER "/placeholder"

void cds_ws_attempt(struct cds_ws *ws, const struct cds_url *url, const char *target);

/* There is no connection, to the proxy or the service, for this reason. */
void cds_ws_unreachable(struct cds_error *err, const struct cds_ws *ws, const char *reason);

/* Records why the attempt or connection ends, unless a reason is known already. */
void cds_ws_outcome(struct cds_ws *ws, const struct cds_error *err);

/* The wsi is going or gone: what follows (next address, or the closed handler) happens outside libwebsockets' calls. */
void cds_ws_lost(struct cds_ws *ws);

/* Ends the connection that is there, at once and without a word to the peer. */
void cds_ws_kill(struct cds_ws *ws);

/* Goes on with the attempt that waits for its host's addresses, if they are there. */
void cds_ws_looked_up(struct cds_ws *ws);

/* The handshake is done: stops the attempt's clock and starts the heartbeat. */
void cds_ws_established(struct cds_ws *ws, struct lws *wsi);

#endif
