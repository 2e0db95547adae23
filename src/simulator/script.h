/* SPDX-License-Identifier: MIT
 * What a WebSocket's script does to its messages, step by step. */
#ifndef CDS_SIM_SCRIPT_H
#define CDS_SIM_SCRIPT_H

#include "base/buf.h"
#include "simulator/fault.h"

struct cds_sim;
struct cds_sim_socket;

struct cds_sim_script {
  struct cds_sim_fault steps[CDS_SIM_MAX_STEPS];
  size_t count, at;            /* at: the present step */
  struct cds_sim_fault fault;  /* that step, as far as it is not used up */
  uint64_t from;               /* messages sent when it began */
  uint32_t skip_from, skip_to; /* seconds whose reports are not sent, both inclusive; 0: none */
};

void cds_sim_script_set(struct cds_sim_socket *socket, const struct cds_sim_fault *steps, size_t count);

/* Acts where the moment has come; false: nothing more may be sent. */
bool cds_sim_script_act(struct cds_sim_socket *socket);

/* Sends a report's frame, or what the script makes of it. */
void cds_sim_script_send(struct cds_sim_socket *socket, const struct cds_buf *frame);

/* Gives open WebSockets a script; how many it met. */
size_t cds_sim_script_live(struct cds_sim *sim, const struct cds_sim_fault *steps, size_t count);

#endif
