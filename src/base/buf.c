/* SPDX-License-Identifier: MIT
 * The growable byte buffer. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define FIRST_CAPACITY 256

void cds_buf_init(struct cds_buf *buf, size_t limit) {
  *buf = (struct cds_buf){.limit = limit < SIZE_MAX / 4 ? limit : SIZE_MAX / 4};
}

void cds_buf_clear(struct cds_buf *buf) {
  cds_free(buf->data);
  *buf = (struct cds_buf){.limit = buf->limit};
}

void cds_buf_reset(struct cds_buf *buf) {
  buf->length = 0;
  if (buf->data) buf->data[0] = 0;
}

/* Makes room for `more` bytes and the final 0. */
static enum cds_status reserve(struct cds_buf *buf, size_t more) {
  if (more > buf->limit - buf->length) return CDS_E_DECODE;
  size_t needed = buf->length + more + 1;
  if (needed <= buf->capacity) return CDS_OK;
  size_t capacity = FIRST_CAPACITY;
  while (capacity < needed) capacity *= 2; /* cannot overflow: the limit is at most a quarter of SIZE_MAX */
  if (capacity > buf->limit + 1) capacity = buf->limit + 1;
  char *data = cds_realloc(buf->data, capacity);
  if (!data) return CDS_E_MEMORY;
  buf->data = data;
  buf->capacity = capacity;
  return CDS_OK;
}

enum cds_status cds_buf_append(struct cds_buf *buf, const void *data, size_t length) {
  enum cds_status status = reserve(buf, length);
  if (status != CDS_OK) return status;
  if (length > 0) memcpy(buf->data + buf->length, data, length);
  buf->length += length;
  buf->data[buf->length] = 0;
  return CDS_OK;
}

enum cds_status cds_buf_printf(struct cds_buf *buf, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length < 0) return CDS_E_MEMORY;
  enum cds_status status = reserve(buf, (size_t)length);
  if (status != CDS_OK) return status;
  va_start(args, format);
  vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
  va_end(args);
  buf->length += (size_t)length;
  return CDS_OK;
}
