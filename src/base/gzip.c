/* SPDX-License-Identifier: MIT
 * Compression by zlib, which is loaded when it is first used. */
#include "base/gzip.h"

#ifdef CDS_WITH_ZLIB

#include <limits.h>
#include <zlib.h>

#include "base/alloc.h"

#define WINDOW (15 + 16) /* the largest window, and gzip's frame */
#define MEMORY_LEVEL 8   /* zlib's own default */
#define ROOM_BEYOND 64   /* of gzip's frame */

static struct {
  __typeof__(compressBound) *bound;
  __typeof__(deflateInit2_) *deflate_init;
  __typeof__(deflate) *deflate;
  __typeof__(deflateEnd) *deflate_end;
  __typeof__(inflateInit2_) *inflate_init;
  __typeof__(inflateReset) *inflate_reset;
  __typeof__(inflate) *inflate;
  __typeof__(inflateEnd) *inflate_end;
} zlib;

static const char *const names[] = {"compressBound", "deflateInit2_", "deflate", "deflateEnd",
                                    "inflateInit2_", "inflateReset",  "inflate", "inflateEnd"};
_Static_assert(sizeof names == sizeof zlib, "a name for each function");
static struct cds_library library = {
  .soname = "libz.so.1", .functions = &zlib, .names = names, .count = sizeof names / sizeof *names};

/* ---- into it ---- */

static size_t bound(size_t length) {
  return zlib.bound((uLong)length) + ROOM_BEYOND;
}

static bool put(z_stream *stream, const struct cds_buf *text, int flush, int expected) {
  stream->next_in = (Bytef *)text->data;
  stream->avail_in = (uInt)text->length;
  return zlib.deflate(stream, flush) == expected;
}

static size_t pack(uint8_t *out, size_t room, const struct cds_buf *first, const struct cds_buf *second) {
  z_stream stream = {0};
  if (zlib.deflate_init(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY,
                        ZLIB_VERSION, (int)sizeof stream) != Z_OK)
    return 0;
  stream.next_out = out;
  stream.avail_out = (uInt)room;
  bool good =
    (first->length == 0 || put(&stream, first, Z_NO_FLUSH, Z_OK)) && put(&stream, second, Z_FINISH, Z_STREAM_END);
  size_t length = room - stream.avail_out;
  zlib.deflate_end(&stream);
  return good ? length : 0;
}

/* ---- and back ---- */

struct gunzip {
  z_stream stream;
  bool is_between; /* members */
};

static enum cds_status no_memory(struct cds_error *err) {
  return cds_error_set(err, CDS_E_MEMORY, "no memory to read what is compressed by gzip");
}

static enum cds_status open_gunzip(void **out, struct cds_error *err) {
  struct gunzip *gunzip = cds_calloc(1, sizeof *gunzip);
  if (gunzip && zlib.inflate_init(&gunzip->stream, WINDOW, ZLIB_VERSION, (int)sizeof gunzip->stream) == Z_OK) {
    *out = gunzip;
    return CDS_OK;
  }
  cds_free(gunzip);
  return no_memory(err);
}

static enum cds_status step_gunzip(void *state, struct cds_unpack_step *step, struct cds_error *err) {
  struct gunzip *gunzip = state;
  z_stream *stream = &gunzip->stream;
  if (gunzip->is_between) zlib.inflate_reset(stream);
  uInt room = step->room < INT_MAX ? (uInt)step->room : INT_MAX;
  stream->next_in = (Bytef *)step->in;
  stream->avail_in = step->in_length < INT_MAX ? (uInt)step->in_length : INT_MAX;
  stream->next_out = step->out;
  stream->avail_out = room;
  int result = zlib.inflate(stream, Z_NO_FLUSH);
  step->in_length -= (size_t)(stream->next_in - step->in);
  step->in = stream->next_in;
  step->produced = room - stream->avail_out;
  step->is_end = gunzip->is_between = result == Z_STREAM_END;
  if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) return CDS_OK;
  if (result == Z_MEM_ERROR) return no_memory(err);
  return cds_error_set(err, CDS_E_DECODE, "this is no gzip, or damaged: %s",
                       stream->msg ? stream->msg : "a wrong header");
}

static void close_gunzip(void *state) {
  struct gunzip *gunzip = state;
  zlib.inflate_end(&gunzip->stream);
  cds_free(gunzip);
}

#define WORK                                                                                                           \
  .library = &library, .bound = bound, .pack = pack, .open = open_gunzip, .step = step_gunzip, .close = close_gunzip

#else

#define WORK .absent = "this build is without gzip: install zlib's development files and build again"

#endif

const struct cds_packer cds_gzip = {.suffix = ".gz", .start = "\x1f\x8b", .start_length = 2, WORK};
