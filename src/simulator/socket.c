/* SPDX-License-Identifier: MIT
 * The server's half of the WebSocket protocol (RFC 6455): handshake, frames, ping and close. */
#include "simulator/service.h"

#include "base/alloc.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_PAYLOAD 65536 /* a client has nothing to say */
#define CLOSE_MS 3000
#define FLUSH_MS 10000

static bool accept_key(char out[40], const char *key) {
  static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  uint8_t hash[EVP_MAX_MD_SIZE];
  char text[128];
  unsigned length = 0;
  int n = snprintf(text, sizeof text, "%s%s", key, suffix);
  if (n < 0 || (size_t)n >= sizeof text) return false;
  if (!EVP_Digest(text, (size_t)n, hash, &length, EVP_sha1(), NULL)) return false;
  return EVP_EncodeBlock((unsigned char *)out, hash, (int)length) == 28;
}

bool cds_sim_find_origin(const struct cds_sim *sim, const char *name, size_t *origin) {
  *origin = 0;
  for (size_t i = 0; name && i < sim->options->origin_count; i++) {
    if (strcmp(sim->options->origins[i], name) != 0) continue;
    *origin = i;
    return true;
  }
  return name == NULL;
}

static const char *upgrade_fault(const struct cds_sim_request *request) {
  const char *upgrade = cds_sim_request_header(request, "Upgrade");
  const char *version = cds_sim_request_header(request, "Sec-WebSocket-Version");
  const char *key = cds_sim_request_header(request, "Sec-WebSocket-Key");
  if (!upgrade || strcasecmp(upgrade, "websocket") != 0) return "not a WebSocket handshake";
  if (!version || strcmp(version, "13") != 0) return "Sec-WebSocket-Version must be 13";
  return key && strlen(key) == 24 ? NULL : "missing or malformed Sec-WebSocket-Key";
}

/* 0 or a status with its message; fills in the connection's feeds and origin. */
static int admit(struct cds_sim_conn *conn, const struct cds_sim_request *request,
                 const struct cds_sim_account *account, const char **message) {
  int status = 0;
  *message = upgrade_fault(request);
  if (*message) return 400;
  *message = "unknown origin";
  if (!cds_sim_find_origin(conn->sim, cds_sim_request_header(request, "X-Cll-Origin"), &conn->origin)) return 400;
  *message = "too many WebSocket connections";
  if (account->sockets >= CDS_SIM_MAX_SOCKETS_PER_KEY) return 429;
  *message = "missing or malformed feedIDs";
  char *list = cds_sim_request_query(request, "feedIDs", &status);
  if (!list) return status == 0 ? 400 : status;
  status = cds_sim_read_feeds(conn->sim, account, list, &conn->feeds, &conn->feed_count, message);
  cds_free(list);
  return status;
}

/* The wrong answers that the script may ask for. */
static bool wrong_upgrade(const struct cds_sim_conn *conn, const char *kind) {
  return conn->fault.action == CDS_SIM_UPGRADE && strcmp(conn->fault.kind, kind) == 0;
}

static bool send_upgrade(struct cds_sim_conn *conn, const struct cds_sim_request *request) {
  char date[40], key[40], head[512];
  if (!accept_key(key, cds_sim_request_header(request, "Sec-WebSocket-Key"))) return false;
  if (wrong_upgrade(conn, "key")) key[0] = key[0] == 'A' ? 'B' : 'A';
  cds_sim_http_date(date, conn->sim);
  int n = snprintf(head, sizeof head,
                   "HTTP/1.1 101 Switching Protocols\r\nDate: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\nX-Cll-Origin: %.60s\r\n%s\r\n",
                   date, key, conn->sim->options->origins[conn->origin],
                   wrong_upgrade(conn, "protocol") ? "Sec-WebSocket-Protocol: unheard-of\r\n" : "");
  if (n < 0 || (size_t)n >= sizeof head) return false;
  cds_sim_conn_send(conn, head, (size_t)n);
  return true;
}

void cds_sim_socket_open(struct cds_sim_conn *conn, const struct cds_sim_request *request,
                         struct cds_sim_account *account) {
  struct cds_sim *sim = conn->sim;
  const char *message;
  int status = admit(conn, request, account, &message);
  if (status != 0) {
    cds_sim_answer_error(conn, status, status == 429 ? "Retry-After: 1\r\n" : "", message);
    return;
  }
  if (!send_upgrade(conn, request)) {
    cds_sim_answer_error(conn, 500, "", "cannot upgrade");
    return;
  }
  cds_sim_count(sim, CDS_SIM_WS, 101);
  conn->state = CDS_SIM_SOCKET;
  conn->deadline = 0;
  conn->account = account;
  account->sockets++;
  sim->socket_count++;
  sim->stats.sockets_total++;
  cds_sim_stream_open(conn);
}

