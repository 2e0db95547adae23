/* SPDX-License-Identifier: MIT
 * The file of a recording that is written: whole blocks are appended or nothing is, and what a break has cut is mended
 * when it is opened. */
#ifndef CDS_RECORD_FILE_H
#define CDS_RECORD_FILE_H

#include "base/packing.h"

struct cds_record_file {
  int fd; /* locked, against a second writer */
  char *path;
  const struct cds_packer *packer; /* by its name: each write is a frame; NULL: it is plain */
  uint64_t size;                   /* of what is whole */
  int64_t modified_ms;             /* wall clock, when it was opened; 0 for a new file */
};

/* Opens or makes it; `path` may be a folder, which then has or gets recording.jsonl. A last line that was cut is taken
 * away, *cut bytes. A file that is no recording is refused: CDS_E_FILE, as all that the system answers. */
CDS_MUST_CHECK enum cds_status cds_record_file_open(struct cds_record_file *out, uint64_t *cut, const char *path,
                                                    struct cds_error *err);

/* Both, one behind the other; after a failure the file is as it was before, or is so again for who opens it next.
 * sync: it is on the disk then. */
CDS_MUST_CHECK enum cds_status cds_record_file_append(struct cds_record_file *file, const struct cds_buf *head,
                                                      const struct cds_buf *lines, bool sync, struct cds_error *err);

/* Gives the file its name with the time in it ("name-20260101T000000.000Z.jsonl") and makes a new one in its place.
 * After a failure all is as before. */
CDS_MUST_CHECK enum cds_status cds_record_file_rotate(struct cds_record_file *file, int64_t now_ms,
                                                      struct cds_error *err);

void cds_record_file_close(struct cds_record_file *file);

#endif
