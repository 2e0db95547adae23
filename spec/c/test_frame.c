/* SPDX-License-Identifier: MIT
 * A server's frames: what they are read as, however they are cut, and what is a fault. */
#include "tap.h"

#include <stdlib.h>

#include "net/frame.h"

/* ---- what was read, as one line of text ---- */

static char story[8192];

static void note(const char *format, ...) {
  va_list args;
  size_t used = strlen(story);
  va_start(args, format);
  vsnprintf(story + used, sizeof story - used, format, args);
  va_end(args);
}

static void note_bytes(const struct cds_frame *frame) {
  if (frame->length > 64) note("%zu bytes", frame->length);
  else note("%.*s", (int)frame->length, (const char *)frame->data);
}

/* Parts are told together, so that cuts do not show: "text:…;" or "binary:…;" at a message's end. */
static void tell(const struct cds_frame *frame) {
  static bool is_under_way;
  switch (frame->kind) {
  case CDS_FRAME_NOTHING: return;
  case CDS_FRAME_PART:
    if (!is_under_way) note(frame->is_text ? "text:" : "binary:");
    note_bytes(frame);
    if (frame->is_end) note(";");
    is_under_way = !frame->is_end;
    return;
  case CDS_FRAME_PING: note("<ping "); break;
  case CDS_FRAME_PONG: note("<pong "); break;
  case CDS_FRAME_CLOSE: note("<close %zu ", frame->length); break;
  case CDS_FRAME_FAULT:
    is_under_way = false;
    note("<fault: %s>", frame->fault);
    return;
  }
  note_bytes(frame);
  note(">");
}

/* In pieces that end at each of the cuts; each piece is a block of its own. */
static void read_cut(const void *bytes, size_t length, size_t cut, size_t step) {
  struct cds_frame_reader reader = {0};
  struct cds_frame frame = {.kind = CDS_FRAME_NOTHING};
  story[0] = 0;
  for (size_t at = 0; at < length && frame.kind != CDS_FRAME_FAULT;) {
    size_t end = at < cut ? cut : at + step;
    size_t size = (end < length ? end : length) - at;
    uint8_t *piece = malloc(size);
    memcpy(piece, (const uint8_t *)bytes + at, size);
    for (size_t used = 0; used < size && frame.kind != CDS_FRAME_FAULT;) {
      used += cds_frame_read(&frame, &reader, piece + used, size - used);
      tell(&frame);
      if (used > size) note("<more was read than there is>");
    }
    at += size;
    free(piece);
  }
}

static void reads(const void *bytes, size_t length, const char *expected, const char *name) {
  unsigned wrong = 0;
  read_cut(bytes, length, length, 1);
  is_string(story, expected, name);
  for (size_t cut = 0; cut < length; cut++) {
    read_cut(bytes, length, cut, length);
    wrong += strcmp(story, expected) != 0;
  }
  read_cut(bytes, length, 0, 1);
  wrong += strcmp(story, expected) != 0;
  is_number(wrong, 0, "the same, cut at every byte and byte by byte");
}

#define READS(text, expected) reads(text, sizeof text - 1, expected, expected)

/* ---- what is right ---- */

static void test_messages(void) {
  READS("\x81\x05hello", "text:hello;");
  READS("\x82\x05hello", "binary:hello;");
  READS("\x81\x00\x82\x00", "text:;binary:;");
  READS("\x01\x03hel\x80\x02lo\x82\x01!", "text:hello;binary:!;");
  READS("\x02\x00\x00\x01x\x00\x00\x80\x00", "binary:x;");
  READS("\x01\x02he\x89\x01?\x8a\x01!\x80\x03llo", "text:he<ping ?><pong !>llo;");
  READS("\x89\x00\x8a\x00\x88\x00", "<ping ><pong ><close 0 >");
  READS("\x89\x05\xff\xff\xff\xff\xff\x88\x03\x03\xe8x", "<ping \xff\xff\xff\xff\xff><close 3 \x03\xe8x>");
  READS("\x88\x05\x0f\xa0"
        "bye",
        "<close 5 \x0f\xa0"
        "bye>");
}

