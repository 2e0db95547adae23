/* SPDX-License-Identifier: MIT
 * Decides for each report whether it is next, a duplicate, late or impossible. Pure: no lock, clock or I/O.
 *
 * Two reports are the same when feed, observations timestamp and blob are equal; a second, different report of the
 * newest second is delivered. A watermark per feed moves only in cds_merge_commit, for a report that decoded. */
#ifndef CDS_MERGE_H
#define CDS_MERGE_H

#include "client/seen.h"

enum cds_verdict {
  CDS_VERDICT_ACCEPT,
  CDS_VERDICT_DUPLICATE,
  CDS_VERDICT_OUT_OF_ORDER, /* older than the newest, and not a copy of one remembered */
  CDS_VERDICT_FUTURE,       /* its time is impossible; moving the watermark there would blind the feed */
  CDS_VERDICT_TOO_MANY      /* more different reports of one second than can be remembered */
};

struct cds_watermark {
  bool started;
  uint32_t newest; /* observations timestamp */
  struct cds_seen seen;
};

struct cds_merge {
  struct cds_watermark *feeds; /* owned; one per slot */
  size_t count;
  uint64_t seed;
};

CDS_MUST_CHECK bool cds_merge_init(struct cds_merge *merge, size_t feed_count, uint64_t seed); /* false: no memory */
void cds_merge_clear(struct cds_merge *merge);

/* What is known of a report before the verdict; the tags are from cds_seen_tag with the merge's seed. */
struct cds_candidate {
  size_t slot;
  bool has_observations_timestamp; /* false: identity by the blob alone */
  uint32_t observations_timestamp;
  bool has_valid_from_timestamp;
  uint32_t valid_from_timestamp;
  uint64_t blob_tag;
  uint64_t text_tag; /* of the hex text it came as, 0 when it came otherwise */
};

/* Did this very text arrive lately? Then it need not be decoded again. */
bool cds_merge_peek(const struct cds_merge *merge, size_t slot, uint64_t text_tag);

/* *gap is set when the report is accepted and valid only from a second that leaves others between the watermark and
 * itself uncovered. latest_possible is the receiver's wall clock plus the tolerance, in seconds. */
CDS_MUST_CHECK enum cds_verdict cds_merge_commit(bool *gap, struct cds_merge *merge,
                                                 const struct cds_candidate *candidate, int64_t latest_possible);

#endif
