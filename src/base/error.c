/* SPDX-License-Identifier: MIT
 * Filling in errors: messages are escaped and cut here, once for all layers. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct status_info {
  const char *kind;
  bool retryable;
};

static const struct status_info infos[CDS_STATUS_COUNT] = {
  [CDS_OK] = {"", false},
#define CDS_ERROR(status, kind, retryable, meaning) [status] = {kind, retryable},
#include "base/errors.def"
#undef CDS_ERROR
};

static const struct status_info *info(enum cds_status status) {
  return &infos[(unsigned)status < CDS_STATUS_COUNT ? status : CDS_OK];
}

const char *cds_status_kind(enum cds_status status) {
  return info(status)->kind;
}

void cds_error_clear(struct cds_error *err) {
  if (err) memset(err, 0, sizeof *err);
}

/* Bytes of the printable character at text: 1 for ASCII, 2 to 4 for UTF-8; 0 for a control character or a byte
 * that is no UTF-8. Text ends in a 0, which no sequence contains, so nothing is read beyond it. */
static size_t printable(const unsigned char *text) {
  bool is_control = text[0] < 0x20 || text[0] == 0x7f;
  bool is_c1_control = text[0] == 0xc2 && text[1] < 0xa0;
  return is_control || is_c1_control ? 0 : cds_utf8_length(text, 4);
}

/* Copies text into out, escaped; what does not fit whole is replaced by "..." at the end. */
static void escape(char *out, size_t size, const char *text) {
  static const char digits[] = "0123456789abcdef";
  const size_t room = size - sizeof "...";
  size_t used = 0;
  const unsigned char *from = (const unsigned char *)text;
  while (*from) {
    size_t length = printable(from);
    size_t width = length > 0 ? length : 4;
    if (used + width > room) break;
    if (length > 0) {
      memcpy(out + used, from, length);
    } else {
      const char escaped[4] = {'\\', 'x', digits[*from >> 4], digits[*from & 15]};
      memcpy(out + used, escaped, sizeof escaped);
    }
    used += width;
    from += length > 0 ? length : 1;
  }
  if (*from) {
    memcpy(out + used, "...", 3);
    used += 3;
  }
  out[used] = 0;
}

static void set_message(struct cds_error *err, const char *format, va_list args) CDS_PRINTF(2, 0);

static void set_message(struct cds_error *err, const char *format, va_list args) {
  char text[2 * sizeof err->message]; /* so long that what does not fit here does not fit there either */
  if (vsnprintf(text, sizeof text, format, args) < 0) text[0] = 0;
  escape(err->message, sizeof err->message, text);
}

enum cds_status cds_error_set(struct cds_error *err, enum cds_status status, const char *format, ...) {
  if (!err) return status;
  cds_error_clear(err);
  err->status = status;
  err->retryable = info(status)->retryable;
  va_list args;
  va_start(args, format);
  set_message(err, format, args);
  va_end(args);
  return status;
}

enum cds_status cds_error_decode(struct cds_error *err, size_t offset, const char *expected, const char *format, ...) {
  if (!err) return CDS_E_DECODE;
  char what[sizeof err->message];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(what, sizeof what, format, args);
  va_end(args);
  if (length < 0) what[0] = 0;
  if (expected[0]) {
    cds_error_set(err, CDS_E_DECODE, "%s at byte %zu: expected %s", what, offset, expected);
  } else {
    cds_error_set(err, CDS_E_DECODE, "%s at byte %zu", what, offset);
  }
  err->has_offset = true;
  err->offset = offset;
  escape(err->expected, sizeof err->expected, expected);
  return CDS_E_DECODE;
}
