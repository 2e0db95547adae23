/* SPDX-License-Identifier: MIT
 * A strict JSON scanner (RFC 8259) over text in memory: the grammar, without any idea of what the members mean.
 * It copies nothing, needs no memory and never reads past the end. UTF-8 inside strings is not looked at.
 * Every failure is a DecodeError with the byte offset. */
#ifndef CDS_SCAN_H
#define CDS_SCAN_H

#include "base/error.h"

struct cds_scan {
  const char *start, *at, *end;
  struct cds_error *err;
};

/* Characters between two quotes, escapes as they stand. */
struct cds_slice {
  const char *text;
  size_t length;
};

void cds_scan_init(struct cds_scan *scan, const char *text, size_t length, struct cds_error *err);

/* A DecodeError at the place reached; returns CDS_E_DECODE. */
enum cds_status cds_scan_fail(struct cds_scan *scan, const char *expected);

/* Passes over whitespace, then over c if it is next. */
bool cds_scan_accept(struct cds_scan *scan, char c);
CDS_MUST_CHECK enum cds_status cds_scan_expect(struct cds_scan *scan, char c, const char *expected);

/* Steps to the next member of an object whose '{' has been read (*first true, cleared by the first call):
 * *more and its name, with the colon read; or the '}' is read and *more is false. */
CDS_MUST_CHECK enum cds_status cds_scan_member(bool *more, struct cds_slice *name, bool *first, struct cds_scan *scan);

/* The same for the elements of an array whose '[' has been read. */
CDS_MUST_CHECK enum cds_status cds_scan_element(bool *more, bool *first, struct cds_scan *scan);

/* A string that starts with 0x and holds no escape; out is what follows the 0x. Whether these are hex digits is for
 * the decoder to say: looking at each character twice would cost more than the rest of the scan. */
CDS_MUST_CHECK enum cds_status cds_scan_hex(struct cds_slice *out, struct cds_scan *scan, const char *expected);

/* An integer from 0 to 2^32-1, without sign, fraction, exponent or leading zeros; or null, *has false then. */
CDS_MUST_CHECK enum cds_status cds_scan_uint32(bool *has, int64_t *out, struct cds_scan *scan);

/* The same from 0 to 2^64-1. */
CDS_MUST_CHECK enum cds_status cds_scan_uint64(bool *has, uint64_t *out, struct cds_scan *scan);

/* Passes over any one value in which at most `depth` arrays and objects nest. */
CDS_MUST_CHECK enum cds_status cds_scan_skip(struct cds_scan *scan, unsigned depth);

/* Only whitespace is left. */
CDS_MUST_CHECK enum cds_status cds_scan_end(struct cds_scan *scan);

static inline bool cds_slice_is(const struct cds_slice *slice, const char *text, size_t length) {
  return slice->length == length && __builtin_memcmp(slice->text, text, length) == 0;
}

#endif
