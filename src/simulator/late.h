/* SPDX-License-Identifier: MIT
 * Messages on a slow or winding way. */
#ifndef CDS_SIM_LATE_H
#define CDS_SIM_LATE_H

#include "simulator/socket.h"

/* Keeps a copy of the frame until a monotonic time, and until so many messages were sent. */
void cds_sim_late_add(struct cds_sim_socket *socket, const struct cds_buf *frame, int64_t due_ms, uint64_t due_sent);
bool cds_sim_late_follow(struct cds_sim_socket *socket,
                         const struct cds_buf *frame);                           /* after one that is timed, if any */
void cds_sim_late_send(struct cds_sim_socket *socket);                           /* what is due */
int64_t cds_sim_late_wait(const struct cds_sim_socket *socket, int64_t mono_ms); /* ms until one is, at most 100 */
void cds_sim_late_clear(struct cds_sim_socket *socket);

#endif
