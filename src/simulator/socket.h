/* SPDX-License-Identifier: MIT
 * An open WebSocket: what it was asked for, what comes in on it, and its end. */
#ifndef CDS_SIM_SOCKET_H
#define CDS_SIM_SOCKET_H

#include "simulator/auth.h"
#include "simulator/conn.h"
#include "simulator/message.h"
#include "simulator/script.h"

#define CDS_SIM_MAX_BACKLOG (32u << 20) /* bytes of reports a slow WebSocket may have waiting */

enum cds_sim_socket_state { CDS_SIM_NO_SOCKET, CDS_SIM_OPEN, CDS_SIM_CLOSING };

struct cds_sim_socket {
  struct cds_sim *sim;
  struct cds_sim_conn *conn;
  struct cds_sim_account *account;
  size_t *feeds, feed_count;
  size_t origin;
  enum cds_sim_protocol protocol;
  enum cds_sim_socket_state state;
  struct cds_sim_socket *previous, *next; /* in the service's list */
  bool frozen, quiet, mute;               /* no more messages; no more reports; no more pongs */
  uint64_t number;                        /* next report of each feed; stream.c */
  int64_t started_ms;                     /* replay: number 0 was due then, by the service's clock */
  uint64_t sent;                          /* messages; script.c, as is the next one */
  struct cds_sim_script script;           /* what it does to them */
  struct cds_sim_late *late;              /* messages that wait; late.c */
};

/* Opens one, whose members up to `protocol` are set; it owns the array of feeds. */
void cds_sim_socket_open(struct cds_sim_socket *socket);
void cds_sim_socket_clear(struct cds_sim_socket *socket);

void cds_sim_socket_input(struct cds_sim_socket *socket); /* acts on what was received */
void cds_sim_socket_close(struct cds_sim_socket *socket, unsigned code, const char *reason);
bool cds_sim_socket_may_send(const struct cds_sim_socket *socket);

#endif
