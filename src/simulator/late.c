/* SPDX-License-Identifier: MIT
 * Messages on a slow or winding way: in the order of their adding among those that are due. */
#include "base/alloc.h"
#include "base/clock.h"
#include "simulator/service.h"

#include <string.h>

void cds_sim_late_add(struct cds_sim_conn *conn, const struct cds_buf *frame, int64_t due_ms, uint64_t due_sent) {
  struct cds_sim_late *late = cds_malloc(sizeof *late + frame->length), **at = &conn->late;
  if (!late) {
    cds_sim_conn_end(conn, 0);
    return;
  }
  *late = (struct cds_sim_late){NULL, due_ms, due_sent, frame->length};
  memcpy(late->frame, frame->data, frame->length);
  while (*at) at = &(*at)->next;
  *at = late;
}

void cds_sim_late_send(struct cds_sim_conn *conn) {
  int64_t now = conn->late ? cds_clock_mono_ms() : 0;
  for (struct cds_sim_late **at = &conn->late; *at && cds_sim_may_send(conn);) {
    struct cds_sim_late *late = *at;
    if (late->due_ms > now || late->due_sent > conn->sent) {
      at = &late->next;
      continue;
    }
    cds_sim_conn_send(conn, late->frame, late->length);
    *at = late->next;
    cds_free(late);
  }
}

void cds_sim_late_clear(struct cds_sim_conn *conn) {
  for (struct cds_sim_late *late = conn->late, *next; late; late = next) {
    next = late->next;
    cds_free(late);
  }
  conn->late = NULL;
}
