/* SPDX-License-Identifier: MIT
 * Messages whole, whoever reads their parts. */
#include "net/ws_input.h"

#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

/* ---- messages ---- */

enum taken { TAKEN, TOO_LARGE, NO_TEXT };

/* Of what one read brought, libwebsockets 4.5 hands out the rest although reading was to pause: it waits here, and what
 * comes after it behind it. */
static enum taken hold(struct cds_ws *ws, const char *data, size_t length) {
  const size_t before = ws->held.length;
  if (cds_buf_append(&ws->held, &length, sizeof length) == CDS_OK && cds_buf_append(&ws->held, data, length) == CDS_OK)
    return TAKEN;
  ws->held.length = before;
  return TOO_LARGE;
}

bool cds_ws_input_go_on(struct cds_ws *ws) {
  size_t at = 0, length;
  while (at < ws->held.length && ws->state == CDS_WS_OPEN && !ws->paused) {
    memcpy(&length, ws->held.data + at, sizeof length);
    at += sizeof length;
    ws->handler.message(ws->handler.context, ws->held.data + at, length);
    at += length;
  }
  if (at == 0) return false;
  memmove(ws->held.data, ws->held.data + at, ws->held.length - at);
  ws->held.length -= at;
  return true;
}

static enum taken hand_out(struct cds_ws *ws, const char *data, size_t length) {
  if (ws->paused || ws->held.length > 0) return hold(ws, data, length);
  ws->handler.message(ws->handler.context, data, length);
  return TAKEN;
}

static enum taken take_part(struct cds_ws *ws, const char *data, size_t length, bool is_end, bool must_be_text) {
  if (!is_end || ws->message.length > 0) { /* usually it comes in one piece, which need not be copied */
    if (cds_buf_append(&ws->message, data, length) != CDS_OK) return TOO_LARGE;
    if (!is_end) return TAKEN;
    data = ws->message.data;
    length = ws->message.length;
  }
  if (must_be_text && !cds_utf8_is_valid(data, length)) return NO_TEXT;
  enum taken taken = hand_out(ws, data, length);
  cds_buf_reset(&ws->message);
  return taken;
}

static void tell_fault(struct cds_ws *ws, const char *fault, int code) {
  struct cds_error err;
  cds_error_set(&err, CDS_E_NETWORK, "the service sent %s: the connection was closed (%d)", fault, code);
  cds_ws_outcome(ws, &err);
}

static void tell_too_large(struct cds_ws *ws) {
  struct cds_error err;
  cds_error_set(&err, CDS_E_NETWORK, "a message over %u bytes: the connection was closed (1009)",
                CDS_MAX_MESSAGE_BYTES);
  cds_ws_outcome(ws, &err);
}

/* 0, or the code that the connection is to be closed with. */
static enum lws_close_status judge(struct cds_ws *ws, enum taken taken) {
  switch (taken) {
  case TAKEN: break;
  case NO_TEXT:
    tell_fault(ws, "a text that is no UTF-8", LWS_CLOSE_STATUS_INVALID_PAYLOAD);
    return LWS_CLOSE_STATUS_INVALID_PAYLOAD;
  case TOO_LARGE: tell_too_large(ws); return LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE;
  }
  return LWS_CLOSE_STATUS_NOSTATUS;
}

int cds_ws_input_receive(struct cds_ws *ws, struct lws *wsi, const char *data, size_t length) {
  bool is_end = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
  enum lws_close_status code = judge(ws, take_part(ws, data, length, is_end, !lws_frame_is_binary(wsi)));
  if (code == LWS_CLOSE_STATUS_NOSTATUS) return 0;
  lws_close_reason(wsi, code, NULL, 0);
  return -1;
}

/* ---- the peer's close frame ---- */

static void tell_peer_close(struct cds_ws *ws, const uint8_t *payload, size_t length, const char *unsure) {
  struct cds_error err;
  int code = length >= 2 ? payload[0] << 8 | payload[1] : 0;
  if (length >= 2)
    cds_error_set(&err, CDS_E_NETWORK, "the service closed the connection (%d%s%s%.*s)", code, unsure,
                  length > 2 ? ": " : "", (int)(length - 2), (const char *)payload + 2);
  else cds_error_set(&err, CDS_E_NETWORK, "the service closed the connection");
  cds_ws_outcome(ws, &err);
}

/* libwebsockets 4.1 puts 1002 in place of each code that RFC 6455 lacks: 1012 (restart) and 1013 (overload) too. */
#if LWS_LIBRARY_VERSION_NUMBER < 4003000
#define MAY_BE_OTHERS ", which may stand for 1012 to 1014: libwebsockets does not know these"
#else
#define MAY_BE_OTHERS ""
#endif

void cds_ws_input_peer_close(struct cds_ws *ws, const uint8_t *payload, size_t length) {
  bool is_unsure = length >= 2 && (payload[0] << 8 | payload[1]) == LWS_CLOSE_STATUS_PROTOCOL_ERR;
  tell_peer_close(ws, payload, length, is_unsure ? MAY_BE_OTHERS : "");
}

/* ---- of the reader ---- */

static void on_fault(void *context, const char *fault) {
  tell_fault(context, fault, LWS_CLOSE_STATUS_PROTOCOL_ERR);
}

static bool on_part(void *context, const struct cds_frame *part) {
  struct cds_ws *ws = context;
  if (ws->state != CDS_WS_OPEN) return true;
  enum taken taken = take_part(ws, (const char *)part->data, part->length, part->is_end, part->is_text);
  enum lws_close_status code = judge(ws, taken);
  if (code == LWS_CLOSE_STATUS_NOSTATUS) return true;
  cds_ws_reader_close(&ws->reader, code, false);
  return false;
}

static void on_pong(void *context, const void *payload, size_t length) {
  struct cds_ws *ws = context;
  cds_heartbeat_pong(&ws->heartbeat, payload, length);
}

static void on_peer_close(void *context, const uint8_t *payload, size_t length) {
  tell_peer_close(context, payload, length, "");
}

const struct cds_ws_reader_handler cds_ws_input_handler = {
  .part = on_part, .pong = on_pong, .peer_close = on_peer_close, .fault = on_fault};
