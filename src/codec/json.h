/* SPDX-License-Identifier: MIT
 * The envelopes that carry reports, read by a strict scanner of our own:
 *   one report   {"report":{"feedID":"0x…","fullReport":"0x…","validFromTimestamp":n,"observationsTimestamp":n}}
 *   several      {"reports":[{…},…],"nextPageTimestamp":n}
 * and, in messages of WebSocket v2 and reports of millisecond feeds, validFromTimestampMs and observationsTimestampMs
 * beside the two times in seconds or in their place.
 * Members come in any order; unknown ones are skipped (depth <= CDS_MAX_JSON_DEPTH); a duplicate of a known
 * member, a wrong type and anything after the object are DecodeErrors with the byte offset. The four times and
 * nextPageTimestamp may be absent or null. Of fullReport only the ends are looked at (0x, an even number of
 * characters, the quote): a character that is no hex digit is found by cds_envelope_report, so that a message which
 * is not wanted costs no look at its digits. Nothing is copied: slices point into the text, which must outlive them. */
#ifndef CDS_JSON_H
#define CDS_JSON_H

#include "codec/feed_id.h"
#include "codec/scan.h"

struct cds_envelope {
  struct cds_feed_id feed_id;
  const char *full_report; /* hex digits after 0x */
  size_t full_report_length;
  bool has_valid_from_timestamp, has_observations_timestamp;
  bool has_valid_from_ms, has_observations_ms;
  int64_t valid_from_timestamp, observations_timestamp; /* seconds, 0 to 2^32-1 */
  uint64_t valid_from_ms, observations_ms;              /* validFromTimestampMs, observationsTimestampMs */
};

CDS_MUST_CHECK enum cds_status cds_envelope_parse(struct cds_envelope *out, const char *text, size_t length,
                                                  struct cds_error *err);

/* Who reads the value of a member that is none of an envelope's; what fails there fails. */
struct cds_envelope_others {
  enum cds_status (*read)(void *context, const struct cds_slice *name, struct cds_scan *scan);
  void *context;
};

/* The report object alone, as a recording has it, with further members. */
CDS_MUST_CHECK enum cds_status cds_envelope_read(struct cds_envelope *out, const char *text, size_t length,
                                                 const struct cds_envelope_others *others, struct cds_error *err);

struct cds_envelope_list {
  struct cds_envelope *items; /* owned */
  size_t count;
  bool has_next_page_timestamp;
  int64_t next_page_timestamp;
};

/* CDS_E_MEMORY when memory ran out; *out is empty after any failure. */
CDS_MUST_CHECK enum cds_status cds_envelope_list_parse(struct cds_envelope_list *out, const char *text, size_t length,
                                                       struct cds_error *err);
void cds_envelope_list_clear(struct cds_envelope_list *list);

#endif
