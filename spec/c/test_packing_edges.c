/* SPDX-License-Identifier: MIT
 * Compression at its edges: texts of few bytes and of too many, what a library may answer, and that all that it gives is
 * given back. */
#include <limits.h>
#include <stdlib.h>
#ifdef CDS_WITH_ZLIB
#include <zlib.h>
#endif
#ifdef CDS_WITH_ZSTD
#include <zstd.h>
#endif

#include "base/alloc.h"
#include "base/gzip.h"
#include "base/packing.h"
#include "base/zstd.h"
#include "tap.h"

static struct cds_error err;

static struct cds_buf bytes(const char *text, size_t length) {
  return (struct cds_buf){.data = (char *)(uintptr_t)text, .length = length};
}

/* ---- choosing ---- */

static void test_choice(void) {
  static const char *const starts[] = {"\x1f\x8b", "\x28\xb5\x2f\xfd"};
  for (size_t i = 0; i < 2; i++) {
    size_t length = strlen(starts[i]);
    const struct cds_packer *packer = i == 0 ? &cds_gzip : &cds_zstd;
    ok(cds_packer_by_start((const uint8_t *)starts[i], length) == packer, "%zu bytes tell", length);
    ok(!cds_packer_by_start((const uint8_t *)starts[i], length - 1), "and no fewer");
  }
  ok(!cds_packer_by_name("a.gzz") && !cds_packer_by_name("a.gz.jsonl") && !cds_packer_by_name("zst"), "no other name");
}

/* ---- a way of our own ---- */

static struct cds_library known = {.soname = "known", .is_known = true};
static size_t answer; /* of pack */

static size_t bound_10(size_t length) {
  (void)length;
  return 10;
}

static size_t pack_x(uint8_t *out, size_t room, const struct cds_buf *first, const struct cds_buf *second) {
  (void)first;
  (void)second;
  memset(out, 'x', room);
  return answer;
}

static enum cds_status open_nothing(void **out, struct cds_error *error) {
  *out = NULL;
  return cds_error_set(error, CDS_E_MEMORY, "no memory here");
}

static const struct cds_packer ours = {.library = &known, .bound = bound_10, .pack = pack_x, .open = open_nothing};

static void is_packed(size_t first_length, size_t second_length, enum cds_status expected, const char *what) {
  struct cds_buf out, first = bytes("a", first_length), second = bytes("b", second_length);
  cds_buf_init(&out, 100);
  cds_error_clear(&err);
  is_number(cds_pack(&out, &ours, &first, &second, &err), expected, what);
  is_number(out.length, expected == CDS_OK ? answer : 0, "and so much is appended");
  is_number(err.status, expected, "and told");
  cds_buf_clear(&out);
}

static void test_lengths(void) {
  answer = 1;
  is_packed(1, 1, CDS_OK, "one byte may be all");
  answer = 10;
  is_packed(1, 1, CDS_OK, "or all the room");
  is_packed(INT_MAX / 2 - 1, 1, CDS_OK, "half of what the libraries count to is taken");
  is_packed(INT_MAX / 2, 1, CDS_E_MEMORY, "and no more");
  ok(strstr(err.message, "no memory to compress 1073741824 bytes"), "which is told: %s", err.message);
  answer = 0;
  is_packed(1, 1, CDS_E_MEMORY, "no bytes are a failure");
}

static void test_absent(void) {
  static struct cds_library missing = {.soname = "libabsent.so.0"};
  static const struct cds_packer not_built = {.absent = "this build is without it"}, not_there = {.library = &missing};
  const struct cds_packer *const packers[] = {&not_built, &not_there};
  struct cds_buf out, text = bytes("a", 1);
  cds_buf_init(&out, 100);
  for (size_t i = 0; i < 2; i++) {
    struct cds_unpack *unpack = (struct cds_unpack *)&out;
    cds_error_clear(&err);
    ok(cds_pack(&out, packers[i], &text, &text, &err) == CDS_E_CONFIG && err.status == CDS_E_CONFIG,
       "what is missing packs nothing: %s", err.message);
    cds_error_clear(&err);
    ok(cds_unpack_new(&unpack, packers[i], &err) == CDS_E_CONFIG && err.status == CDS_E_CONFIG && !unpack,
       "and unpacks nothing: %s", err.message);
    ok(strstr(err.message, i == 0 ? "this build is without it" : "libabsent.so.0"), "which is told");
  }
  cds_buf_clear(&out);
}

