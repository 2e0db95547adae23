/* SPDX-License-Identifier: MIT
 * Compression by zlib, which is loaded when it is first used. */
#include "base/gzip.h"

#include <limits.h>

#include "base/alloc.h"

#ifdef CDS_WITH_ZLIB

#include <zlib.h>

#include "base/library.h"

#define GZIP_WINDOW (15 + 16) /* the largest window, and gzip's frame */
#define MEMORY_LEVEL 8        /* zlib's own default */
#define ROOM_BEYOND 64

struct zlib {
  __typeof__(deflateInit2_) *deflate_init;
  __typeof__(deflateBound) *deflate_bound;
  __typeof__(deflate) *deflate;
  __typeof__(deflateEnd) *deflate_end;
  __typeof__(inflateInit2_) *inflate_init;
  __typeof__(inflateReset) *inflate_reset;
  __typeof__(inflate) *inflate;
  __typeof__(inflateEnd) *inflate_end;
};

static enum cds_status load(struct zlib *zlib, struct cds_error *err) {
  static const char *const names[] = {"deflateInit2_", "deflateBound", "deflate", "deflateEnd",
                                      "inflateInit2_", "inflateReset", "inflate", "inflateEnd"};
  return cds_library_find(zlib, names, sizeof names / sizeof *names, "libz.so.1", err);
}

static enum cds_status no_memory(struct cds_error *err) {
  return cds_error_set(err, CDS_E_MEMORY, "no memory to compress, or to read what is compressed");
}

/* Into `text`, which has room for all; -> bytes written, 0: no memory */
static size_t deflate_all(const struct zlib *zlib, z_stream *stream, uint8_t *text, size_t room,
                          const struct cds_buf *first, const struct cds_buf *second) {
  stream->next_out = text;
  stream->avail_out = (uInt)room;
  stream->next_in = (Bytef *)first->data;
  stream->avail_in = (uInt)first->length;
  if (first->length > 0 && zlib->deflate(stream, Z_NO_FLUSH) != Z_OK) return 0;
  stream->next_in = (Bytef *)second->data;
  stream->avail_in = (uInt)second->length;
  return zlib->deflate(stream, Z_FINISH) == Z_STREAM_END ? room - stream->avail_out : 0;
}

enum cds_status cds_gzip(struct cds_buf *out, const struct cds_buf *first, const struct cds_buf *second,
                         struct cds_error *err) {
  struct zlib zlib;
  z_stream stream = {0};
  enum cds_status status = load(&zlib, err);
  if (status != CDS_OK) return status;
  if (first->length + second->length > INT_MAX / 2) return no_memory(err);
  if (zlib.deflate_init(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY,
                        ZLIB_VERSION, (int)sizeof stream) != Z_OK)
    return no_memory(err);
  size_t room = zlib.deflate_bound(&stream, first->length + second->length) + ROOM_BEYOND;
  uint8_t *text = cds_malloc(room);
  size_t length = text ? deflate_all(&zlib, &stream, text, room, first, second) : 0;
  zlib.deflate_end(&stream);
  status = length > 0 ? cds_buf_append(out, text, length) : CDS_E_MEMORY;
  cds_free(text);
  return status == CDS_OK ? CDS_OK : no_memory(err);
}

struct cds_gunzip {
  struct zlib zlib;
  z_stream stream;
  bool is_between; /* members */
};

enum cds_status cds_gunzip_new(struct cds_gunzip **out, struct cds_error *err) {
  *out = NULL;
  struct cds_gunzip *gunzip = cds_calloc(1, sizeof *gunzip);
  if (!gunzip) return no_memory(err);
  enum cds_status status = load(&gunzip->zlib, err);
  if (status == CDS_OK &&
      gunzip->zlib.inflate_init(&gunzip->stream, GZIP_WINDOW, ZLIB_VERSION, (int)sizeof gunzip->stream) != Z_OK)
    status = no_memory(err);
  if (status != CDS_OK) {
    cds_free(gunzip);
    return status;
  }
  *out = gunzip;
  return CDS_OK;
}

void cds_gunzip_free(struct cds_gunzip *gunzip) {
  if (!gunzip) return;
  gunzip->zlib.inflate_end(&gunzip->stream);
  cds_free(gunzip);
}

enum cds_status cds_gunzip_step(struct cds_gunzip *gunzip, struct cds_gunzip_step *step, struct cds_error *err) {
  z_stream *stream = &gunzip->stream;
  if (gunzip->is_between) gunzip->zlib.inflate_reset(stream);
  gunzip->is_between = false;
  uInt room = step->room < INT_MAX ? (uInt)step->room : INT_MAX;
  stream->next_in = (Bytef *)step->in;
  stream->avail_in = step->in_length < INT_MAX ? (uInt)step->in_length : INT_MAX;
  stream->next_out = step->out;
  stream->avail_out = room;
  int result = gunzip->zlib.inflate(stream, Z_NO_FLUSH);
  step->in_length -= (size_t)(stream->next_in - step->in);
  step->in = stream->next_in;
  step->produced = room - stream->avail_out;
  step->is_end = gunzip->is_between = result == Z_STREAM_END;
  if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) return CDS_OK;
  if (result == Z_MEM_ERROR) return no_memory(err);
  return cds_error_set(err, CDS_E_DECODE, "this is no gzip, or damaged: %s",
                       stream->msg ? stream->msg : "a wrong header");
}

#else

static enum cds_status absent(struct cds_error *err) {
  return cds_error_set(err, CDS_E_CONFIG,
                       "this build is without gzip: install zlib's development files and build again");
}

enum cds_status cds_gzip(struct cds_buf *out, const struct cds_buf *first, const struct cds_buf *second,
                         struct cds_error *err) {
  (void)out, (void)first, (void)second;
  return absent(err);
}

enum cds_status cds_gunzip_new(struct cds_gunzip **out, struct cds_error *err) {
  *out = NULL;
  return absent(err);
}

void cds_gunzip_free(struct cds_gunzip *gunzip) {
  (void)gunzip;
}

enum cds_status cds_gunzip_step(struct cds_gunzip *gunzip, struct cds_gunzip_step *step, struct cds_error *err) {
  (void)gunzip, (void)step;
  return absent(err);
}

#endif
