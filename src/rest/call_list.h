/* SPDX-License-Identifier: MIT
 * Calls in the order they came; each is in one list at most. The list owns nothing. */
#ifndef CDS_CALL_LIST_H
#define CDS_CALL_LIST_H

#include "rest/call.h"

struct cds_call_list {
  struct cds_call *head, **end;
};

void cds_call_list_init(struct cds_call_list *list);
void cds_call_list_append(struct cds_call_list *list, struct cds_call *call);

/* Takes out the call that *link points to: `head`, or the `next` of a call in the list. */
struct cds_call *cds_call_list_take(struct cds_call_list *list, struct cds_call **link);

void cds_call_list_remove(struct cds_call_list *list, struct cds_call *call); /* wherever it is */

/* Moves all of `from` to the end of the list. */
void cds_call_list_move(struct cds_call_list *list, struct cds_call_list *from);

#endif
