/* SPDX-License-Identifier: MIT
 * Heads, payloads, and the rules between frames. */
#include "net/frame.h"

#include <string.h>

#include "base/utf8.h"

enum { CONTINUATION, TEXT, BINARY, CLOSE = 8, PING, PONG };

static bool is_control(unsigned opcode) {
  return opcode >= CLOSE;
}

/* ---- the head ---- */

static size_t head_size(const struct cds_frame_reader *reader) {
  if (reader->head_length < 2) return 2;
  unsigned length = reader->head[1] & 0x7f;
  return length == 127 ? 10 : length == 126 ? 4 : 2;
}

static size_t fill_head(struct cds_frame_reader *reader, const uint8_t *bytes, size_t length) {
  size_t used = 0;
  while (used < length && reader->head_length < head_size(reader)) reader->head[reader->head_length++] = bytes[used++];
  return used;
}

static uint64_t payload_length(const struct cds_frame_reader *reader) {
  size_t size = head_size(reader);
  uint64_t length = reader->head[1] & 0x7f;
  for (size_t i = 2; i < size; i++) length = i == 2 ? reader->head[i] : length << 8 | reader->head[i];
  return length;
}

static bool is_shortest(const struct cds_frame_reader *reader, uint64_t length) {
  switch (head_size(reader)) {
  case 4: return length > 125;
  case 10: return length > UINT16_MAX;
  default: return true;
  }
}

/* What is wrong with the head; NULL: nothing. */
static const char *fault_of(const struct cds_frame_reader *reader, uint64_t length) {
  unsigned opcode = reader->head[0] & 15;
  bool is_final = (reader->head[0] & 0x80) != 0;
  if ((reader->head[0] & 0x70) != 0) return "a frame with reserved bits";
  if ((reader->head[1] & 0x80) != 0) return "a masked frame";
  if (opcode > PONG || (opcode > BINARY && opcode < CLOSE)) return "a frame of an unknown kind";
  if (is_control(opcode) && !is_final) return "a control frame in pieces";
  if (is_control(opcode) && length > CDS_FRAME_MAX_CONTROL) return "a control frame of more than 125 bytes";
  if (opcode == CONTINUATION && reader->message == 0) return "a continuation of no message";
  if (!is_control(opcode) && opcode != CONTINUATION && reader->message != 0) return "a message within another";
  if (!is_shortest(reader, length)) return "a length that is not in its shortest form";
  return length > INT64_MAX ? "a length of more than 63 bits" : NULL;
}

static void enter(struct cds_frame_reader *reader, uint64_t length) {
  reader->opcode = reader->head[0] & 15;
  reader->is_final = (reader->head[0] & 0x80) != 0;
  reader->left = length;
  reader->is_inside = true;
  reader->head_length = reader->control_length = 0;
  if (reader->opcode == TEXT || reader->opcode == BINARY) reader->message = reader->opcode;
}

/* ---- the payload ---- */

static size_t read_part(struct cds_frame *frame, struct cds_frame_reader *reader, const uint8_t *bytes, size_t length) {
  size_t taken = reader->left < length ? (size_t)reader->left : length;
  reader->left -= taken;
  reader->is_inside = reader->left > 0;
  if (taken == 0 && reader->is_inside) return 0;
  *frame = (struct cds_frame){.kind = CDS_FRAME_PART,
                              .data = bytes,
                              .length = taken,
                              .is_text = reader->message == TEXT,
                              .is_end = reader->is_final && !reader->is_inside};
  if (frame->is_end) reader->message = 0;
  return taken;
}

bool cds_frame_is_close_code(unsigned code) {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

static const char *close_fault(const uint8_t *data, size_t length) {
  if (length == 0) return NULL;
  if (length == 1 || !cds_frame_is_close_code((unsigned)data[0] << 8 | data[1])) return "a close frame without a code";
  return cds_utf8_is_valid((const char *)data + 2, length - 2) ? NULL : "a close frame whose reason is no UTF-8";
}

static size_t read_control(struct cds_frame *frame, struct cds_frame_reader *reader, const uint8_t *bytes,
                           size_t length) {
  size_t taken = reader->left < length ? (size_t)reader->left : length;
  memcpy(reader->control + reader->control_length, bytes, taken);
  reader->control_length += taken;
  reader->left -= taken;
  if (reader->left > 0) return taken;
  reader->is_inside = false;
  *frame = (struct cds_frame){.kind = reader->opcode == PING   ? CDS_FRAME_PING
                                      : reader->opcode == PONG ? CDS_FRAME_PONG
                                                               : CDS_FRAME_CLOSE,
                              .data = reader->control,
                              .length = reader->control_length};
  if (reader->opcode == CLOSE) frame->fault = close_fault(frame->data, frame->length);
  if (frame->fault != NULL) frame->kind = CDS_FRAME_FAULT;
  return taken;
}

size_t cds_frame_read(struct cds_frame *frame, struct cds_frame_reader *reader, const uint8_t *bytes, size_t length) {
  size_t used = 0;
  *frame = (struct cds_frame){.kind = CDS_FRAME_NOTHING};
  if (!reader->is_inside) {
    used = fill_head(reader, bytes, length);
    if (reader->head_length < head_size(reader)) return used;
    uint64_t payload = payload_length(reader);
    frame->fault = fault_of(reader, payload);
    if (frame->fault != NULL) {
      frame->kind = CDS_FRAME_FAULT;
      return used;
    }
    enter(reader, payload);
  }
  return used + (is_control(reader->opcode) ? read_control : read_part)(frame, reader, bytes + used, length - used);
}
