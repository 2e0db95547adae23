/* SPDX-License-Identifier: MIT
 * What libwebsockets reports of the one connection: the handshake out and its answer, messages, pongs, the end. */
#include "net/ws_callback.h"

#include <math.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "net/http_header.h"
#include "net/proxy.h"
#include "net/ws_input.h"

#define RX_BYTES (16 * 1024)   /* one callback's payload at most; shorter messages are not copied */
#define SKEW_WORTH_TELLING 5.0 /* seconds; the service refuses signatures further off than that */

/* ---- the handshake going out ---- */

/* Puts the real target in its place while the request is still in libwebsockets' buffer. `room` is what it computed as
 * left of that, 12 bytes kept back, which tells where the request starts. Should any of that not be so, the comparison
 * fails and the attempt with it. */
static int place_target(struct cds_ws *ws, char **end, size_t *room) {
  static const char before[] = "GET " CDS_WS_PLACEHOLDER " HTTP/1.1\r\n";
  size_t length = strlen(ws->target), old = sizeof CDS_WS_PLACEHOLDER - 1, size = ws->context.buffer_size;
  if (*room + 12 > size) return -1;
  char *request = *end + *room + 12 - size;
  if ((size_t)(*end - request) < sizeof before - 1 || memcmp(request, before, sizeof before - 1) != 0) return -1;
  if (length > old && length - old > *room) return -1;
  char *target = request + 4, *rest = target + old;
  memmove(target + length, rest, (size_t)(*end - rest));
  memcpy(target, ws->target, length);
  *end = *end - old + length;
  *room = *room + old - length;
  return 0;
}

static int append_headers(struct cds_ws *ws, char **end, size_t room) {
  struct cds_error err = {0};
  struct cds_buf lines;
  cds_buf_init(&lines, CDS_WS_HEADER_ROOM);
  enum cds_status status = ws->handler.headers(ws->handler.context, &lines, &err);
  if (status == CDS_OK && (place_target(ws, end, &room) != 0 || lines.length > room))
    status = cds_error_set(&err, CDS_E_NETWORK, "the request does not fit libwebsockets' buffer");
  if (status != CDS_OK) cds_ws_outcome(ws, &err);
  else if (lines.length > 0) {
    memcpy(*end, lines.data, lines.length);
    *end += lines.length;
  }
  cds_buf_clear(&lines);
  return status == CDS_OK ? 0 : -1;
}

/* ---- the handshake's answer, when it is a refusal ---- */

/* The lines that tell about time, for the parsers that REST uses too. */
static void read_times(char *out, size_t size, struct lws *wsi) {
  char date[64] = "", retry[64] = "";
  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_DATE) > 0)
    (void)lws_hdr_copy(wsi, date, sizeof date, WSI_TOKEN_HTTP_DATE);
  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_RETRY_AFTER) > 0)
    (void)lws_hdr_copy(wsi, retry, sizeof retry, WSI_TOKEN_HTTP_RETRY_AFTER);
  snprintf(out, size, "Date: %s\r\nRetry-After: %s\r\n", date, retry);
}

static void add_clock_skew(struct cds_error *err, const char *times, int64_t now_ms) {
  double server_s;
  if (!cds_http_date(&server_s, times)) return;
  err->has_clock_skew = true;
  err->clock_skew = (double)now_ms / 1000 - server_s;
  size_t used = strlen(err->message);
  if (fabs(err->clock_skew) > SKEW_WORTH_TELLING)
    snprintf(err->message + used, sizeof err->message - used,
             "; the local clock is %.0f s %s the service's, which accepts 5 s: set the clock", fabs(err->clock_skew),
             err->clock_skew > 0 ? "ahead of" : "behind");
}

static void describe_refusal(struct cds_error *err, struct lws *wsi, int status) {
  int64_t now_ms = cds_clock_wall_ms();
  char times[160];
  if (status == 401 || status == 403)
    cds_error_set(err, CDS_E_AUTH, "the service refused the credentials or a feed (HTTP %d)", status);
  else if (status == 429)
    cds_error_set(err, CDS_E_RATE_LIMIT, "the service refused the connection: too many (HTTP 429)");
  else if (status >= 400) cds_error_set(err, CDS_E_API, "the service refused the connection (HTTP %d)", status);
  else if (status >= 300)
    cds_error_set(err, CDS_E_NETWORK, "the service redirected the connection (HTTP %d), which is not followed", status);
  else cds_error_set(err, CDS_E_NETWORK, "the service answered HTTP %d without a WebSocket upgrade", status);
  err->http_status = status;
  err->retryable = err->retryable || status >= 500;
  read_times(times, sizeof times, wsi);
  err->has_retry_after = cds_http_retry_after(&err->retry_after, times, now_ms);
  if (err->status == CDS_E_AUTH) add_clock_skew(err, times, now_ms);
}

/* libwebsockets keeps the socket's own reason to itself; a connection that just takes too long ends elsewhere. */
static void describe_failure(struct cds_error *err, const struct cds_ws *ws, const char *in, size_t length) {
  const struct cds_url *url = ws->url;
  const char *tls = cds_ws_tls_reason(ws->verify_error, ws->tls_failure); /* "" without TLS */
  if (!ws->tcp_open) cds_ws_unreachable(err, ws, "refused or unreachable");
  else if (*tls != 0) cds_error_set(err, CDS_E_NETWORK, "TLS to %s:%u failed: %s", url->host, url->port, tls);
  else
    cds_error_set(err, CDS_E_NETWORK, "the handshake with %s:%u%s%s failed (%.*s)", url->host, url->port,
                  ws->proxy[0] != 0 ? " through the proxy " : "", cds_proxy_name(ws->proxy), (int)length,
                  in != NULL ? in : "");
  if (ws->verify_error != X509_V_OK) err->retryable = false; /* the same certificate will come again */
}

