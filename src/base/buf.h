/* SPDX-License-Identifier: MIT
 * A growable byte buffer with a limit fixed at its creation. */
#ifndef CDS_BUF_H
#define CDS_BUF_H

#include "base/error.h"

struct cds_buf {
  char *data; /* NULL while empty; always followed by a 0 byte when not NULL */
  size_t length;
  size_t capacity;
  size_t limit;
};

void cds_buf_init(struct cds_buf *buf, size_t limit);
void cds_buf_clear(struct cds_buf *buf); /* frees the memory, keeps the limit */
void cds_buf_reset(struct cds_buf *buf); /* length 0, keeps the memory */

/* CDS_E_MEMORY when memory ran out, CDS_E_DECODE when the limit would be passed; nothing is appended then. */
CDS_MUST_CHECK enum cds_status cds_buf_append(struct cds_buf *buf, const void *data, size_t length);
CDS_MUST_CHECK enum cds_status cds_buf_printf(struct cds_buf *buf, const char *format, ...) CDS_PRINTF(2, 3);

#endif
