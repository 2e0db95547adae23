/* SPDX-License-Identifier: MIT
 * A connection's request, and its bytes on their way out. */
#include "web/peer.h"

#include "base/alloc.h"
#include "web/gate.h"
#include "web/request.h"

#include <libwebsockets.h>
#include <string.h>

#define PIECE 16384 /* bytes that go to the library at once */

static void judge(struct cds_web_peer *peer, const struct cds_web_gate *gate) {
  struct cds_web_request *request = &peer->request;
  struct cds_web_credentials credentials;
  if (!gate || !request->method[0]) return;
  cds_web_request_credentials(&credentials, peer->wsi);
  request->refusal = cds_web_gate_check(gate, request->method, request->target, &credentials, &request->reason);
}

void cds_web_peer_open(struct cds_web_peer *peer, const struct cds_web_gate *gate, struct lws *wsi, uint64_t id) {
  *peer = (struct cds_web_peer){.wsi = wsi, .state = CDS_WEB_ASKED, .request = {.id = id, .reason = ""}};
  cds_buf_init(&peer->out, SIZE_MAX / 2); /* the limit depends on what was sent: may_wait */
  cds_buf_init(&peer->target, SIZE_MAX / 2);
  cds_web_request_read(&peer->request, &peer->target, wsi);
  judge(peer, gate);
}

void cds_web_peer_clear(struct cds_web_peer *peer) {
  cds_buf_clear(&peer->out);
  cds_buf_clear(&peer->target);
  cds_free(peer->wanted);
  peer->state = CDS_WEB_NO_REQUEST;
}

void cds_web_peer_drop_sent(struct cds_web_peer *peer) {
  size_t left = peer->out.length - peer->sent;
  if (peer->sent == 0) return;
  memmove(peer->out.data, peer->out.data + peer->sent, left + 1);
  peer->out.length = left;
  peer->sent = 0;
}

/* An answer is as long as its owner made it; what comes behind it waits for a peer that reads. */
static bool may_wait(const struct cds_web_peer *peer, size_t length) {
  return peer->state != CDS_WEB_STREAM ||
         (peer->out.length <= CDS_WEB_MAX_WAITING && length <= CDS_WEB_MAX_WAITING - peer->out.length);
}

bool cds_web_peer_send(struct cds_web_peer *peer, const void *data, size_t length, bool more) {
  if (peer->state != CDS_WEB_TAKEN && peer->state != CDS_WEB_STREAM) return false;
  cds_web_peer_drop_sent(peer);
  if (!may_wait(peer, length) || cds_buf_append(&peer->out, data, length) != CDS_OK) {
    peer->state = CDS_WEB_ENDING;
    lws_set_timeout(peer->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    return false;
  }
  if (more && peer->state == CDS_WEB_TAKEN) lws_http_mark_sse(peer->wsi);
  lws_set_timeout(peer->wsi, PENDING_TIMEOUT_USER_OK, CDS_WEB_PATIENCE);
  peer->state = more ? CDS_WEB_STREAM : CDS_WEB_ENDING;
  lws_callback_on_writable(peer->wsi);
  return true;
}

bool cds_web_peer_write(struct cds_web_peer *peer) {
  while (peer->sent < peer->out.length && !lws_send_pipe_choked(peer->wsi)) {
    size_t left = peer->out.length - peer->sent, size = left < PIECE ? left : PIECE;
    if (lws_write(peer->wsi, (unsigned char *)peer->out.data + peer->sent, size, LWS_WRITE_HTTP) < 0) return false;
    peer->sent += size;
    lws_set_timeout(peer->wsi, PENDING_TIMEOUT_USER_OK, CDS_WEB_PATIENCE);
  }
  if (peer->sent < peer->out.length || lws_partial_buffered(peer->wsi)) {
    lws_callback_on_writable(peer->wsi);
    return true;
  }
  if (peer->state == CDS_WEB_STREAM) lws_set_timeout(peer->wsi, NO_PENDING_TIMEOUT, 0);
  return peer->state != CDS_WEB_ENDING;
}
