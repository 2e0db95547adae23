/* SPDX-License-Identifier: MIT
 * What one feed delivered lately: 64-bit tags of texts and blobs, in order of arrival, found in constant time.
 * Keeps every tag of the newest times (up to a bound) and some tens of those before. A time may be added late. */
#ifndef CDS_SEEN_H
#define CDS_SEEN_H

#include "base/cds.h"

#define CDS_SEEN_START 32         /* tags kept whatever their age */
#define CDS_SEEN_MAX (2u * 4096u) /* tags of one time: two for each report; or of two times together */

struct cds_seen_tag {
  uint64_t tag;
  int64_t time;
};

struct cds_seen {
  struct cds_seen_tag *ring; /* owned; NULL until the first tag */
  uint64_t *table;           /* owned; twice the ring's size, 0 when free */
  size_t capacity, first, count;
  int64_t all_after; /* every tag of later times is there */
};

void cds_seen_clear(struct cds_seen *seen);

/* A tag of some bytes, never 0. All of its constants come from the seed, so that nobody who does not know it can choose
 * two reports that look the same, or many that fall into one place of the table. */
uint64_t cds_seen_tag(uint64_t seed, const void *data, size_t length);

bool cds_seen_has(const struct cds_seen *seen, uint64_t tag);

/* Every tag of this time is remembered, and the time is not the first one ever. */
bool cds_seen_covers(const struct cds_seen *seen, int64_t time);

/* Makes room for `tags` more of this time, the newest, or of late ones, forgetting the oldest of times before `keep`,
 * and younger ones where there are too many. False when the time itself has too many or memory ran out. */
CDS_MUST_CHECK bool cds_seen_reserve(struct cds_seen *seen, size_t tags, int64_t time, int64_t keep);

void cds_seen_forget_to(struct cds_seen *seen, int64_t time); /* covers nothing up to this time any more */

/* Room was reserved. A tag that is there already stays once. */
void cds_seen_add(struct cds_seen *seen, uint64_t tag, int64_t time);

#endif
