/* SPDX-License-Identifier: MIT
 * Reports as WebSocket messages. */
#ifndef CDS_SIM_MESSAGE_H
#define CDS_SIM_MESSAGE_H

#include "simulator/service.h"

/* The newest WebSocket frame of a feed in one version of the protocol, shared by all connections. */
struct cds_sim_slot {
  bool used;
  uint64_t number;
  struct cds_buf frame;
};

enum cds_sim_protocol { CDS_SIM_V1, CDS_SIM_V2, CDS_SIM_PROTOCOLS };

/* Makes room for the service's feeds. */
CDS_MUST_CHECK enum cds_status cds_sim_messages_open(struct cds_sim *sim, struct cds_error *err);
void cds_sim_messages_clear(struct cds_sim *sim);

/* Is the service a recording? Then a feed's messages are numbered in the order of the file. */
bool cds_sim_is_recorded(const struct cds_sim *sim);

/* One frame with report `number` of a feed into *out, which is emptied before; false without memory. */
bool cds_sim_make_message(struct cds_buf *out, struct cds_sim *sim, size_t feed, uint64_t number,
                          enum cds_sim_protocol protocol);

/* The same, made once for all who ask for it in a row; NULL without memory. */
const struct cds_buf *cds_sim_message(struct cds_sim *sim, size_t feed, uint64_t number,
                                      enum cds_sim_protocol protocol);

#endif
