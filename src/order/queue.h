/* SPDX-License-Identifier: MIT
 * Reports waiting for the script: a FIFO bounded in reports and in bytes, with an overflow policy. Pure: no lock;
 * allocates when it is made or grows.
 *
 * CDS_OVERFLOW_BLOCK never drops: the owner stops its sources while cds_queue_is_full, and each source may still push
 * the one report it was holding, so that the queue holds at most its limit and one report a connection.
 * CDS_OVERFLOW_LATEST keeps one report a feed, the newest by its time, at the place in line of the one it replaces.
 * CDS_OVERFLOW_DROP_OLDEST lets the first in line go, as LATEST does when it has too many. */
#ifndef CDS_QUEUE_H
#define CDS_QUEUE_H

#include "codec/report.h"

enum cds_overflow { CDS_OVERFLOW_BLOCK, CDS_OVERFLOW_LATEST, CDS_OVERFLOW_DROP_OLDEST };

struct cds_queue_node {
  struct cds_queue_node *next;
  struct cds_report *report; /* one reference, owned */
  size_t slot;               /* of the report's feed */
};

/* Takes one reference of the report; NULL when memory ran out (the reference stays with the caller). */
struct cds_queue_node *cds_queue_node_new(struct cds_report *report, size_t slot);
void cds_queue_node_free(struct cds_queue_node *node);
size_t cds_queue_node_bytes(const struct cds_queue_node *node); /* with its report */

struct cds_queue {
  enum cds_overflow policy;
  size_t limit, length;
  size_t byte_limit, bytes;
  uint64_t dropped;
  struct cds_queue_node *head, *tail;
  struct cds_queue_node **waiting; /* LATEST only: the waiting node of each slot */
  size_t slots;                    /* of waiting */
};

CDS_MUST_CHECK bool cds_queue_init(struct cds_queue *queue, enum cds_overflow policy, size_t limit, size_t byte_limit,
                                   size_t feed_count);
void cds_queue_clear(struct cds_queue *queue);

CDS_MUST_CHECK bool cds_queue_grow(struct cds_queue *queue, size_t feed_count); /* false: no memory, nothing changed */

/* Takes out what waits of the feeds that are not wanted; counted as dropped. The caller's to free, linked by next. */
struct cds_queue_node *cds_queue_sift(struct cds_queue *queue, bool (*is_wanted)(const void *context, size_t slot),
                                      const void *context);

/* Takes the node. Returns the nodes that had to go, linked by next, for the caller to free outside the lock. */
struct cds_queue_node *cds_queue_push(struct cds_queue *queue, struct cds_queue_node *node);
struct cds_queue_node *cds_queue_pop(struct cds_queue *queue); /* NULL when empty */

size_t cds_queue_room(const struct cds_queue *queue);  /* reports that may be pushed before it is full or drops any */
bool cds_queue_is_full(const struct cds_queue *queue); /* BLOCK only: sources are to stop */
bool cds_queue_is_drained(const struct cds_queue *queue); /* below half: they may go on */

#endif
