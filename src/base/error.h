/* SPDX-License-Identifier: MIT
 * The status list and the error a failing function fills in. */
#ifndef CDS_ERROR_H
#define CDS_ERROR_H

#include "base/cds.h"

enum cds_status {
  CDS_OK = 0,
#define CDS_ERROR(status, kind, retryable, meaning) status,
#include "base/errors.def"
#undef CDS_ERROR
  CDS_STATUS_COUNT
};

/* Fixed size and self-contained: may be copied, kept, and never needs freeing.
 * Call cds_error_clear (or use = {0}) before use; only fields that apply are set. */
struct cds_error {
  enum cds_status status;
  bool retryable;  /* can trying again help */
  int http_status; /* 0: no HTTP answer was involved */
  bool has_retry_after;
  double retry_after; /* seconds the server asked to wait */
  bool has_clock_skew;
  double clock_skew; /* local clock minus server clock, seconds */
  bool has_offset;
  size_t offset;     /* DecodeError: byte offset of the fault in the input */
  char expected[64]; /* DecodeError, ConfigError: what was expected there, "" when not known */
  char message[384]; /* one sentence, no secrets, control characters escaped */
  char body[1024];   /* APIError: start of the answer's body, "" when none */
};

/* The Lua kind of a status ("DecodeError"), "" for CDS_OK. */
const char *cds_status_kind(enum cds_status status);

void cds_error_clear(struct cds_error *err);

/* Clears *err, sets status, its default retryable and a printf message; returns status.
 * Control characters in the message become \xNN so that hostile text cannot forge log lines.
 * err may be NULL. */
enum cds_status cds_error_set(struct cds_error *err, enum cds_status status, const char *format, ...) CDS_PRINTF(3, 4);

/* A DecodeError at a byte offset: the message is "<what> at byte <offset>: expected <expected>"
 * (", got …" belongs into what). Returns CDS_E_DECODE. */
enum cds_status cds_error_decode(struct cds_error *err, size_t offset, const char *expected, const char *format, ...)
  CDS_PRINTF(4, 5);

#endif
