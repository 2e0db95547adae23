/* SPDX-License-Identifier: MIT
 * A line of a recording, read strictly: what it is shows by its first member. Nothing is copied: slices point into the
 * text. */
#ifndef CDS_RECORD_PARSE_H
#define CDS_RECORD_PARSE_H

#include "codec/json.h"
#include "context/event.h"

enum cds_record_kind {
  CDS_RECORD_REPORT,
  CDS_RECORD_HEAD,
  CDS_RECORD_EVENT,
  CDS_RECORD_OTHER /* an event that is not known */
};

struct cds_record_line {
  enum cds_record_kind kind;
  /* REPORT */
  struct cds_envelope envelope;
  uint64_t received_at_ms; /* 0: not known */
  struct cds_slice origin; /* as it stands, with its escapes */
  bool backfilled;
  /* HEAD */
  bool continues;
  struct cds_slice feeds; /* the array, as it stands */
  /* EVENT, of which kind to_ms is set if has_end */
  enum cds_event_kind event;
  struct cds_feed_id feed;
  bool has_end;
  uint64_t from_ms, to_ms, time_ms;
  struct cds_slice reason; /* as it stands */
};

/* DecodeError with the offset within the line, which has no newline; so is the head of a format that is not known. */
CDS_MUST_CHECK enum cds_status cds_record_parse(struct cds_record_line *out, const char *text, size_t length,
                                                struct cds_error *err);

/* Feed `number` of a head's; false: it has none of that number, or what stands there is no feed id. */
CDS_MUST_CHECK bool cds_record_feed(struct cds_feed_id *out, const struct cds_slice *feeds, size_t number);

/* Writes what the slice stands for, as far as it fits with a final 0. */
void cds_record_text(char *out, size_t size, const struct cds_slice *slice);

#endif