static void test_memory(void) {
  struct cds_buf out, text = bytes("a", 1);
  struct cds_unpack *unpack;
  answer = 1;
  cds_buf_init(&out, 100);
  for (long nth = 0; nth < 2; nth++) {
    cds_error_clear(&err);
    cds_alloc_fail_one(nth);
    ok(cds_pack(&out, &ours, &text, &text, &err) == CDS_E_MEMORY && err.status == CDS_E_MEMORY && out.length == 0,
       "without memory nothing is packed");
    cds_alloc_fail_one(-1);
  }
  cds_alloc_fail_one(0);
  ok(cds_unpack_new(&unpack, &ours, &err) == CDS_E_MEMORY && !unpack && strstr(err.message, "no memory to read what"),
     "nor unpacked: %s", err.message);
  cds_alloc_fail_one(-1);
  ok(cds_unpack_new(&unpack, &ours, &err) == CDS_E_MEMORY && !unpack && strstr(err.message, "no memory here"),
     "nor where the library has none: %s", err.message);
}

/* ---- the libraries ---- */

typedef void any_fn(void);

static void put(void **place, any_fn *function) {
  memcpy(place, &function, sizeof function);
}

/* The place of a function of that name, for a test to put another there. */
static void **place_of(const struct cds_packer *packer, const char *name) {
  for (size_t i = 0; i < packer->library->count; i++)
    if (strcmp(packer->library->names[i], name) == 0) return (void **)packer->library->functions + i;
  abort();
}

static enum cds_status pack_with(const struct cds_packer *packer, struct cds_buf *out, size_t first, size_t second) {
  static const char text[] = "abcdefghijklmnopqrstuvwxyz";
  const struct cds_buf one = bytes(text, first), two = bytes(text + first, second);
  cds_error_clear(&err);
  cds_buf_init(out, 10000);
  return cds_pack(out, packer, &one, &two, &err);
}

static enum cds_status unpack_all(const struct cds_packer *packer, char *text, size_t room, const struct cds_buf *in) {
  struct cds_unpack *unpack;
  cds_error_clear(&err);
  enum cds_status status = cds_unpack_new(&unpack, packer, &err);
  if (status != CDS_OK) return status;
  struct cds_unpack_step step = {
    .in = (const uint8_t *)in->data, .in_length = in->length, .out = (uint8_t *)text, .room = room - 1};
  status = cds_unpack_step(unpack, &step, &err);
  if (status == CDS_OK) text[step.produced] = 0;
  bool is_all = step.is_end && step.in_length == 0 && step.in == (const uint8_t *)in->data + in->length;
  if (status == CDS_OK && !is_all) status = CDS_E_API;
  cds_unpack_free(unpack);
  return status;
}

/* Texts of few bytes, in either half. */
static void test_short(const struct cds_packer *packer) {
  struct cds_buf packed;
  char text[100];
  for (size_t first = 0; first < 4; first++)
    for (size_t second = 0; second < 4; second++) {
      bool good =
        pack_with(packer, &packed, first, second) == CDS_OK && unpack_all(packer, text, sizeof text, &packed) == CDS_OK;
      ok(good && strncmp(text, "abcdefgh", first + second) == 0 && strlen(text) == first + second, "%s: %zu and %zu",
         packer->suffix, first, second);
      cds_buf_clear(&packed);
    }
}

/* What comes again 30,000 bytes later is found. */
static void test_window(const struct cds_packer *packer) {
  static char text[60000];
  struct cds_buf packed, one = bytes(text, 30000), two = bytes(text + 30000, 30000);
  uint32_t state = 1;
  for (size_t i = 0; i < 30000; i++) text[i] = text[30000 + i] = (char)((state = state * 1664525u + 1013904223u) >> 24);
  cds_buf_init(&packed, 100000);
  ok(cds_pack(&packed, packer, &one, &two, &err) == CDS_OK && packed.length < 32000, "what comes again costs little");
  cds_buf_clear(&packed);
}

static void is_no_memory(const struct cds_packer *packer, const char *what) {
  struct cds_buf packed;
  ok(pack_with(packer, &packed, 2, 3) == CDS_E_MEMORY && err.status == CDS_E_MEMORY && packed.length == 0, "%s: %s",
     what, err.message);
  cds_buf_clear(&packed);
}

