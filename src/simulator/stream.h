/* SPDX-License-Identifier: MIT
 * Reports to WebSockets when they are due. */
#ifndef CDS_SIM_STREAM_H
#define CDS_SIM_STREAM_H

#include "simulator/socket.h"

void cds_sim_stream_open(struct cds_sim_socket *socket); /* reports go on from the present */
void cds_sim_stream(struct cds_sim *sim);                /* sends what is due */
int64_t cds_sim_stream_wait(const struct cds_sim *sim);  /* ms until the next report is due, at most 100 */

#endif
