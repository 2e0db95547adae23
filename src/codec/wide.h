/* SPDX-License-Identifier: MIT
 * Exact integers of up to 384 bits, as decimal text: what sums of a 256-bit price times milliseconds need. What does
 * not fit is refused, and never wraps. */
#ifndef CDS_WIDE_H
#define CDS_WIDE_H

#include "base/cds.h"

#define CDS_WIDE_LIMBS 6
#define CDS_WIDE_TEXT 118 /* a sign, the 116 digits of 2^384, and the end */

/* Absolute value, least significant limb first; zero is not negative. */
struct cds_wide {
  uint64_t limb[CDS_WIDE_LIMBS];
  bool negative;
};

/* Reads digits with or without "-" before them, nothing else; false for other text, and for more than 384 bits. */
CDS_MUST_CHECK bool cds_wide_parse(struct cds_wide *out, const char *text, size_t length);

/* Writes it as text, without leading zeros; returns the text's length. */
size_t cds_wide_format(char out[CDS_WIDE_TEXT], const struct cds_wide *value);

/* Below 0, 0 or above 0, as a is below, equal to or above b. */
int cds_wide_compare(const struct cds_wide *a, const struct cds_wide *b);

/* Adds value times factor. False when the product or the sum has more than 384 bits: *sum is then what it was. */
CDS_MUST_CHECK bool cds_wide_add_product(struct cds_wide *sum, const struct cds_wide *value, int64_t factor);

/* Divides by a divisor that is not 0, rounding toward zero as Solidity does. */
void cds_wide_divide(struct cds_wide *value, uint64_t divisor);

/* Whether `now` differs from `last`, and by at least numerator/denominator of |last|. False in *fits when a product has
 * more than 384 bits. */
bool cds_wide_moved(bool *fits, const struct cds_wide *last, const struct cds_wide *now, int64_t numerator,
                    int64_t denominator);

#endif
