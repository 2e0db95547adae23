/* SPDX-License-Identifier: MIT
 * The lines of several files, one after the other, in constant memory. */
#ifndef CDS_LINES_H
#define CDS_LINES_H

#include "base/input.h"

struct cds_lines {
  char **paths; /* owned */
  size_t count;
  size_t at; /* of the file being read, as its index + 1 */
  struct cds_input input;
  size_t max_line;                 /* a longer one is a failure */
  char *buffer;                    /* owned */
  size_t room, start, end, looked; /* from `start` to `looked` there is no newline */
  uint64_t number;                 /* of the line, in its file */
};

enum cds_next_line {
  CDS_NEXT_LINE,
  CDS_NEXT_CUT, /* the rest of a file that ends without a newline, or within what is compressed */
  CDS_NEXT_END, /* all were read */
  CDS_NEXT_FAILED
};

/* The paths may be of files, or of folders, which stand for their recordings by name; the first file is opened. */
CDS_MUST_CHECK enum cds_status cds_lines_open(struct cds_lines *out, const char *const *paths, size_t count,
                                              size_t max_line, struct cds_error *err);

/* A line without its newline, valid until the next call. FAILED: *err says why (CDS_E_FILE, CDS_E_MEMORY; CDS_E_DECODE
 * for a line that is too long). */
enum cds_next_line cds_lines_next(const char **text, size_t *length, struct cds_lines *lines, struct cds_error *err);

const char *cds_lines_path(const struct cds_lines *lines); /* of the file being read */

void cds_lines_close(struct cds_lines *lines);

#endif
