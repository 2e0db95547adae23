/* SPDX-License-Identifier: MIT
 * The running service: what its one thread shares between requests, WebSockets and the clock. */
#ifndef CDS_SIM_SERVICE_H
#define CDS_SIM_SERVICE_H

#include "base/buf.h"
#include "simulator/endpoint.h"
#include "simulator/fault.h"
#include "simulator/simulator.h"
#include "simulator/source.h"

#define CDS_SIM_COUNTED_STATUSES 16

struct cds_sim_stats {
  struct {
    int status;
    uint64_t count;
  } requests[CDS_SIM_ENDPOINTS][CDS_SIM_COUNTED_STATUSES];
  uint64_t sockets_total, reports_sent, slow_closed, skipped;
};

struct cds_sim {
  const struct cds_sim_options *options;
  volatile bool *stop;
  struct cds_sim_source source;
  struct cds_sim_account *accounts; /* one a key: auth.h */
  struct cds_sim_faults faults;
  bool *down;      /* by origin, and REST after the last of them */
  int64_t skew_ms; /* of the clock that requests are checked by; reports do not follow it */
  struct cds_sim_stats stats;
  struct cds_sim_slot *slots;       /* by feed and protocol: message.h */
  struct cds_sim_session *sessions; /* every connection: session.h */
  struct cds_sim_socket *sockets;   /* those that are WebSockets: socket.h */
  size_t session_count, socket_count;
  char *hex; /* room for the longest report */
  /* For connections to come; false: there is no such kind, or no TLS. The server sets both. */
  bool (*change_certificate)(void *server, const char *kind);
  void *server;
};

int64_t cds_sim_now_ms(const struct cds_sim *sim);  /* Unix time with the offset */
int64_t cds_sim_gate_ms(const struct cds_sim *sim); /* and the skew: what requests are checked by */
void cds_sim_http_date(char out[40], const struct cds_sim *sim);
bool cds_sim_find_origin(const struct cds_sim *sim, const char *name, size_t *origin); /* NULL: the first */
void cds_sim_count(struct cds_sim *sim, enum cds_sim_endpoint endpoint, int status);

/* A report as JSON, its times in seconds or in milliseconds. REST has a millisecond feed's in milliseconds, WebSocket v1
 * all in seconds, v2 all in milliseconds. */
CDS_MUST_CHECK enum cds_status cds_sim_report_json(struct cds_buf *out, struct cds_sim *sim,
                                                   const struct cds_sim_report *report, bool in_ms);

#endif
