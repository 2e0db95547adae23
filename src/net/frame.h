/* SPDX-License-Identifier: MIT
 * A server's WebSocket frames (RFC 6455, sections 5 to 7), read from bytes as they come, in pieces of any size. Pure: no
 * memory, no socket. Strict: whatever the RFC forbids a server is a fault, and ends the connection with the code that the
 * RFC names. No extension is known, so that all reserved bits must be 0. */
#ifndef CDS_FRAME_H
#define CDS_FRAME_H

#include "base/cds.h"

#define CDS_FRAME_MAX_CONTROL 125 /* bytes of a control frame's payload */

enum cds_frame_kind {
  CDS_FRAME_NOTHING, /* more bytes are needed */
  CDS_FRAME_PART,    /* of a message */
  CDS_FRAME_PING,
  CDS_FRAME_PONG,
  CDS_FRAME_CLOSE,
  CDS_FRAME_FAULT /* the reader is of no use any more */
};

struct cds_frame {
  enum cds_frame_kind kind;
  const uint8_t *data; /* of a part: among the bytes given; of a control frame: the reader's own, whole */
  size_t length;
  bool is_text;      /* the part's message */
  bool is_end;       /* the message ends with this part */
  const char *fault; /* what was wrong, as "a …" */
};

struct cds_frame_reader { /* all zero: at the beginning */
  uint8_t head[10];
  size_t head_length;
  uint8_t control[CDS_FRAME_MAX_CONTROL];
  size_t control_length;
  uint64_t left; /* bytes of the frame's payload that are still to come */
  bool is_inside;
  bool is_final;
  unsigned opcode;  /* of the frame */
  unsigned message; /* the opcode of the message under way, 0: none */
};

/* Reads up to the next thing there is to tell. Returns how many of the bytes it has used; after CDS_FRAME_NOTHING all of
 * them. */
size_t cds_frame_read(struct cds_frame *frame, struct cds_frame_reader *reader, const uint8_t *bytes, size_t length);

/* May a close frame have this code? Those that the RFC keeps for use within a program, and those without meaning, may
 * not. */
bool cds_frame_is_close_code(unsigned code);

#endif
