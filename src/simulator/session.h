/* SPDX-License-Identifier: MIT
 * A connection from accept to close: requests one after the other, a WebSocket, or an answer without an end. */
#ifndef CDS_SIM_SESSION_H
#define CDS_SIM_SESSION_H

#include "simulator/answer.h"
#include "simulator/page.h"
#include "simulator/socket.h"
#include "simulator/trades.h"

#define CDS_SIM_MAX_CONNECTIONS 2048

struct cds_sim_session {
  struct cds_sim_session *previous, *next; /* in the service's list */
  struct cds_sim_conn conn;
  struct cds_sim_exchange exchange;
  struct cds_sim_page page;
  struct cds_sim_socket socket;
  struct cds_sim_trades trades;
  struct cds_sim_fault script[CDS_SIM_MAX_STEPS]; /* what is to go wrong with the present request, or its WebSocket */
  size_t script_steps;
  bool silent;    /* answers nothing any more */
  int64_t due_ms; /* monotonic: of an answer that is delayed, 0: none */
};

/* Starts in zeroed memory; false: there are too many. */
bool cds_sim_session_open(struct cds_sim_session *session, struct cds_sim *sim, struct lws *wsi);
void cds_sim_session_close(struct cds_sim_session *session); /* one that was not opened, too */

void cds_sim_session_receive(struct cds_sim_session *session, const void *data, size_t length);
bool cds_sim_session_write(struct cds_sim_session *session);         /* false: it is to be closed */
bool cds_sim_session_is_busy(const struct cds_sim_session *session); /* more than an idle HTTP connection */

/* Does what is due in all of them; returns the ms until more is, at most 100. */
int64_t cds_sim_sessions_tick(struct cds_sim *sim, int64_t mono_ms);

/* Has one of them something to send, or an end to make? */
bool cds_sim_sessions_wait(const struct cds_sim *sim);

#endif
