/* SPDX-License-Identifier: MIT
 * The feeds of a stream, each with a slot number. */
#ifndef CDS_FEED_SET_H
#define CDS_FEED_SET_H

#include "codec/feed_id.h"

#define CDS_NO_SLOT SIZE_MAX

struct cds_feed_set {
  struct cds_feed_id *ids; /* owned; ids[slot], in the order given */
  size_t count, room;
  uint32_t *table; /* owned; slot + 1, 0 when free */
  size_t mask;     /* table size - 1, a power of two at least twice the count */
};

/* Copies the ids and drops repeated ones. CDS_E_MEMORY when memory ran out; *set is empty then. */
CDS_MUST_CHECK enum cds_status cds_feed_set_init(struct cds_feed_set *set, const struct cds_feed_id *ids, size_t count);
void cds_feed_set_clear(struct cds_feed_set *set);

/* Makes room for so many feeds in all. CDS_E_MEMORY, and nothing changed, when memory ran out. */
CDS_MUST_CHECK enum cds_status cds_feed_set_reserve(struct cds_feed_set *set, size_t count);

/* Puts the feed, which is not in the set, in place of another, or, with slot == count and room for it, behind all. */
void cds_feed_set_put(struct cds_feed_set *set, size_t slot, const struct cds_feed_id *id);

/* The feed's slot, or CDS_NO_SLOT. Costs the same for one feed as for a thousand. */
size_t cds_feed_set_find(const struct cds_feed_set *set, const struct cds_feed_id *id);

#endif
