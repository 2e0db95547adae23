/* SPDX-License-Identifier: MIT
 * Exact integers as the chain has them: 32-byte big-endian words, two's complement when signed. */
#ifndef CDS_DECIMAL_H
#define CDS_DECIMAL_H

#include "base/cds.h"

#define CDS_MAX_DECIMALS 77
#define CDS_DECIMAL_TEXT 160 /* room for any word with any scale, its sign, point and final 0 */

/* Writes the integer divided by 10^decimals as exact decimal text: no exponent, no trailing zeros after the
 * point, no point for a whole number, "-0" never. decimals 0 gives the integer itself. decimals <= 77.
 * Returns the text's length. */
size_t cds_decimal_format(char out[CDS_DECIMAL_TEXT], const uint8_t word[32], bool is_signed, unsigned decimals);

/* The double nearest to the integer divided by 10^decimals (round half to even), whatever the locale. */
double cds_decimal_to_double(const uint8_t word[32], bool is_signed, unsigned decimals);

/* True and the value when the integer fits int64_t. */
bool cds_decimal_to_int64(int64_t *out, const uint8_t word[32], bool is_signed);

#endif
