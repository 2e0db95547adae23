/* SPDX-License-Identifier: MIT
 * A request becomes a WebSocket. */
#ifndef CDS_SIM_HANDSHAKE_H
#define CDS_SIM_HANDSHAKE_H

#include "simulator/answer.h"
#include "simulator/socket.h"

/* Answers, and opens the WebSocket where it may be. */
void cds_sim_handshake(struct cds_sim_exchange *exchange, struct cds_sim_account *account,
                       struct cds_sim_socket *socket);

#endif
