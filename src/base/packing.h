/* SPDX-License-Identifier: MIT
 * Compression by the libraries that were there to build with: gzip (RFC 1952) by zlib, zstd (RFC 8878) by libzstd. */
#ifndef CDS_PACKING_H
#define CDS_PACKING_H

#include "base/packer.h"

/* How a file of that name is to be compressed, or how one that begins so was; NULL: not at all. */
const struct cds_packer *cds_packer_by_name(const char *path);
const struct cds_packer *cds_packer_by_start(const uint8_t *start, size_t length);

#define CDS_PACKER_START 4 /* bytes that tell how, at most */

/* Appends one frame, of both texts, one behind the other. CDS_E_CONFIG where the library is missing. */
CDS_MUST_CHECK enum cds_status cds_pack(struct cds_buf *out, const struct cds_packer *packer,
                                        const struct cds_buf *first, const struct cds_buf *second,
                                        struct cds_error *err);

struct cds_unpack;

CDS_MUST_CHECK enum cds_status cds_unpack_new(struct cds_unpack **out, const struct cds_packer *packer,
                                              struct cds_error *err);
void cds_unpack_free(struct cds_unpack *unpack); /* NULL is accepted */

/* Takes some of the input and makes some of the output; without input, what is still to come of what was taken.
 * CDS_E_DECODE for what is not compressed so, or damaged. */
CDS_MUST_CHECK enum cds_status cds_unpack_step(struct cds_unpack *unpack, struct cds_unpack_step *step,
                                               struct cds_error *err);

#endif
