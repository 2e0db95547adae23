/* SPDX-License-Identifier: MIT
 * Snappy's block format, by libsnappy where it was there to build with (CDS_WITH_SNAPPY). */
#ifndef CDS_SNAPPY_H
#define CDS_SNAPPY_H

#include "base/buf.h"

/* Both append to *out. CDS_E_CONFIG when built without libsnappy. A text that would become longer than the buffer's
 * limit is refused before any of it is decompressed. */
CDS_MUST_CHECK enum cds_status cds_snappy_compress(struct cds_buf *out, const char *data, size_t length,
                                                   struct cds_error *err);
CDS_MUST_CHECK enum cds_status cds_snappy_decompress(struct cds_buf *out, const char *data, size_t length,
                                                     struct cds_error *err);

#endif