#ifdef CDS_WITH_ZLIB
static int ended;
static int (*real_end)(z_streamp);
static int (*real_deflate)(z_streamp, int);

static int count_end(z_streamp stream) {
  ended++;
  return real_end(stream);
}

static int no_init(z_streamp stream, int level, int method, int window, int memory, int way, const char *version,
                   int size) {
  (void)stream, (void)level, (void)method, (void)window, (void)memory, (void)way, (void)version, (void)size;
  return Z_MEM_ERROR;
}

static int no_inflate_init(z_streamp stream, int window, const char *version, int size) {
  (void)stream, (void)window, (void)version, (void)size;
  return Z_MEM_ERROR;
}

static int no_end_yet(z_streamp stream, int flush) {
  int result = real_deflate(stream, flush);
  return result == Z_STREAM_END ? Z_OK : result;
}

static int no_memory(z_streamp stream, int flush) {
  (void)stream, (void)flush;
  return Z_MEM_ERROR;
}

static void test_gzip(void) {
  struct cds_buf packed;
  char text[100];
  void **end = place_of(&cds_gzip, "deflateEnd"), *saved = *end;
  memcpy(&real_end, &saved, sizeof real_end);
  put(end, (any_fn *)count_end);
  ok(pack_with(&cds_gzip, &packed, 2, 3) == CDS_OK && ended == 1, "gzip: the packer is given back");
  void **deflate_place = place_of(&cds_gzip, "deflate"), *deflate_saved = *deflate_place;
  memcpy(&real_deflate, &deflate_saved, sizeof real_deflate);
  put(deflate_place, (any_fn *)no_end_yet);
  is_no_memory(&cds_gzip, "a frame without an end is none");
  put(deflate_place, (any_fn *)no_memory);
  is_no_memory(&cds_gzip, "nor is one that cannot be made");
  *deflate_place = deflate_saved;
  is_number(ended, 3, "both are given back");
  *end = saved;
  void **init = place_of(&cds_gzip, "deflateInit2_");
  saved = *init;
  put(init, (any_fn *)no_init);
  is_no_memory(&cds_gzip, "there may be no packer");
  *init = saved;
  init = place_of(&cds_gzip, "inflateInit2_");
  saved = *init;
  put(init, (any_fn *)no_inflate_init);
  ok(unpack_all(&cds_gzip, text, sizeof text, &packed) == CDS_E_MEMORY && strstr(err.message, "gzip"),
     "or unpacker: %s", err.message);
  *init = saved;
  void **inflate_place = place_of(&cds_gzip, "inflate");
  saved = *inflate_place;
  put(inflate_place, (any_fn *)no_memory);
  ok(unpack_all(&cds_gzip, text, sizeof text, &packed) == CDS_E_MEMORY && strstr(err.message, "gzip"),
     "or memory later: %s", err.message);
  *inflate_place = saved;
  end = place_of(&cds_gzip, "inflateEnd");
  saved = *end;
  memcpy(&real_end, &saved, sizeof real_end);
  put(end, (any_fn *)count_end);
  ended = 0;
  ok(unpack_all(&cds_gzip, text, sizeof text, &packed) == CDS_OK && ended == 1, "the unpacker is given back");
  *end = saved;
  cds_alloc_fail_after(1);
  ok(unpack_all(&cds_gzip, text, sizeof text, &packed) == CDS_E_MEMORY && strstr(err.message, "gzip"), "no memory: %s",
     err.message);
  cds_alloc_fail_after(-1);
  packed.data[0] = 'x';
  ok(unpack_all(&cds_gzip, text, sizeof text, &packed) == CDS_E_DECODE && strstr(err.message, "this is no gzip"),
     "what begins otherwise is none: %s", err.message);
  cds_buf_clear(&packed);
}
#else
static void test_gzip(void) {
  skip("gzip", "built without it");
}
#endif

#ifdef CDS_WITH_ZSTD
static int freed;
static size_t (*real_free)(void *);
static size_t (*real_pack)(ZSTD_CCtx *, ZSTD_outBuffer *, ZSTD_inBuffer *, ZSTD_EndDirective);
static const size_t failure = (size_t)-64; /* ZSTD_error_memory_allocation, as a size */
static enum { NOT_WHOLE, NOT_ENDED, FAILED } fault;

static size_t count_free(void *packer) {
  freed++;
  return real_free(packer);
}

static void *new_none(void) {
  return NULL;
}

