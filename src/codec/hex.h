/* SPDX-License-Identifier: MIT
 * Hex text and bytes. Strict: digits only, an even number of them, no prefix. */
#ifndef CDS_HEX_H
#define CDS_HEX_H

#include "base/cds.h"

/* Decodes length hex digits into length / 2 bytes at out (either case is accepted).
 * Returns length when all is well, otherwise the offset of the first character that is not a hex digit
 * (for an odd length: length - 1, if all digits are good). out's contents are undefined after a failure. */
CDS_MUST_CHECK size_t cds_hex_decode(uint8_t *out, const char *hex, size_t length);

/* The same by one of the ways, of which cds_hex_decode takes the last that the processor has; without it by the first. */
enum cds_hex_way { CDS_HEX_PORTABLE, CDS_HEX_SSSE3, CDS_HEX_AVX2, CDS_HEX_WAYS };
bool cds_hex_has(enum cds_hex_way way);
CDS_MUST_CHECK size_t cds_hex_decode_by(enum cds_hex_way way, uint8_t *out, const char *hex, size_t length);

/* Writes 2 * length lower-case digits at out, without a final 0. */
void cds_hex_encode(char *out, const uint8_t *bytes, size_t length);

#endif
