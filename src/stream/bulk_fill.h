/* SPDX-License-Identifier: MIT
 * Asks REST's bulk endpoint for the seconds that many feeds miss, one after the other. */
#ifndef CDS_BULK_FILL_H
#define CDS_BULK_FILL_H

#include "order/bulk.h"
#include "stream/question.h"

struct cds_bulk_fill {
  struct cds_question_place place;
  void (*on_end)(struct cds_stream *stream); /* the place is free again; the REST thread, no lock held */
  struct cds_bulk
    bulk; /* changed under the lock, while busy by one thread: it asks, then the REST thread's answer does */
};

/* The place is busy with a bulk that has begun; no lock is held. It is free again once every feed has left the bulk. */
void cds_bulk_fill_ask(struct cds_bulk_fill *fill);

#endif
