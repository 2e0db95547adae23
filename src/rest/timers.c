/* SPDX-License-Identifier: MIT
 * The list is not sorted: a client has a handful of streams. */
#include "rest/timers.h"

bool cds_timers_set(struct cds_timers *timers, struct cds_timer *timer, int64_t due_ms, bool *added) {
  *added = !timer->is_set;
  if (timer->is_set && timer->due_ms <= due_ms) return false;
  timer->due_ms = due_ms;
  if (timer->is_set) return true;
  timer->is_set = true;
  timer->next = timers->head;
  timers->head = timer;
  return true;
}

bool cds_timers_cancel(struct cds_timers *timers, struct cds_timer *timer) {
  for (struct cds_timer **at = &timers->head; *at != NULL; at = &(*at)->next) {
    if (*at != timer) continue;
    *at = timer->next;
    timer->is_set = false;
    return true;
  }
  return false;
}

struct cds_timer *cds_timers_take_due(struct cds_timers *timers, int64_t now_ms, int64_t *wait_ms) {
  struct cds_timer *first = NULL;
  for (struct cds_timer *at = timers->head; at != NULL; at = at->next)
    if (first == NULL || at->due_ms < first->due_ms) first = at;
  *wait_ms = first == NULL ? -1 : first->due_ms <= now_ms ? 0 : first->due_ms - now_ms;
  if (first == NULL || first->due_ms > now_ms) return NULL;
  cds_timers_cancel(timers, first);
  return first;
}
