/* SPDX-License-Identifier: MIT
 * A server's frames. Read in one piece and in pieces of every sort they are the same, and nothing is read twice.
 * Input: a byte that says how it is cut, then the frames. */
#include "fuzz.h"
#include "net/frame.h"

/* What was read: a sum over kinds, ends and payloads, in which the borders between parts do not show. */
struct told {
  uint64_t sum, bytes;
  const char *fault;
};

static void mix(struct told *told, unsigned value) {
  told->sum = (told->sum ^ value) * UINT64_C(0x100000001b3) + 1;
}

static void tell(struct told *told, const struct cds_frame *frame) {
  bool is_part = frame->kind == CDS_FRAME_PART;
  if (frame->kind == CDS_FRAME_NOTHING) return;
  if (frame->kind == CDS_FRAME_FAULT) told->fault = frame->fault;
  MUST((frame->fault != NULL) == (frame->kind == CDS_FRAME_FAULT));
  if (!is_part) mix(told, 1000 + frame->kind);
  for (size_t i = 0; frame->kind != CDS_FRAME_FAULT && i < frame->length; i++) mix(told, frame->data[i]);
  if (frame->kind != CDS_FRAME_FAULT) told->bytes += frame->length;
  if (!is_part) MUST(frame->length <= CDS_FRAME_MAX_CONTROL && !frame->is_end);
  if (is_part && frame->is_end) mix(told, frame->is_text ? 2000 : 2001);
}

static struct told read_in(const uint8_t *data, size_t size, size_t most, unsigned step) {
  struct cds_frame_reader reader = {0};
  struct cds_frame frame;
  struct told told = {0};
  for (size_t at = 0; at < size && told.fault == NULL;) {
    size_t length = most < size - at ? most : size - at;
    uint8_t *piece = fuzz_copy(data + at, length);
    for (size_t used = 0; used < length && told.fault == NULL;) {
      size_t before = used;
      used += cds_frame_read(&frame, &reader, piece + used, length - used);
      MUST(used > before && used <= length);
      MUST(frame.kind != CDS_FRAME_NOTHING || used == length);
      tell(&told, &frame);
    }
    at += length;
    most = 1 + (most * 7 + step) % 64;
    free(piece);
  }
  MUST(told.bytes <= size);
  return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  struct told whole = read_in(data + 1, size - 1, size, 0);
  struct told single = read_in(data + 1, size - 1, 1, 57); /* 1, 1, 1, … */
  struct told cut = read_in(data + 1, size - 1, 1 + data[0] % 16, data[0]);
  MUST(whole.fault == cut.fault && whole.sum == cut.sum && whole.bytes == cut.bytes);
  MUST(whole.fault == single.fault && whole.sum == single.sum && whole.bytes == single.bytes);
  return 0;
}
