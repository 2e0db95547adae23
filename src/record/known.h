/* SPDX-License-Identifier: MIT
 * The feeds of a replay: which are wanted, how far each is, its newest report. */
#ifndef CDS_RECORD_KNOWN_H
#define CDS_RECORD_KNOWN_H

#include "codec/report.h"
#include "order/feed_set.h"

struct cds_known_feed {
  bool is_unwanted;
  unsigned seams;  /* of the recording, when its newest report was read */
  uint64_t newest; /* its time, in the feed's unit */
  bool has_newest;
  struct cds_report *latest; /* delivered; one reference, or NULL */
};

struct cds_known {
  struct cds_feed_set set;
  struct cds_known_feed *feeds; /* owned; by slot */
  size_t room;
  bool wants_named_only; /* else feeds that are not known yet are wanted */
};

CDS_MUST_CHECK bool cds_known_init(struct cds_known *known, const struct cds_feed_id *ids, size_t count); /* 0: all */
void cds_known_clear(struct cds_known *known);

/* The feed, which is known then, valid until the next one is; NULL: no memory, or more than a recording can have. */
struct cds_known_feed *cds_known_get(struct cds_known *known, const struct cds_feed_id *id);

/* The feed if it is known, or else NULL. */
struct cds_known_feed *cds_known_find(const struct cds_known *known, const struct cds_feed_id *id);

bool cds_known_wants(const struct cds_known *known, const struct cds_feed_id *id);
size_t cds_known_wanted(const struct cds_known *known); /* how many of those that are known */

#endif
