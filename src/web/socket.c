/* SPDX-License-Identifier: MIT
 * In a peer's buffer each message lies behind its length and the room that libwebsockets wants before it. */
#include "web/socket.h"

#include "base/alloc.h"
#include "web/request.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TRY_AGAIN_LATER 1013
#define ROOM (sizeof(uint32_t) + LWS_PRE)

/* ---- the handshake ---- */

static bool is_stream(const char *path) {
  return strcmp(path, "/api/v1/ws") == 0 || strcmp(path, "/api/v2/ws") == 0;
}

static int judge(const struct cds_web_gate *gate, const struct cds_web_request *request, struct lws *wsi,
                 const char **reason) {
  struct cds_web_credentials credentials;
  bool *wanted;
  *reason = "there is no WebSocket here";
  if (!is_stream(request->path) || strcmp(request->method, "GET") != 0) return 404;
  cds_web_request_credentials(&credentials, wsi);
  int status = cds_web_gate_check(gate, request->method, request->target, &credentials, reason);
  if (status != 0) return status;
  status = cds_web_gate_feeds(gate, request->query, &wanted, reason);
  if (status == 0) cds_free(wanted);
  return status;
}

static void answer(struct lws *wsi, int status, const char *reason) {
  char text[LWS_PRE + 512];
  int body = (int)strlen(reason) + 12;
  int length = snprintf(text + LWS_PRE, sizeof text - LWS_PRE,
                        "HTTP/1.1 %d Refused\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                        "Connection: close\r\n\r\n{\"error\":\"%s\"}",
                        status, body, reason);
  if (length > 0 && (size_t)length < sizeof text - LWS_PRE)
    (void)lws_write(wsi, (unsigned char *)text + LWS_PRE, (size_t)length, LWS_WRITE_HTTP);
}

bool cds_web_socket_admit(const struct cds_web_gate *gate, struct lws *wsi, const char *protocol) {
  struct cds_web_request request = {0};
  struct cds_buf target;
  const char *reason;
  if (!gate || !protocol || strcasecmp(protocol, "websocket") != 0) return false;
  cds_buf_init(&target, CDS_WEB_MAX_SIGNED_HEADERS);
  cds_web_request_read(&request, &target, wsi);
  int status = judge(gate, &request, wsi, &reason);
  if (status != 0) answer(wsi, status, reason);
  cds_buf_clear(&target);
  return status == 0;
}

bool cds_web_socket_open(struct cds_web_peer *peer, const struct cds_web_gate *gate, struct lws *wsi) {
  const char *reason;
  *peer = (struct cds_web_peer){.wsi = wsi};
  cds_buf_init(&peer->target, CDS_WEB_MAX_SIGNED_HEADERS);
  cds_buf_init(&peer->out, CDS_WEB_MAX_MESSAGES);
  cds_web_request_read(&peer->request, &peer->target, wsi);
  bool good = cds_web_gate_feeds(gate, peer->request.query, &peer->wanted, &reason) == 0;
  cds_buf_clear(&peer->target);
  peer->request = (struct cds_web_request){0};
  if (good) peer->state = CDS_WEB_SOCKET;
  return good;
}

/* ---- messages ---- */

static bool append(struct cds_buf *out, const void *data, uint32_t length) {
  static const char room[LWS_PRE];
  size_t before = out->length;
  if (cds_buf_append(out, &length, sizeof length) == CDS_OK && cds_buf_append(out, room, sizeof room) == CDS_OK &&
      cds_buf_append(out, data, length) == CDS_OK)
    return true;
  out->length = before;
  return false;
}

/* What was sent is moved out of the way now and then, not for each message. */
static bool add(struct cds_web_peer *peer, const void *data, uint32_t length) {
  if (peer->sent * 2 > peer->out.length) cds_web_peer_drop_sent(peer);
  if (append(&peer->out, data, length)) return true;
  cds_web_peer_drop_sent(peer);
  return append(&peer->out, data, length);
}

/* The peer is given a while to read so far that it can be told. */
static void give_up(struct cds_web_peer *peer) {
  peer->state = CDS_WEB_SLOW;
  cds_buf_clear(&peer->out);
  lws_set_timeout(peer->wsi, PENDING_TIMEOUT_USER_OK, CDS_WEB_PATIENCE);
  lws_callback_on_writable(peer->wsi);
}

bool cds_web_socket_send(struct cds_web_peer *peer, size_t feed, const void *data, size_t length) {
  if (peer->state != CDS_WEB_SOCKET || !peer->wanted[feed]) return false;
  if (length > CDS_WEB_MAX_MESSAGES || !add(peer, data, (uint32_t)length)) {
    give_up(peer);
    return false;
  }
  lws_callback_on_writable(peer->wsi);
  return true;
}

static bool write_one(struct cds_web_peer *peer) {
  uint32_t length;
  char *at = peer->out.data + peer->sent;
  memcpy(&length, at, sizeof length);
  if (lws_write(peer->wsi, (unsigned char *)at + ROOM, length, LWS_WRITE_BINARY) < 0) return false;
  peer->sent += ROOM + length;
  return true;
}

bool cds_web_socket_write(struct cds_web_peer *peer) {
  static unsigned char reason[] = "too slow";
  if (peer->state == CDS_WEB_SLOW) {
    lws_close_reason(peer->wsi, (enum lws_close_status)TRY_AGAIN_LATER, reason, sizeof reason - 1);
    return false;
  }
  while (peer->sent < peer->out.length && !lws_send_pipe_choked(peer->wsi))
    if (!write_one(peer)) return false;
  if (peer->sent < peer->out.length) lws_callback_on_writable(peer->wsi);
  return true;
}
