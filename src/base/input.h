/* SPDX-License-Identifier: MIT
 * The bytes of a file, decompressed where its first bytes say that it is compressed (packing.h), whatever its name. */
#ifndef CDS_INPUT_H
#define CDS_INPUT_H

#include <sys/types.h>

#include "base/packing.h"

struct cds_input { /* closed: fd is -1 */
  int fd;
  const struct cds_packer *packer; /* NULL: it is plain */
  struct cds_unpack *unpack;       /* owned; NULL where it is plain */
  uint8_t *bytes;                  /* owned */
  size_t start, end;               /* of what is not used yet in `bytes` */
  bool is_pending;                 /* some of what was taken is to come out still */
  uint64_t offset;                 /* in the file, of `start` */
  uint64_t whole;                  /* where the last frame that is whole ends */
  bool is_over;                    /* the file's end was met */
  bool is_cut;                     /* within a frame; known then */
};

/* CDS_E_FILE when it cannot be opened or read, CDS_E_CONFIG when what decompresses it is missing. */
CDS_MUST_CHECK enum cds_status cds_input_open(struct cds_input *out, const char *path, struct cds_error *err);

/* -> bytes put at out, all of one frame; 0 at the end, -1 after a failure */
ssize_t cds_input_read(char *out, size_t size, struct cds_input *input, const char *path, struct cds_error *err);

void cds_input_close(struct cds_input *input);

#endif
