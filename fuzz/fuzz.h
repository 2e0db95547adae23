/* SPDX-License-Identifier: MIT
 * What the fuzz targets share: inputs in blocks of exactly their size, so that a sanitizer sees any read beyond them,
 * and what must hold of every error. A broken promise aborts, which the fuzzer reports with the input. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                                                \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);                                  \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

static inline void *fuzz_copy(const void *data, size_t size) {
  void *copy = calloc(1, size > 0 ? size : 1);
  MUST(copy != NULL);
  if (size > 0) memcpy(copy, data, size);
  return copy;
}

/* The same, ending in a 0 byte. */
static inline char *fuzz_text(const uint8_t *data, size_t size) {
  char *copy = malloc(size + 1);
  MUST(copy != NULL);
  if (size > 0) memcpy(copy, data, size);
  copy[size] = 0;
  return copy;
}

static inline bool fuzz_is_printable(const char *text, size_t size) {
  size_t length = strnlen(text, size);
  if (length == size) return false;
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) return false;
  return true;
}

/* A failure fills in the error; its texts end within their arrays and cannot forge a log line. */
static inline void fuzz_check_error(const struct cds_error *err, enum cds_status status) {
  MUST(status > CDS_OK && status < CDS_STATUS_COUNT && err->status == status);
  MUST(err->message[0] != 0 && fuzz_is_printable(err->message, sizeof err->message));
  MUST(fuzz_is_printable(err->expected, sizeof err->expected));
  MUST(fuzz_is_printable(err->body, sizeof err->body));
}

/* The next line of *data, without its end; *data and *size move behind it. */
static inline char *fuzz_line(const uint8_t **data, size_t *size) {
  const uint8_t *end = *size > 0 ? memchr(*data, '\n', *size) : NULL;
  size_t length = end != NULL ? (size_t)(end - *data) : *size;
  char *line = fuzz_text(*data, length);
  length += end != NULL;
  *data += length;
  *size -= length;
  return line;
}

#endif