static void on_connection_error(struct cds_ws *ws, struct lws *wsi, const char *in, size_t length) {
  struct cds_error err = {0};
  int status = ws->tcp_open ? (int)lws_http_client_http_response(wsi) : 0;
  if (status != 0 && status != 101) describe_refusal(&err, wsi, status);
  else describe_failure(&err, ws, in, length);
  cds_ws_outcome(ws, &err);
  cds_ws_lost(ws);
}

/* Returning 0 with the error reset accepts the certificate; OpenSSL asks once for each fault. */
static int on_verify(struct cds_ws *ws, X509_STORE_CTX *store, bool good) {
  if (good) return 0;
  if (ws->settings.tls.insecure_skip_verify) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 0;
  }
  ws->verify_error = X509_STORE_CTX_get_error(store);
  return 1;
}

/* ---- an open connection ---- */

static void on_closed(struct cds_ws *ws) {
  struct cds_error err;
  (void)cds_ws_input_go_on(ws);
  cds_ws_reader_finish(&ws->reader);
  cds_ws_reader_stop(&ws->reader);
  cds_error_set(&err, CDS_E_NETWORK, "the connection was lost");
  cds_ws_outcome(ws, &err);
  cds_ws_lost(ws);
}

static void on_destroy(struct cds_ws *ws, struct lws *wsi) {
  if (ws->starting) ws->lost_at_start = true;
  else if (ws->wsi == wsi) on_closed(ws);
}

/* A long request must fit the socket's buffer: libwebsockets 4.1 does not send the rest of a short write. */
static void on_created(struct cds_ws *ws, struct lws *wsi) {
  if (ws->tcp_open) return; /* it is what the reader watches */
  int size = (int)ws->context.buffer_size * 2;
  ws->tcp_open = true;
  if (ws->context.buffer_size > CDS_WS_HEADER_ROOM * 2)
    (void)setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* One thing at a time: libwebsockets asks again when there is room for more. */
static int on_writable(struct cds_ws *ws, struct lws *wsi) {
  if (cds_ws_reader_has(&ws->reader, wsi) && cds_ws_reader_has_to_write(&ws->reader)) {
    if (ws->heartbeat.ping_is_due) lws_callback_on_writable(wsi);
    return cds_ws_reader_write(&ws->reader);
  }
  if (ws->state != CDS_WS_CLOSING || cds_ws_reader_has(&ws->reader, wsi)) return cds_heartbeat_write(&ws->heartbeat);
  lws_close_reason(ws->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
  return -1;
}

/* What libwebsockets makes of the rest of a frame, once the reader has given a connection up, is no message. */
static int on_receive(struct cds_ws *ws, struct lws *wsi, const char *data, size_t length) {
  if (ws->state != CDS_WS_OPEN || cds_ws_reader_has(&ws->reader, wsi)) return 0;
  return cds_ws_input_receive(ws, wsi, data, length);
}

static void on_established(struct cds_ws *ws, struct lws *wsi) {
  cds_ws_reader_start(&ws->reader, wsi);
  cds_ws_established(ws, wsi);
}

static void on_woken(struct cds_ws *ws) {
  if (ws->state == CDS_WS_BEING_MADE) ws->can_be_woken = true;
  if (ws->state == CDS_WS_BEING_MADE || ws->state == CDS_WS_CLOSING) return;
  cds_ws_looked_up(ws);
  ws->handler.woken(ws->handler.context);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length) {
  struct cds_ws *ws = lws_context_user(lws_get_context(wsi));
  switch (reason) {
  case LWS_CALLBACK_EVENT_WAIT_CANCELLED: on_woken(ws); return 0;
  case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION: return on_verify(ws, user, length != 0);
  case LWS_CALLBACK_WSI_CREATE: on_created(ws, wsi); return 0;
  case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return append_headers(ws, in, length);
  case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: on_connection_error(ws, wsi, in, length); return 0;
  case LWS_CALLBACK_CLIENT_ESTABLISHED: on_established(ws, wsi); return 0;
  case LWS_CALLBACK_CLIENT_RECEIVE: return on_receive(ws, wsi, in, length);
  case LWS_CALLBACK_CLIENT_RECEIVE_PONG: cds_heartbeat_pong(&ws->heartbeat, in, length); return 0;
  case LWS_CALLBACK_CLIENT_WRITEABLE: return on_writable(ws, wsi);
  case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: cds_ws_input_peer_close(ws, in, length); return 0;
  case LWS_CALLBACK_RAW_RX_FILE: return cds_ws_reader_readable(&ws->reader, wsi);
  case LWS_CALLBACK_RAW_CLOSE_FILE: cds_ws_reader_watch_closed(&ws->reader, wsi); return 0;
  case LWS_CALLBACK_CLIENT_CLOSED: on_closed(ws); return 0;
  case LWS_CALLBACK_WSI_DESTROY: on_destroy(ws, wsi); return 0;
  default: return 0;
  }
}

const struct lws_protocols cds_ws_protocols[] = {
  {.name = "cds", .callback = callback, .rx_buffer_size = RX_BYTES},
  {0},
};
