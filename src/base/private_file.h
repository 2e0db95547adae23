/* SPDX-License-Identifier: MIT
 * Files made whole, under names that others cannot guess until then, and files that nobody else may read. */
#ifndef CDS_PRIVATE_FILE_H
#define CDS_PRIVATE_FILE_H

#include "base/buf.h"

/* Makes a file that only its owner can read: whoever waits for it sees all of it or nothing. What is there already, a
 * symbolic link too, is neither followed nor replaced. */
CDS_MUST_CHECK enum cds_status cds_private_file_new(const char *path, const char *text, size_t length,
                                                    struct cds_error *err);

/* The same in place of what is there: of a symbolic link, of what it leads to. The folder is made, for its owner alone,
 * where it is missing. */
CDS_MUST_CHECK enum cds_status cds_private_file_replace(const char *path, const char *text, size_t length,
                                                        struct cds_error *err);

/* Reads a file of this user (or root) that nobody else may read or write, up to the buffer's limit. Refused, with the
 * reason, otherwise, and when path is a symbolic link of somebody else. *is_missing: there is no such file. */
CDS_MUST_CHECK enum cds_status cds_private_file_read(struct cds_buf *out, bool *is_missing, const char *path,
                                                     struct cds_error *err);

/* What is left to read of a descriptor, up to the buffer's limit. */
CDS_MUST_CHECK enum cds_status cds_read_all(struct cds_buf *out, int fd, struct cds_error *err);

/* Makes a file that all can read, in place of what is there; of a symbolic link, in place of the link itself. */
CDS_MUST_CHECK enum cds_status cds_public_file(const char *path, const char *text, size_t length,
                                               struct cds_error *err);

#endif
