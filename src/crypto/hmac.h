/* SPDX-License-Identifier: MIT
 * SHA-256, HMAC-SHA256 and the Data Streams request signature, over OpenSSL. */
#ifndef CDS_HMAC_H
#define CDS_HMAC_H

#include "base/error.h"

CDS_MUST_CHECK enum cds_status cds_sha256(uint8_t out[32], const void *data, size_t length);
CDS_MUST_CHECK enum cds_status cds_hmac_sha256(uint8_t out[32], const void *key, size_t key_length, const void *data,
                                               size_t length);

/* The signature header's value, 64 hex digits and a final 0, of
 *   METHOD SP path SP hex(sha256(body)) SP api_key SP timestamp_ms
 * path is the exact request target, query included. Source: the official SDKs' auth files. */
CDS_MUST_CHECK enum cds_status cds_sign_request(char out[65], const char *method, const char *path, const void *body,
                                                size_t body_length, const char *api_key, const char *secret,
                                                size_t secret_length, int64_t timestamp_ms);

/* Compares without leaking where two byte strings differ. */
bool cds_equal_secret(const void *a, const void *b, size_t length);

#endif
