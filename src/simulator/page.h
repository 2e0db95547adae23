/* SPDX-License-Identifier: MIT
 * A page of a feed's reports, made over some time. */
#ifndef CDS_SIM_PAGE_H
#define CDS_SIM_PAGE_H

#include "simulator/answer.h"

struct cds_sim_page {
  bool busy; /* being made */
  size_t feed;
  uint64_t next, end;
  uint32_t last_second;
  size_t limit, count, written;
  uint64_t held_back; /* a number that waits for the next one to be written, 0 for none */
  struct cds_buf body;
};

/* Starts a page of numbers before `end`. */
void cds_sim_page_start(struct cds_sim_page *page, const struct cds_sim_exchange *exchange, size_t feed, uint32_t start,
                        uint64_t end, size_t limit);

/* Goes on for a few milliseconds, and answers once it is whole. */
void cds_sim_page_work(struct cds_sim_page *page, struct cds_sim_exchange *exchange);
void cds_sim_page_clear(struct cds_sim_page *page);

#endif
