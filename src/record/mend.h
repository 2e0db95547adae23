/* SPDX-License-Identifier: MIT
 * A recording whose writer broke off: what is to be done before it can go on. */
#ifndef CDS_RECORD_MEND_H
#define CDS_RECORD_MEND_H

#include "base/packing.h"

/* Of the file's *size bytes a last line that was cut is taken away, *cut bytes; one that lacks only its newline gets
 * it. packer: as its name says, or NULL; whole lines of a frame that was cut stay. CDS_E_FILE when it is no recording, or
 * cannot be read or written: nothing is changed then. */
CDS_MUST_CHECK enum cds_status cds_record_mend(uint64_t *size, uint64_t *cut, int fd, const char *path,
                                               const struct cds_packer *packer, struct cds_error *err);

#endif
