/* SPDX-License-Identifier: MIT
 * Compression by libsnappy. */
#include "codec/snappy.h"

#ifdef CDS_WITH_SNAPPY

#include <snappy-c.h>

#include "base/alloc.h"
#include "base/library.h"

/* It brings C++'s library along: loaded when it is first used. */
struct snappy {
  __typeof__(snappy_compress) *compress;
  __typeof__(snappy_max_compressed_length) *max_compressed_length;
  __typeof__(snappy_uncompress) *uncompress;
  __typeof__(snappy_uncompressed_length) *uncompressed_length;
};

static enum cds_status load(struct snappy *snappy, struct cds_error *err) {
  static const char *const names[] = {"snappy_compress", "snappy_max_compressed_length", "snappy_uncompress",
                                      "snappy_uncompressed_length"};
  return cds_library_find(snappy, names, sizeof names / sizeof *names, "libsnappy.so.1", err);
}

static enum cds_status append(struct cds_buf *out, char *text, size_t length, struct cds_error *err) {
  enum cds_status status = cds_buf_append(out, text, length);
  cds_free(text);
  if (status == CDS_OK) return CDS_OK;
  return cds_error_set(err, status, "%zu bytes are too many", length);
}

enum cds_status cds_snappy_compress(struct cds_buf *out, const char *data, size_t length, struct cds_error *err) {
  struct snappy snappy;
  enum cds_status status = load(&snappy, err);
  if (status != CDS_OK) return status;
  if (length > out->limit) return cds_error_set(err, CDS_E_DECODE, "%zu bytes are too many to compress", length);
  size_t size = snappy.max_compressed_length(length);
  char *text = cds_malloc(size);
  if (!text) return cds_error_set(err, CDS_E_MEMORY, "no memory to compress %zu bytes", length);
  snappy.compress(data, length, text, &size); /* fails for a small buffer only */
  return append(out, text, size, err);
}

enum cds_status cds_snappy_decompress(struct cds_buf *out, const char *data, size_t length, struct cds_error *err) {
  struct snappy snappy;
  size_t size;
  enum cds_status status = load(&snappy, err);
  if (status != CDS_OK) return status;
  if (snappy.uncompressed_length(data, length, &size) != SNAPPY_OK)
    return cds_error_decode(err, 0, "Snappy's block format", "the compressed bytes");
  if (size > out->limit)
    return cds_error_decode(err, 0, "no more bytes than the limit", "compressed bytes that would become %zu", size);
  char *text = cds_malloc(size);
  if (!text) return cds_error_set(err, CDS_E_MEMORY, "no memory for %zu bytes", size);
  if (snappy.uncompress(data, length, text, &size) == SNAPPY_OK) return append(out, text, size, err);
  cds_free(text);
  return cds_error_decode(err, 0, "Snappy's block format", "the compressed bytes");
}

#else

static enum cds_status absent(struct cds_error *err) {
  return cds_error_set(err, CDS_E_CONFIG,
                       "this build is without Snappy: install libsnappy's development files and build again");
}

enum cds_status cds_snappy_compress(struct cds_buf *out, const char *data, size_t length, struct cds_error *err) {
  (void)out, (void)data, (void)length;
  return absent(err);
}

enum cds_status cds_snappy_decompress(struct cds_buf *out, const char *data, size_t length, struct cds_error *err) {
  (void)out, (void)data, (void)length;
  return absent(err);
}

#endif
