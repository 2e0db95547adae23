/* SPDX-License-Identifier: MIT
 * Gzip (RFC 1952), by zlib where it was there to build with (CDS_WITH_ZLIB). */
#ifndef CDS_GZIP_H
#define CDS_GZIP_H

#include "base/buf.h"

/* Appends one member, of both texts, one behind the other. CDS_E_CONFIG when built without zlib. */
CDS_MUST_CHECK enum cds_status cds_gzip(struct cds_buf *out, const struct cds_buf *first, const struct cds_buf *second,
                                        struct cds_error *err);

struct cds_gunzip;

CDS_MUST_CHECK enum cds_status cds_gunzip_new(struct cds_gunzip **out, struct cds_error *err);
void cds_gunzip_free(struct cds_gunzip *gunzip); /* NULL is accepted */

struct cds_gunzip_step {
  const uint8_t *in;
  size_t in_length; /* what is left of it afterwards, as is `in` */
  uint8_t *out;
  size_t room;     /* at out */
  size_t produced; /* bytes that were put there */
  bool is_end;     /* of a member; the next step begins another one */
};

/* Takes some of the input and makes some of the output; CDS_E_DECODE for what is no gzip. */
CDS_MUST_CHECK enum cds_status cds_gunzip_step(struct cds_gunzip *gunzip, struct cds_gunzip_step *step,
                                               struct cds_error *err);

#endif
