/* SPDX-License-Identifier: MIT
 * Chooses a way of compressing, and goes it. */
#include "base/packing.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "base/zstd.h"

#define MAX_INPUT_BYTES ((size_t)INT_MAX / 2)

static const struct cds_packer *const packers[] = {&cds_gzip, &cds_zstd};
#define PACKERS (sizeof packers / sizeof *packers)

const struct cds_packer *cds_packer_by_name(const char *path) {
  size_t length = strlen(path);
  for (size_t i = 0; i < PACKERS; i++) {
    size_t end = strlen(packers[i]->suffix);
    if (length > end && strcmp(path + length - end, packers[i]->suffix) == 0) return packers[i];
  }
  return NULL;
}

const struct cds_packer *cds_packer_by_start(const uint8_t *start, size_t length) {
  for (size_t i = 0; i < PACKERS; i++)
    if (length >= packers[i]->start_length && memcmp(start, packers[i]->start, packers[i]->start_length) == 0)
      return packers[i];
  return NULL;
}

static enum cds_status load(const struct cds_packer *packer, struct cds_error *err) {
  return packer->absent ? cds_error_set(err, CDS_E_CONFIG, "%s", packer->absent)
                        : cds_library_load(packer->library, err);
}

enum cds_status cds_pack(struct cds_buf *out, const struct cds_packer *packer, const struct cds_buf *first,
                         const struct cds_buf *second, struct cds_error *err) {
  size_t length = first->length + second->length;
  enum cds_status status = load(packer, err);
  if (status != CDS_OK) return status;
  size_t room = packer->bound(length);
  uint8_t *frame = length <= MAX_INPUT_BYTES ? cds_malloc(room) : NULL;
  size_t packed = frame ? packer->pack(frame, room, first, second) : 0;
  status = packed > 0 ? cds_buf_append(out, frame, packed) : CDS_E_MEMORY;
  cds_free(frame);
  return status == CDS_OK ? CDS_OK : cds_error_set(err, CDS_E_MEMORY, "no memory to compress %zu bytes", length);
}

struct cds_unpack {
  const struct cds_packer *packer;
  void *state; /* the packer's own */
};

enum cds_status cds_unpack_new(struct cds_unpack **out, const struct cds_packer *packer, struct cds_error *err) {
  *out = NULL;
  enum cds_status status = load(packer, err);
  if (status != CDS_OK) return status;
  struct cds_unpack *unpack = cds_calloc(1, sizeof *unpack);
  if (!unpack) return cds_error_set(err, CDS_E_MEMORY, "no memory to read what is compressed");
  unpack->packer = packer;
  status = packer->open(&unpack->state, err);
  if (status == CDS_OK) *out = unpack;
  else cds_free(unpack);
  return status;
}

enum cds_status cds_unpack_step(struct cds_unpack *unpack, struct cds_unpack_step *step, struct cds_error *err) {
  return unpack->packer->step(unpack->state, step, err);
}

void cds_unpack_free(struct cds_unpack *unpack) {
  if (!unpack) return;
  unpack->packer->close(unpack->state);
  cds_free(unpack);
}
