/* SPDX-License-Identifier: MIT
 * One WebSocket client over libwebsockets: one connection at a time, any number in turn. Everything here belongs to
 * one thread at a time, as whoever owns it sees to, except cds_ws_wake. No function reports through a return value what happens
 * later: that comes to the handler, from within cds_ws_service. */
#ifndef CDS_WS_H
#define CDS_WS_H

#include "base/buf.h"
#include "net/tls.h"
#include "net/url.h"

struct cds_ws;

struct cds_ws_settings { /* texts are borrowed and must outlive the ws */
  struct cds_tls tls;
  const char *proxy;      /* as cds_proxy_for takes it */
  double connect_timeout; /* seconds: name, TCP, TLS and handshake together */
  int ping_interval, pong_timeout;
  size_t max_target; /* bytes of the longest request target that will be asked for */
};

struct cds_ws_handler {
  void *context;
  /* Appends "Name: value\r\n" lines to the handshake about to be sent. A failure ends the attempt with *err. */
  enum cds_status (*headers)(void *context, struct cds_buf *lines, struct cds_error *err);
  void (*opened)(void *context);
  void (*message)(void *context, const char *data, size_t length); /* whole; text and binary alike */
  /* Exactly once for each cds_ws_connect: the attempt failed, or the connection ended. A new cds_ws_connect may be
   * made from within. A refused handshake has its http_status, retry_after and clock_skew in *err. */
  void (*closed)(void *context, const struct cds_error *err);
  void (*timer)(void *context);
  void (*woken)(void *context); /* after cds_ws_wake */
};

/* CDS_E_CONFIG for TLS files that do not load, CDS_E_MEMORY when there is no context to be had. */
CDS_MUST_CHECK enum cds_status cds_ws_new(struct cds_ws **out, const struct cds_ws_settings *settings,
                                          const struct cds_ws_handler *handler, struct cds_error *err);

/* Ends an open connection with close code 1000, waiting a moment for the peer's answer, without calling the handler. */
void cds_ws_free(struct cds_ws *ws);

/* Starts an attempt; none may be under way. target (path and query, also what is signed) is borrowed until closed. */
void cds_ws_connect(struct cds_ws *ws, const struct cds_url *url, const char *target);

/* Calls the timer handler once, after so many seconds; replaces the timer set before. */
void cds_ws_timer(struct cds_ws *ws, double seconds);

/* Stops or resumes reading the socket. The heartbeat rests meanwhile, as pongs are not read either. */
void cds_ws_pause(struct cds_ws *ws, bool pause);

/* Gives up the open connection, for this reason, which closed will tell. */
void cds_ws_drop(struct cds_ws *ws, const struct cds_error *why);

/* The last ping's way there and back; negative when not known. */
double cds_ws_ping_latency_ms(const struct cds_ws *ws);

/* Handles what has happened, waiting for the next thing to happen. False: cds_ws_end was called. */
bool cds_ws_service(struct cds_ws *ws);

/* The same, and comes back after so many seconds at the latest, or when it likes. A negative time: there is no such end.
 * That the ws has ended the next cds_ws_service tells. */
void cds_ws_service_for(struct cds_ws *ws, double seconds);

/* The owner is done with it: cds_ws_service comes back, also from the handler that says so. */
void cds_ws_end(struct cds_ws *ws);

/* Any thread, while the ws lives: makes cds_ws_service call woken soon. */
void cds_ws_wake(struct cds_ws *ws);

#endif
