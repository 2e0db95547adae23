/* SPDX-License-Identifier: MIT
 * Steps of a WebSocket's script that act once. */
#ifndef CDS_SIM_DEED_H
#define CDS_SIM_DEED_H

#include "simulator/socket.h"

typedef bool (*cds_sim_deed)(struct cds_sim_socket *socket, const struct cds_sim_fault *fault);

/* What does an action; NULL where it changes each report instead. The deed returns false when nothing more may be sent
 * on the WebSocket. */
cds_sim_deed cds_sim_deed_find(enum cds_sim_action action);

#endif
