/* SPDX-License-Identifier: MIT
 * WebSocket frames of the server's side, right and wrong alike. */
#ifndef CDS_SIM_FRAME_H
#define CDS_SIM_FRAME_H

#include "simulator/conn.h"

#define CDS_SIM_FINAL 0x80
#define CDS_SIM_TEXT 1
#define CDS_SIM_BINARY 2
#define CDS_SIM_CLOSE_FRAME 8
#define CDS_SIM_PING 9
#define CDS_SIM_PONG 10

/* Appends a frame; *good turns false without memory. */
void cds_sim_frame(struct cds_buf *out, unsigned first_byte, const void *payload, size_t length, bool *good);
void cds_sim_send_frame(struct cds_sim_conn *conn, unsigned first_byte, const void *payload, size_t length);
size_t cds_sim_frame_head(const struct cds_buf *frame); /* bytes before the payload */

#endif
