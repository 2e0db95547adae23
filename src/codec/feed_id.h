/* SPDX-License-Identifier: MIT
 * A feed id: 32 bytes. The first four bits are the resolution of the feed's times, the next twelve the version of its
 * reports' schema (Chainlink's oracle plugin and Go SDK: version = first two bytes & 0x0fff). */
#ifndef CDS_FEED_ID_H
#define CDS_FEED_ID_H

#include "base/error.h"

#define CDS_FEED_ID_TEXT 66 /* characters of 0x and 64 hex digits */

struct cds_feed_id {
  uint8_t bytes[32];
};

/* Reads exactly 0x (or 0X) and 64 hex digits; CDS_E_FEED_ID with the reason otherwise. */
CDS_MUST_CHECK enum cds_status cds_feed_id_parse(struct cds_feed_id *out, const char *text, size_t length,
                                                 struct cds_error *err);

/* Writes 66 lower-case characters and a final 0. */
void cds_feed_id_format(char out[CDS_FEED_ID_TEXT + 1], const struct cds_feed_id *id);

int cds_feed_id_compare(const struct cds_feed_id *a, const struct cds_feed_id *b);
uint16_t cds_feed_id_version(const struct cds_feed_id *id); /* 0 to 4095 */

/* The unit of the times in a feed's reports. Others than these two are not defined. */
enum cds_resolution { CDS_RESOLUTION_SECONDS, CDS_RESOLUTION_MILLISECONDS, CDS_RESOLUTION_UNKNOWN };

enum cds_resolution cds_feed_id_resolution(const struct cds_feed_id *id);

#endif
