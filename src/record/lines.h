/* SPDX-License-Identifier: MIT
 * The lines of several files, one after the other, in constant memory. */
#ifndef CDS_RECORD_LINES_H
#define CDS_RECORD_LINES_H

#include "record/bytes.h"

/* What a line of a recording can have. */
#define CDS_RECORD_MAX_LINE (2 * CDS_MAX_REPORT_BYTES + 128u * 1024)

struct cds_record_lines {
  char **paths; /* owned */
  size_t count;
  size_t at; /* of the file being read, as its index + 1 */
  struct cds_record_bytes bytes;
  size_t max_line;
  char *buffer;                    /* owned */
  size_t room, start, end, looked; /* from `start` to `looked` there is no newline */
  uint64_t number;                 /* of the line, in its file */
};

enum cds_record_next {
  CDS_NEXT_LINE,
  CDS_NEXT_CUT, /* the rest of a file that ends without a newline, or within what is compressed */
  CDS_NEXT_END, /* all were read */
  CDS_NEXT_FAILED
};

/* The paths may be of files, or of folders, which stand for their recordings by name; the first file is opened. */
CDS_MUST_CHECK enum cds_status cds_record_lines_open(struct cds_record_lines *out, const char *const *paths,
                                                     size_t count, size_t max_line, struct cds_error *err);

/* A line without its newline, valid until the next call. FAILED: *err says why (CDS_E_FILE, CDS_E_MEMORY; CDS_E_DECODE
 * for a line that is too long). */
enum cds_record_next cds_record_lines_next(const char **text, size_t *length, struct cds_record_lines *lines,
                                           struct cds_error *err);

const char *cds_record_lines_path(const struct cds_record_lines *lines); /* of the file being read */

void cds_record_lines_close(struct cds_record_lines *lines);

#endif
