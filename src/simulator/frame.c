/* SPDX-License-Identifier: MIT
 * WebSocket frames of the server's side, right and wrong alike. */
#include "simulator/frame.h"

void cds_sim_frame(struct cds_buf *out, unsigned first_byte, const void *payload, size_t length, bool *good) {
  uint8_t head[10] = {(uint8_t)first_byte};
  size_t n = 2;
  if (length < 126) {
    head[1] = (uint8_t)length;
  } else {
    size_t bytes = length < 65536 ? 2 : 8;
    head[1] = bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < bytes; i++) head[2 + i] = (uint8_t)((uint64_t)length >> (8 * (bytes - 1 - i)));
    n += bytes;
  }
  if (cds_buf_append(out, head, n) != CDS_OK || (length > 0 && cds_buf_append(out, payload, length) != CDS_OK))
    *good = false;
}

void cds_sim_send_frame(struct cds_sim_conn *conn, unsigned first_byte, const void *payload, size_t length) {
  struct cds_buf out;
  bool good = true;
  cds_buf_init(&out, CDS_SIM_MAX_OUT);
  cds_sim_frame(&out, first_byte, payload, length, &good);
  if (good) cds_sim_conn_send(conn, out.data, out.length);
  else cds_sim_conn_end(conn, 0);
  cds_buf_clear(&out);
}

size_t cds_sim_frame_head(const struct cds_buf *frame) {
  unsigned length = frame->data[1] & 0x7f;
  return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0);
}
