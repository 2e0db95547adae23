/* SPDX-License-Identifier: MIT
 * A report as the order sees it: which feed's, of what time, and tags that tell whether two are the same; and what
 * becomes of it. Times are in the feed's unit. */
#ifndef CDS_CANDIDATE_H
#define CDS_CANDIDATE_H

#include "order/queue.h"

enum cds_verdict {
  CDS_VERDICT_ACCEPT,
  CDS_VERDICT_HELD, /* will be delivered later, or told as lost; CDS_ORDER_ARRIVAL: delivered, something is missing */
  CDS_VERDICT_DUPLICATE,
  CDS_VERDICT_OUT_OF_ORDER, /* older than the newest delivered, and not a copy of one remembered: where it cannot be a
                               copy of one forgotten, it is told as lost or, by CDS_ORDER_ARRIVAL, delivered */
  CDS_VERDICT_FUTURE,       /* its time is impossible; moving the watermark there would blind the feed */
  CDS_VERDICT_TOO_MANY      /* no memory, or more different reports of one time than can be remembered */
};

/* The tags are from cds_seen_tag with the sequence's seed. */
struct cds_candidate {
  struct cds_queue_node *node;     /* taken; node->slot is the feed */
  bool has_observations_timestamp; /* false: delivered at once, identity by the blob alone */
  int64_t observations_timestamp;
  bool has_valid_from_timestamp;
  int64_t valid_from_timestamp;
  uint64_t blob_tag;
  uint64_t text_tag; /* of the hex text it came as, 0 when it came otherwise */
  bool on_trial;     /* of a connection that is to replace others: held while they are behind, backfill or not */
};

#endif
