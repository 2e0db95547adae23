/* SPDX-License-Identifier: MIT
 * A recording read forward: the next report that is wanted, with what happened before it as events. */
#ifndef CDS_RECORD_TRACK_H
#define CDS_RECORD_TRACK_H

#include "base/lines.h"
#include "record/known.h"
#include "record/replay.h"

struct cds_track {
  struct cds_lines lines;
  struct cds_known known;
  uint64_t from_ms, to_ms;
  struct cds_signer_registry *signers; /* borrowed, or NULL */
  unsigned seams;                      /* places behind which reports may be missing */
  struct cds_event_queue events;
  struct cds_stream_stats counts; /* but for what is delivered */
  uint64_t lost_ms;
};

enum cds_track_step { CDS_TRACK_REPORT, CDS_TRACK_NOTHING, CDS_TRACK_END };

CDS_MUST_CHECK enum cds_status cds_track_open(struct cds_track *track, const char *const *paths, size_t count,
                                              const struct cds_replay_options *options, struct cds_error *err);

/* Reads one line. REPORT: *out is the caller's. END: *err says why, CDS_E_CLOSED at the end of the last file. */
enum cds_track_step cds_track_step(struct cds_report **out, struct cds_track *track, struct cds_error *err);

void cds_track_clear(struct cds_track *track);

#endif
