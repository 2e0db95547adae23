/* SPDX-License-Identifier: MIT
 * Compression by libsnappy. */
#include "codec/snappy.h"

#ifdef CDS_WITH_SNAPPY

#include <snappy-c.h>

#include "base/alloc.h"

static enum cds_status append(struct cds_buf *out, char *text, size_t length, struct cds_error *err) {
  enum cds_status status = cds_buf_append(out, text, length);
  cds_free(text);
  if (status == CDS_OK) return CDS_OK;
  return cds_error_set(err, status, "%zu bytes are too many", length);
}

enum cds_status cds_snappy_compress(struct cds_buf *out, const char *data, size_t length, struct cds_error *err) {
  if (length > out->limit) return cds_error_set(err, CDS_E_DECODE, "%zu bytes are too many to compress", length);
  size_t size = snappy_max_compressed_length(length);
  char *text = cds_malloc(size);
  if (!text) return cds_error_set(err, CDS_E_MEMORY, "no memory to compress %zu bytes", length);
  snappy_compress(data, length, text, &size); /* fails for a small buffer only */
  return append(out, text, size, err);
}

enum cds_status cds_snappy_decompress(struct cds_buf *out, const char *data, size_t length, struct cds_error *err) {
  size_t size;
  if (snappy_uncompressed_length(data, length, &size) != SNAPPY_OK)
    return cds_error_decode(err, 0, "Snappy's block format", "the compressed bytes");
  if (size > out->limit)
    return cds_error_decode(err, 0, "no more bytes than the limit", "compressed bytes that would become %zu", size);
  char *text = cds_malloc(size);
  if (!text) return cds_error_set(err, CDS_E_MEMORY, "no memory for %zu bytes", size);
  if (snappy_uncompress(data, length, text, &size) == SNAPPY_OK) return append(out, text, size, err);
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