static void test_lengths(void) {
  static const size_t lengths[] = {65, 125, 126, 127, 255, 256, 65535, 65536, 70001};
  static uint8_t bytes[80000];
  struct cds_frame frame;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    struct cds_frame_reader reader = {0};
    size_t length = lengths[i], head = length < 126 ? 2 : length < 65536 ? 4 : 10;
    bytes[0] = 0x82;
    bytes[1] = (uint8_t)(head == 2 ? length : head == 4 ? 126 : 127);
    for (size_t k = 2; k < head; k++) bytes[k] = (uint8_t)((uint64_t)length >> 8 * (head - 1 - k));
    size_t used = cds_frame_read(&frame, &reader, bytes, sizeof bytes);
    ok(used == head + length && frame.kind == CDS_FRAME_PART && frame.length == length && frame.is_end &&
         frame.data == bytes + head,
       "a message of %zu bytes is read in one piece, where it lies", length);
  }
}

/* As much as 63 bits can say is a length, of which the first bytes are read. */
static void test_longest(void) {
  static const uint8_t bytes[] = {0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'x'};
  struct cds_frame_reader reader = {0};
  struct cds_frame frame;
  is_number(cds_frame_read(&frame, &reader, bytes, sizeof bytes), sizeof bytes, "the longest frame begins");
  ok(frame.kind == CDS_FRAME_PART && frame.length == 1 && !frame.is_end, "with its first byte");
}

static void test_close_codes(void) {
  unsigned count = 0, named = 0;
  for (unsigned code = 0; code <= UINT16_MAX; code++) count += cds_frame_is_close_code(code);
  is_number(count, 4 + 8 + 2000, "so many codes may be sent");
  static const unsigned codes[] = {1000, 1003, 1007, 1012, 1014, 3000, 4999};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) named += cds_frame_is_close_code(codes[i]);
  is_number(named, 7, "among them the first and the last of each range");
}

/* ---- what is wrong ---- */

static void test_faults(void) {
  READS("\xc1\x00", "<fault: a frame with reserved bits>");
  READS("\xa1\x00", "<fault: a frame with reserved bits>");
  READS("\x91\x00", "<fault: a frame with reserved bits>");
  READS("\x81\x81"
        "abcd!",
        "<fault: a masked frame>");
  READS("\x83\x00", "<fault: a frame of an unknown kind>");
  READS("\x87\x00", "<fault: a frame of an unknown kind>");
  READS("\x8b\x00", "<fault: a frame of an unknown kind>");
  READS("\x8f\x00", "<fault: a frame of an unknown kind>");
  READS("\x09\x00", "<fault: a control frame in pieces>");
  READS("\x08\x00", "<fault: a control frame in pieces>");
  READS("\x89\x7e\x00\x7e", "<fault: a control frame of more than 125 bytes>");
  READS("\x80\x00", "<fault: a continuation of no message>");
  READS("\x00\x00", "<fault: a continuation of no message>");
  READS("\x81\x01x\x80\x00", "text:x;<fault: a continuation of no message>");
  READS("\x01\x01x\x81\x01y", "text:x<fault: a message within another>");
  READS("\x01\x01x\x02\x01y", "text:x<fault: a message within another>");
  READS("\x82\x7e\x00\x7d", "<fault: a length that is not in its shortest form>");
  READS("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "<fault: a length that is not in its shortest form>");
  READS("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "<fault: a length of more than 63 bits>");
  READS("\x88\x01\x03", "<fault: a close frame without a code>");
  READS("\x89\x02\x03\xe8\x88\x01\x03", "<ping \x03\xe8><fault: a close frame without a code>");
  READS("\x88\x02\x03\xed", "<fault: a close frame without a code>");
  READS("\x88\x03\x03\xe8\xff", "<fault: a close frame whose reason is no UTF-8>");
}

static void test_control_limit(void) {
  static uint8_t bytes[2 + 125] = {0x89, 125};
  struct cds_frame_reader reader = {0};
  struct cds_frame frame;
  size_t used = cds_frame_read(&frame, &reader, bytes, sizeof bytes);
  ok(used == sizeof bytes && frame.kind == CDS_FRAME_PING && frame.length == 125, "a ping of 125 bytes is read");
}

int main(void) {
  test_messages();
  test_lengths();
  test_longest();
  test_close_codes();
  test_faults();
  test_control_limit();
  return done();
}
