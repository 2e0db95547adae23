/* SPDX-License-Identifier: MIT
 * The server's half of the WebSocket protocol (RFC 6455), once a connection is open: frames, ping and close. */
#include "simulator/socket.h"

#include "base/alloc.h"
#include "simulator/frame.h"

#include <string.h>

#define MAX_PAYLOAD 65536 /* a client has nothing to say */
#define CLOSE_MS 3000
#define FLUSH_MS 10000

void cds_sim_socket_open(struct cds_sim_socket *socket) {
  struct cds_sim *sim = socket->sim;
  socket->state = CDS_SIM_OPEN;
  socket->next = sim->sockets;
  if (socket->next) socket->next->previous = socket;
  sim->sockets = socket;
  sim->socket_count++;
  sim->stats.sockets_total++;
  socket->account->sockets++;
  cds_sim_conn_patience(socket->conn, 0);
}

void cds_sim_socket_clear(struct cds_sim_socket *socket) {
  if (socket->state == CDS_SIM_NO_SOCKET) return;
  *(socket->previous ? &socket->previous->next : &socket->sim->sockets) = socket->next;
  if (socket->next) socket->next->previous = socket->previous;
  socket->sim->socket_count--;
  socket->account->sockets--;
  cds_free(socket->feeds);
  socket->state = CDS_SIM_NO_SOCKET;
}

bool cds_sim_socket_may_send(const struct cds_sim_socket *socket) {
  return socket->state == CDS_SIM_OPEN && !socket->conn->finish && !socket->frozen;
}

/* Sends a close frame and waits for the peer's, or a while. */
void cds_sim_socket_close(struct cds_sim_socket *socket, unsigned code, const char *reason) {
  uint8_t payload[125] = {(uint8_t)(code >> 8), (uint8_t)code};
  size_t length = strlen(reason);
  memcpy(payload + 2, reason, length);
  cds_sim_send_frame(socket->conn, CDS_SIM_FINAL | CDS_SIM_CLOSE_FRAME, payload, 2 + length);
  socket->state = CDS_SIM_CLOSING;
  cds_sim_conn_patience(socket->conn, cds_sim_conn_waiting(socket->conn) > MAX_PAYLOAD ? FLUSH_MS : CLOSE_MS);
}

static void act(struct cds_sim_socket *socket, unsigned opcode, const uint8_t *payload, size_t length) {
  if (opcode == CDS_SIM_CLOSE_FRAME) {
    if (socket->state == CDS_SIM_OPEN && !socket->frozen)
      cds_sim_send_frame(socket->conn, CDS_SIM_FINAL | CDS_SIM_CLOSE_FRAME, payload, length >= 2 ? 2 : 0);
    socket->state = CDS_SIM_CLOSING;
    cds_sim_conn_end(socket->conn, CLOSE_MS);
  } else if (opcode == CDS_SIM_PING && socket->state == CDS_SIM_OPEN && !socket->frozen && !socket->mute &&
             cds_sim_conn_waiting(socket->conn) < CDS_SIM_MAX_BACKLOG) {
    cds_sim_send_frame(socket->conn, CDS_SIM_FINAL | CDS_SIM_PONG, payload, length);
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
static size_t take_frame(struct cds_sim_socket *socket, uint8_t *data, size_t available) {
  struct frame frame;
  if (!read_head(&frame, data, available)) return 0;
  unsigned code = frame_fault(&frame);
  if (code != 0) {
    if (socket->state == CDS_SIM_OPEN) cds_sim_socket_close(socket, code, "");
    cds_sim_conn_end(socket->conn, CLOSE_MS);
    return 0;
  }
  if (available < frame.head + frame.length) return 0;
  uint8_t *payload = data + frame.head;
  for (size_t i = 0; i < frame.length; i++) payload[i] ^= payload[(ptrdiff_t)(i % 4) - 4];
  act(socket, frame.opcode, payload, frame.length);
  return frame.head + frame.length;
}

void cds_sim_socket_input(struct cds_sim_socket *socket) {
  struct cds_sim_conn *conn = socket->conn;
  size_t used = 0;
  while (used < conn->in.length && !conn->finish) {
    size_t taken = take_frame(socket, (uint8_t *)conn->in.data + used, conn->in.length - used);
    if (taken == 0) break;
    used += taken;
  }
  cds_sim_conn_take(conn, conn->finish ? conn->in.length : used);
}