static size_t set_none(ZSTD_CCtx *packer, ZSTD_cParameter name, int value) {
  (void)packer, (void)name, (void)value;
  return failure;
}

static size_t set_no_size(ZSTD_CCtx *packer, unsigned long long size) {
  (void)packer, (void)size;
  return failure;
}

static size_t pack_badly(ZSTD_CCtx *packer, ZSTD_outBuffer *out, ZSTD_inBuffer *in, ZSTD_EndDirective how) {
  size_t left = real_pack(packer, out, in, how);
  if (fault == NOT_WHOLE) in->pos--;
  if (fault == FAILED) return failure;
  return fault == NOT_ENDED && how == ZSTD_e_end ? 1 : left;
}

static size_t unpack_none(void *state, ZSTD_outBuffer *out, ZSTD_inBuffer *in) {
  (void)state, (void)out, (void)in;
  return failure;
}

static void is_no_memory_with(const char *name, any_fn *function, const char *what) {
  void **place = place_of(&cds_zstd, name), *saved = *place;
  put(place, function);
  is_no_memory(&cds_zstd, what);
  *place = saved;
}

static void is_no_unpacker_with(const char *name, any_fn *function, const struct cds_buf *packed, const char *words) {
  char text[100];
  void **place = place_of(&cds_zstd, name), *saved = *place;
  put(place, function);
  ok(unpack_all(&cds_zstd, text, sizeof text, packed) == CDS_E_MEMORY && err.status == CDS_E_MEMORY &&
       strstr(err.message, words),
     "nothing is unpacked: %s", err.message);
  *place = saved;
}

static void test_zstd(void) {
  struct cds_buf packed;
  char text[100];
  void **place = place_of(&cds_zstd, "ZSTD_freeCCtx"), *saved = *place;
  memcpy(&real_free, &saved, sizeof real_free);
  put(place, (any_fn *)count_free);
  ok(pack_with(&cds_zstd, &packed, 2, 3) == CDS_OK && freed == 1, "zstd: the packer is given back");
  ok((packed.data[4] & 0x04) != 0 && ((packed.data[4] & 0x20) != 0 || (packed.data[4] & 0xc0) != 0),
     "a frame has its length and a checksum");
  void *real = *place_of(&cds_zstd, "ZSTD_compressStream2");
  memcpy(&real_pack, &real, sizeof real_pack);
  for (fault = NOT_WHOLE; fault <= FAILED; fault++)
    is_no_memory_with("ZSTD_compressStream2", (any_fn *)pack_badly, "a fault");
  is_no_memory_with("ZSTD_CCtx_setParameter", (any_fn *)set_none, "there may be no checksum");
  is_no_memory_with("ZSTD_CCtx_setPledgedSrcSize", (any_fn *)set_no_size, "or no length");
  is_number(freed, 6, "each is given back");
  *place = saved;
  is_no_memory_with("ZSTD_createCCtx", (any_fn *)new_none, "there may be no packer");
  is_no_unpacker_with("ZSTD_createDStream", (any_fn *)new_none, &packed,
                      "no memory to read what is compressed by zstd");
  is_no_unpacker_with("ZSTD_decompressStream", (any_fn *)unpack_none, &packed, "llocation");
  place = place_of(&cds_zstd, "ZSTD_freeDStream");
  saved = *place;
  memcpy(&real_free, &saved, sizeof real_free);
  put(place, (any_fn *)count_free);
  freed = 0;
  ok(unpack_all(&cds_zstd, text, sizeof text, &packed) == CDS_OK && freed == 1, "the unpacker is given back");
  *place = saved;
  packed.data[packed.length - 1] ^= 1;
  ok(unpack_all(&cds_zstd, text, sizeof text, &packed) == CDS_E_DECODE && strstr(err.message, "checksum"),
     "a wrong checksum is damage: %s", err.message);
  cds_buf_clear(&packed);
}
#else
static void test_zstd(void) {
  skip("zstd", "built without it");
}
#endif

int main(void) {
  static const struct cds_packer *const packers[] = {&cds_gzip, &cds_zstd};
  test_choice();
  test_lengths();
  test_absent();
  test_memory();
  for (size_t i = 0; i < 2; i++) {
    if (packers[i]->absent) continue;
    test_short(packers[i]);
    test_window(packers[i]);
  }
  test_gzip();
  test_zstd();
  return done();
}
