/* SPDX-License-Identifier: MIT
 * Zstandard (RFC 8878), by libzstd where it was there to build with (CDS_WITH_ZSTD). */
#ifndef CDS_ZSTD_H
#define CDS_ZSTD_H

#include "base/packer.h"

extern const struct cds_packer cds_zstd;

#endif
