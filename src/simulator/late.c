/* SPDX-License-Identifier: MIT
 * Messages that wait go out in the order of their adding among those that are due. */
#include "simulator/late.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <string.h>

struct cds_sim_late {
  struct cds_sim_late *next;
  int64_t due_ms;    /* monotonic */
  uint64_t due_sent; /* messages of the WebSocket */
  size_t length;
  char frame[];
};

void cds_sim_late_add(struct cds_sim_socket *socket, const struct cds_buf *frame, int64_t due_ms, uint64_t due_sent) {
  struct cds_sim_late *late = cds_malloc(sizeof *late + frame->length), **at = &socket->late;
  if (!late) {
    cds_sim_conn_end(socket->conn, 0);
    return;
  }
  *late = (struct cds_sim_late){NULL, due_ms, due_sent, frame->length};
  memcpy(late->frame, frame->data, frame->length);
  while (*at) at = &(*at)->next;
  *at = late;
}

bool cds_sim_late_follow(struct cds_sim_socket *socket, const struct cds_buf *frame) {
  const struct cds_sim_late *last = socket->late;
  while (last && last->next) last = last->next;
  if (!last || last->due_ms == 0) return false;
  cds_sim_late_add(socket, frame, last->due_ms, 0);
  return true;
}

void cds_sim_late_send(struct cds_sim_socket *socket) {
  int64_t now = socket->late ? cds_clock_mono_ms() : 0;
  for (struct cds_sim_late **at = &socket->late; *at && cds_sim_socket_may_send(socket);) {
    struct cds_sim_late *late = *at;
    if (late->due_ms > now || late->due_sent > socket->sent) {
      at = &late->next;
      continue;
    }
    cds_sim_conn_send(socket->conn, late->frame, late->length);
    *at = late->next;
    cds_free(late);
  }
}

int64_t cds_sim_late_wait(const struct cds_sim_socket *socket, int64_t mono_ms) {
  int64_t wait = 100;
  for (const struct cds_sim_late *late = socket->late; late; late = late->next)
    if (late->due_ms > 0 && late->due_ms - mono_ms < wait) wait = late->due_ms - mono_ms;
  return wait;
}

void cds_sim_late_clear(struct cds_sim_socket *socket) {
  for (struct cds_sim_late *late = socket->late, *next; late; late = next) {
    next = late->next;
    cds_free(late);
  }
  socket->late = NULL;
}
