/* SPDX-License-Identifier: MIT
 * The lines of a recording, as docs/recordings.md describes them: each an object of JSON. */
#ifndef CDS_RECORD_LINE_H
#define CDS_RECORD_LINE_H

#include "base/buf.h"
#include "base/limits.h"
#include "codec/report.h"
#include "context/event.h"

#define CDS_RECORDING_FORMAT "chainlink-streams-recording"
#define CDS_RECORDING_VERSION 1
/* What a line can have. */
#define CDS_RECORD_MAX_LINE (2 * CDS_MAX_REPORT_BYTES + 128u * 1024)
/* How every recording begins. */
#define CDS_RECORDING_START "{\"format\":\"" CDS_RECORDING_FORMAT "\""

struct cds_recording_head {
  int64_t begun_ms; /* wall clock */
  bool continues;   /* nothing is missing between the line before, of this file or the one before it, and this one */
  const struct cds_feed_id *feeds;
  size_t feed_count;
};

/* Each appends one line; after a failure (memory, the buffer's limit) nothing is appended. */
CDS_MUST_CHECK enum cds_status cds_record_head(struct cds_buf *out, const struct cds_recording_head *head);
CDS_MUST_CHECK enum cds_status cds_record_report(struct cds_buf *out, const struct cds_report *report);

/* Of a feed's times: CDS_EVENT_GAP and those behind it. Of other kinds nothing is appended. */
CDS_MUST_CHECK enum cds_status cds_record_event(struct cds_buf *out, const struct cds_event *event);

#endif
