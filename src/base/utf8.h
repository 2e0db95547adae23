/* SPDX-License-Identifier: MIT
 * UTF-8 (RFC 3629): what is text, and what is not. */
#ifndef CDS_UTF8_H
#define CDS_UTF8_H

#include "base/cds.h"

/* Bytes of the sequence at text, of which `left` (1 or more) are there; 0 when it is none: overlong forms, surrogates and
 * what lies beyond U+10FFFF are not. */
size_t cds_utf8_length(const unsigned char *text, size_t left);

bool cds_utf8_is_valid(const char *text, size_t length);

#endif
