/* SPDX-License-Identifier: MIT
 * Sequences by the table of RFC 3629. */
#include "base/utf8.h"

#include <string.h>

/* The first byte alone leaves room for what the second one excludes. */
static bool second_fits(const unsigned char *text) {
  switch (text[0]) {
  case 0xe0: return text[1] >= 0xa0;
  case 0xed: return text[1] < 0xa0;
  case 0xf0: return text[1] >= 0x90;
  case 0xf4: return text[1] < 0x90;
  default: return true;
  }
}

size_t cds_utf8_length(const unsigned char *text, size_t left) {
  if (text[0] < 0x80) return 1;
  size_t length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
  if (text[0] < 0xc2 || text[0] > 0xf4 || length > left) return 0;
  for (size_t i = 1; i < length; i++)
    if ((text[i] & 0xc0) != 0x80) return 0;
  return second_fits(text) ? length : 0;
}

/* Nearly all is ASCII: eight bytes at a time. */
static size_t skip_ascii(const unsigned char *text, size_t length) {
  size_t i = 0;
  for (uint64_t eight; i + sizeof eight <= length; i += sizeof eight) {
    memcpy(&eight, text + i, sizeof eight);
    if ((eight & UINT64_C(0x8080808080808080)) != 0) break;
  }
  return i;
}

bool cds_utf8_is_valid(const char *text, size_t length) {
  const unsigned char *bytes = (const unsigned char *)text;
  for (size_t i = 0; i < length;) {
    i += skip_ascii(bytes + i, length - i);
    size_t step = i < length ? cds_utf8_length(bytes + i, length - i) : 1;
    if (step == 0) return false;
    i += step;
  }
  return true;
}
