/* SPDX-License-Identifier: MIT
 * The bytes of a file, decompressed where it is gzip by its first bytes, whatever its name. */
#ifndef CDS_RECORD_BYTES_H
#define CDS_RECORD_BYTES_H

#include <sys/types.h>

#include "base/gzip.h"

struct cds_record_bytes { /* closed: fd is -1 */
  int fd;
  bool is_packed;
  struct cds_gunzip *gunzip; /* owned; NULL until it is needed */
  uint8_t *input;            /* owned */
  size_t start, end;         /* of what is not used yet in input */
  uint64_t offset;           /* in the file, of `start` */
  uint64_t whole;            /* where the last member that is whole ends */
  bool is_over;              /* the file's end was met */
  bool is_cut;               /* within a member; known then */
};

CDS_MUST_CHECK enum cds_status cds_record_bytes_open(struct cds_record_bytes *out, const char *path,
                                                     struct cds_error *err);

/* -> bytes put at out, all of one member; 0 at the end, -1 after a failure */
ssize_t cds_record_bytes_read(char *out, size_t size, struct cds_record_bytes *bytes, const char *path,
                              struct cds_error *err);

void cds_record_bytes_close(struct cds_record_bytes *bytes);

#endif
