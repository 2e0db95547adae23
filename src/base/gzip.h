/* SPDX-License-Identifier: MIT
 * Gzip (RFC 1952), by zlib where it was there to build with (CDS_WITH_ZLIB). */
#ifndef CDS_GZIP_H
#define CDS_GZIP_H

#include "base/packer.h"

extern const struct cds_packer cds_gzip;

#endif
