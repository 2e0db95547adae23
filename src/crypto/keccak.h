/* SPDX-License-Identifier: MIT
 * Keccak-256 with the original padding, as Ethereum uses it (not SHA3-256). */
#ifndef CDS_KECCAK_H
#define CDS_KECCAK_H

#include "base/cds.h"

void cds_keccak256(uint8_t out[32], const void *data, size_t length);

#endif
