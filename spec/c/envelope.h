/* SPDX-License-Identifier: MIT
 * Envelopes for the tests, written by printf. */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdio.h>

#include "sample.h"

#define ENVELOPE_MAX (2 * SAMPLE_MAX + 512)

static void envelope_hex(char *out, const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* The message the service sends for this report, of a known version. Returns its length. */
__attribute__((unused)) static size_t envelope_message(char out[ENVELOPE_MAX], const struct sample *report,
                                                       const uint8_t *blob, uint32_t valid_from,
                                                       uint32_t observations) {
  static char feed[65], full[2 * SAMPLE_MAX + 1];
  envelope_hex(feed, blob, 32);
  envelope_hex(full, report->bytes, report->length);
  return (size_t)sprintf(out,
                         "{\"report\":{\"feedID\":\"0x%s\",\"fullReport\":\"0x%s\",\"validFromTimestamp\":%u,"
                         "\"observationsTimestamp\":%u}}",
                         feed, full, valid_from, observations);
}

#endif
