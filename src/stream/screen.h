/* SPDX-License-Identifier: MIT
 * The option `verify`: only reports whose signatures verify go on, whichever way they came. */
#ifndef CDS_SCREEN_H
#define CDS_SCREEN_H

#include "stream/stream.h"

struct cds_screen { /* screen.c's own; guarded by mu */
  uint64_t unverified;
  int64_t told_ms; /* monotonic; of the last event */
};

/* No lock is held. True when the stream does not verify, or the report does; otherwise counted and told, for every
 * report and about once a second. host: where it came from. */
CDS_MUST_CHECK bool cds_stream_screen(struct cds_stream *stream, const struct cds_report *report, const char *host);

/* What keeps a report from going on, in words; false: nothing. */
CDS_MUST_CHECK bool cds_screen_refuses(char *why, size_t size, struct cds_signer_registry *signers,
                                       const struct cds_report *report);

/* The event that tells of it; NULL when memory ran out. */
struct cds_event *cds_screen_event(const struct cds_report *report, const char *host, const char *why);

void cds_screen_stats(struct cds_stream_stats *out, const struct cds_stream *stream); /* mu is held */

#endif
