/* SPDX-License-Identifier: MIT
 * A few timers of the owner's, in a list. Pure: the time comes in as a number. */
#ifndef CDS_TIMERS_H
#define CDS_TIMERS_H

#include "base/cds.h"

/* A member of what it belongs to, zeroed at first; ring and context are set by its owner. */
struct cds_timer {
  struct cds_timer *next;
  bool is_set;
  int64_t due_ms;
  void (*ring)(void *context);
  void *context;
};

struct cds_timers {
  struct cds_timer *head;
};

/* Sets it, or brings it forward. True when it now rings sooner than before; *added: it was not set. */
bool cds_timers_set(struct cds_timers *timers, struct cds_timer *timer, int64_t due_ms, bool *added);

bool cds_timers_cancel(struct cds_timers *timers, struct cds_timer *timer); /* was it set? */

/* Takes out one that is due, or NULL: then *wait_ms is the time until the next one, negative when there is none. */
struct cds_timer *cds_timers_take_due(struct cds_timers *timers, int64_t now_ms, int64_t *wait_ms);

#endif
