/* SPDX-License-Identifier: MIT
 * A list of calls, linked through their `next`. */
#include "rest/call_list.h"

void cds_call_list_init(struct cds_call_list *list) {
  list->head = NULL;
  list->end = &list->head;
}

void cds_call_list_append(struct cds_call_list *list, struct cds_call *call) {
  call->next = NULL;
  *list->end = call;
  list->end = &call->next;
}

struct cds_call *cds_call_list_take(struct cds_call_list *list, struct cds_call **link) {
  struct cds_call *call = *link;
  *link = call->next;
  if (call->next == NULL) list->end = link;
  return call;
}

void cds_call_list_remove(struct cds_call_list *list, struct cds_call *call) {
  for (struct cds_call **link = &list->head; *link != NULL; link = &(*link)->next)
    if (*link == call) {
      cds_call_list_take(list, link);
      return;
    }
}

void cds_call_list_move(struct cds_call_list *list, struct cds_call_list *from) {
  if (from->head == NULL) return;
  *list->end = from->head;
  list->end = from->end;
  cds_call_list_init(from);
}
