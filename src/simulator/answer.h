/* SPDX-License-Identifier: MIT
 * One request and its answer. */
#ifndef CDS_SIM_ANSWER_H
#define CDS_SIM_ANSWER_H

#include "simulator/conn.h"
#include "simulator/service.h"

/* From a request's reading to its answer. */
struct cds_sim_exchange {
  struct cds_sim *sim;
  struct cds_sim_conn *conn;
  struct cds_sim_request request;
  enum cds_sim_endpoint endpoint;
  size_t origin;
  bool head_only, keep_alive;
  struct cds_sim_fault fault; /* what is to go wrong with it */
};

/* extra is whole header lines, "" for none */
void cds_sim_answer(struct cds_sim_exchange *exchange, int status, const char *extra, const char *type,
                    const char *body, size_t length);
void cds_sim_answer_json(struct cds_sim_exchange *exchange, int status, const struct cds_buf *body);
void cds_sim_answer_error(struct cds_sim_exchange *exchange, int status, const char *extra, const char *message);
void cds_sim_answer_fault(struct cds_sim_exchange *exchange); /* status, redirect, garbage, huge, upgrade */

#endif
