/* SPDX-License-Identifier: MIT
 * A message's way in: envelope, peek, decode, then sequence and queue in one critical section. */
#ifndef CDS_INTAKE_H
#define CDS_INTAKE_H

#include "stream/stream.h"

struct cds_intake { /* intake.c's own; guarded by mu */
  uint64_t total_received, deduplicated, out_of_order, rejected, decode_errors;
  int64_t complained_at_ms; /* monotonic; of the last warning about a message */
  uint64_t complaints_held; /* warnings not given since */
};

/* On the link's thread, no lock held. True when it was a report, new or not. */
CDS_MUST_CHECK bool cds_intake_message(struct cds_stream *stream, size_t link, const char *data, size_t length);

void cds_intake_stats(struct cds_stream_stats *out, const struct cds_stream *stream); /* mu is held */

#endif
