/* SPDX-License-Identifier: MIT
 * Feed ids: text, order and what their first bytes say. */
#include "codec/feed_id.h"

#include <string.h>

#include "codec/hex.h"

enum cds_status cds_feed_id_parse(struct cds_feed_id *out, const char *text, size_t length, struct cds_error *err) {
  if (length < 2 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
    return cds_error_set(err, CDS_E_FEED_ID, "a feed id starts with 0x and has 64 hex digits");
  if (length != CDS_FEED_ID_TEXT)
    return cds_error_set(err, CDS_E_FEED_ID, "a feed id has 64 hex digits after 0x, this one has %zu characters there",
                         length - 2);
  size_t good = cds_hex_decode(out->bytes, text + 2, length - 2);
  if (good != length - 2)
    return cds_error_set(err, CDS_E_FEED_ID, "a feed id has 64 hex digits after 0x, character %zu of this one is none",
                         good + 3);
  return CDS_OK;
}

void cds_feed_id_format(char out[CDS_FEED_ID_TEXT + 1], const struct cds_feed_id *id) {
  out[0] = '0';
  out[1] = 'x';
  cds_hex_encode(out + 2, id->bytes, sizeof id->bytes);
  out[CDS_FEED_ID_TEXT] = 0;
}

int cds_feed_id_compare(const struct cds_feed_id *a, const struct cds_feed_id *b) {
  return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

uint16_t cds_feed_id_version(const struct cds_feed_id *id) {
  return (uint16_t)((id->bytes[0] & 0xf) << 8 | id->bytes[1]);
}

enum cds_resolution cds_feed_id_resolution(const struct cds_feed_id *id) {
  unsigned resolution = id->bytes[0] >> 4;
  return resolution < CDS_RESOLUTION_UNKNOWN ? (enum cds_resolution)resolution : CDS_RESOLUTION_UNKNOWN;
}
