/* SPDX-License-Identifier: MIT
 * Reports of one feed that cannot be delivered yet, in order of their times and, within one, of their arrival; and
 * an index that finds any of a stream's held reports by its tags in constant time. */
#ifndef CDS_HOLD_H
#define CDS_HOLD_H

#include "order/queue.h"

struct cds_held;

struct cds_held_tag {
  struct cds_held_tag *next; /* in its bucket */
  struct cds_held *held;
  uint64_t tag; /* 0: none */
};

struct cds_held {
  struct cds_held *next, *prev;
  struct cds_queue_node *node; /* owned; NULL: it went out before its turn */
  size_t slot;
  int64_t time, valid_from;
  bool has_valid_from;
  bool opens_gap;              /* reports may be missing between the one before and this one */
  bool is_shown;               /* by the page in flight, up to which nothing will be missing */
  uint64_t at;                 /* the connections whose latest report this is, a bit each */
  struct cds_held_tag tags[2]; /* of blob and text */
};

struct cds_hold {
  struct cds_held *head, *tail;
  size_t count, bytes;
};

struct cds_hold_index {
  struct cds_held_tag **buckets; /* owned */
  size_t mask;
  size_t count, bytes; /* of all that is held */
};

CDS_MUST_CHECK bool cds_hold_index_init(struct cds_hold_index *index, size_t expected); /* false: no memory */
void cds_hold_index_clear(struct cds_hold_index *index);

struct cds_held *cds_hold_find(const struct cds_hold_index *index, size_t slot, uint64_t tag);

size_t cds_held_bytes(const struct cds_held *held); /* with its report */

/* Put needs time, node, slot and the tags. It goes directly behind `after`, which keeps the order, or, with NULL, behind all of
 * its time. */
void cds_hold_put(struct cds_hold *hold, struct cds_hold_index *index, struct cds_held *held, struct cds_held *after);
void cds_hold_remove(struct cds_hold *hold, struct cds_hold_index *index, struct cds_held *held);

/* The entry that this connection brought last, or NULL. */
struct cds_held *cds_hold_position(const struct cds_hold *hold, uint64_t link_bit);

#endif
