/* SPDX-License-Identifier: MIT
 * Compression by libzstd, which is loaded when it is first used. */
#include "base/zstd.h"

#ifdef CDS_WITH_ZSTD

#include <zstd.h>
#include <zstd_errors.h>

#define ROOM_BEYOND 64 /* of a frame that is made in two steps */

static struct {
  __typeof__(ZSTD_isError) *is_error;
  __typeof__(ZSTD_getErrorName) *error_name;
  __typeof__(ZSTD_getErrorCode) *error_code;
  __typeof__(ZSTD_compressBound) *bound;
  __typeof__(ZSTD_createCCtx) *new_packer;
  __typeof__(ZSTD_freeCCtx) *free_packer;
  __typeof__(ZSTD_CCtx_setParameter) *set;
  __typeof__(ZSTD_CCtx_setPledgedSrcSize) *set_size;
  __typeof__(ZSTD_compressStream2) *pack;
  __typeof__(ZSTD_createDStream) *new_unpacker;
  __typeof__(ZSTD_freeDStream) *free_unpacker;
  __typeof__(ZSTD_decompressStream) *unpack;
} zstd;

static const char *const names[] = {
  "ZSTD_isError",         "ZSTD_getErrorName",  "ZSTD_getErrorCode",      "ZSTD_compressBound",
  "ZSTD_createCCtx",      "ZSTD_freeCCtx",      "ZSTD_CCtx_setParameter", "ZSTD_CCtx_setPledgedSrcSize",
  "ZSTD_compressStream2", "ZSTD_createDStream", "ZSTD_freeDStream",       "ZSTD_decompressStream"};
_Static_assert(sizeof names == sizeof zstd, "a name for each function");
static struct cds_library library = {
  .soname = "libzstd.so.1", .functions = &zstd, .names = names, .count = sizeof names / sizeof *names};

/* ---- into it ---- */

static size_t bound(size_t length) {
  return zstd.bound(length) + ROOM_BEYOND;
}

/* All of the text; at the end: of the frame too. */
static bool put(ZSTD_CCtx *packer, ZSTD_outBuffer *out, const struct cds_buf *text, ZSTD_EndDirective how) {
  ZSTD_inBuffer in = {text->data, text->length, 0};
  size_t left = zstd.pack(packer, out, &in, how);
  return !zstd.is_error(left) && in.pos == in.size && (how == ZSTD_e_continue || left == 0);
}

static size_t pack(uint8_t *out, size_t room, const struct cds_buf *first, const struct cds_buf *second) {
  ZSTD_outBuffer frame = {out, room, 0};
  ZSTD_CCtx *packer = zstd.new_packer();
  if (!packer) return 0;
  bool good = !zstd.is_error(zstd.set(packer, ZSTD_c_checksumFlag, 1)) &&
              !zstd.is_error(zstd.set_size(packer, first->length + second->length)) &&
              put(packer, &frame, first, ZSTD_e_continue) && put(packer, &frame, second, ZSTD_e_end);
  zstd.free_packer(packer);
  return good ? frame.pos : 0;
}

/* ---- and back ---- */

static enum cds_status open_unpacker(void **out, struct cds_error *err) {
  *out = zstd.new_unpacker();
  return *out ? CDS_OK : cds_error_set(err, CDS_E_MEMORY, "no memory to read what is compressed by zstd");
}

static enum cds_status step_unpacker(void *state, struct cds_unpack_step *step, struct cds_error *err) {
  ZSTD_inBuffer in = {step->in, step->in_length, 0};
  ZSTD_outBuffer out = {step->out, step->room, 0};
  size_t left = zstd.unpack(state, &out, &in);
  step->in += in.pos;
  step->in_length -= in.pos;
  step->produced = out.pos;
  step->is_end = left == 0;
  if (!zstd.is_error(left)) return CDS_OK;
  enum cds_status status = zstd.error_code(left) == ZSTD_error_memory_allocation ? CDS_E_MEMORY : CDS_E_DECODE;
  return cds_error_set(err, status, "this is no zstd, or damaged: %s", zstd.error_name(left));
}

static void close_unpacker(void *state) {
  zstd.free_unpacker(state);
}

#define WORK                                                                                                           \
  .library = &library, .bound = bound, .pack = pack, .open = open_unpacker, .step = step_unpacker,                     \
  .close = close_unpacker

#else

#define WORK .absent = "this build is without zstd: install libzstd's development files and build again"

#endif

const struct cds_packer cds_zstd = {.suffix = ".zst", .start = "\x28\xb5\x2f\xfd", .start_length = 4, WORK};