/* Sends a close frame and waits for the peer's, or a while. */
void cds_sim_socket_close(struct cds_sim_conn *conn, unsigned code, const char *reason) {
  uint8_t payload[125] = {(uint8_t)(code >> 8), (uint8_t)code};
  size_t length = strlen(reason);
  memcpy(payload + 2, reason, length);
  cds_sim_send_frame(conn, CDS_SIM_FINAL | CDS_SIM_CLOSE_FRAME, payload, 2 + length);
  conn->state = CDS_SIM_CLOSING;
  cds_sim_conn_end(conn, conn->out.length - conn->out_sent > MAX_PAYLOAD ? FLUSH_MS : CLOSE_MS);
  conn->finish = false;
}

static void act(struct cds_sim_conn *conn, unsigned opcode, const uint8_t *payload, size_t length) {
  if (opcode == CDS_SIM_CLOSE_FRAME) {
    if (conn->state == CDS_SIM_SOCKET && !conn->frozen)
      cds_sim_send_frame(conn, CDS_SIM_FINAL | CDS_SIM_CLOSE_FRAME, payload, length >= 2 ? 2 : 0);
    conn->state = CDS_SIM_CLOSING;
    cds_sim_conn_end(conn, CLOSE_MS);
  } else if (opcode == CDS_SIM_PING && conn->state == CDS_SIM_SOCKET && !conn->frozen && !conn->mute &&
             conn->out.length - conn->out_sent < CDS_SIM_MAX_BACKLOG) {
    cds_sim_send_frame(conn, CDS_SIM_FINAL | CDS_SIM_PONG, payload, length);
  }
}

struct frame {
  unsigned opcode;
  size_t head, length; /* of the head with its mask, and of the payload */
  bool final, masked, reserved;
};

/* False when more bytes are needed. */
static bool read_head(struct frame *out, const uint8_t *data, size_t available) {
  if (available < 2) return false;
  size_t extra = (data[1] & 0x7f) == 126 ? 2 : (data[1] & 0x7f) == 127 ? 8 : 0;
  uint64_t length = extra ? 0 : data[1] & 0x7f;
  if (available < 2 + extra) return false;
  for (size_t i = 0; i < extra; i++) length = length << 8 | data[2 + i];
  out->opcode = data[0] & 0xf;
  out->final = (data[0] & CDS_SIM_FINAL) != 0;
  out->reserved = (data[0] & 0x70) != 0;
  out->masked = (data[1] & 0x80) != 0;
  out->head = 2 + extra + (out->masked ? 4 : 0);
  out->length = length > MAX_PAYLOAD ? MAX_PAYLOAD + 1 : (size_t)length;
  return true;
}

static unsigned frame_fault(const struct frame *frame) {
  if (!frame->masked || frame->reserved) return 1002;
  if (frame->opcode >= CDS_SIM_CLOSE_FRAME && (!frame->final || frame->length > 125 || frame->opcode > CDS_SIM_PONG))
    return 1002;
  return frame->length > MAX_PAYLOAD ? 1009 : 0;
}

/* Acts on one frame; returns its length, 0 when it is not complete or wrong. */
static size_t take_frame(struct cds_sim_conn *conn, uint8_t *data, size_t available) {
  struct frame frame;
  if (!read_head(&frame, data, available)) return 0;
  unsigned code = frame_fault(&frame);
  if (code != 0) {
    if (conn->state == CDS_SIM_SOCKET) cds_sim_socket_close(conn, code, "");
    conn->finish = true;
    return 0;
  }
  if (available < frame.head + frame.length) return 0;
  uint8_t *payload = data + frame.head;
  for (size_t i = 0; i < frame.length; i++) payload[i] ^= payload[(ptrdiff_t)(i % 4) - 4];
  act(conn, frame.opcode, payload, frame.length);
  return frame.head + frame.length;
}

void cds_sim_socket_input(struct cds_sim_conn *conn) {
  size_t used = 0;
  while (used < conn->in.length && !conn->finish) {
    size_t taken = take_frame(conn, (uint8_t *)conn->in.data + used, conn->in.length - used);
    if (taken == 0) break;
    used += taken;
  }
  if (conn->finish) used = conn->in.length;
  if (used == 0) return;
  memmove(conn->in.data, conn->in.data + used, conn->in.length - used);
  conn->in.length -= used;
}
