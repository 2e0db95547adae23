/* SPDX-License-Identifier: MIT
 * The running service: what one thread shares between connections, requests and the clock. */
#ifndef CDS_SIM_SERVICE_H
#define CDS_SIM_SERVICE_H

#include "base/buf.h"
#include "simulator/fault.h"
#include "simulator/http.h"
#include "simulator/simulator.h"
#include "simulator/source.h"

#define CDS_SIM_MAX_CONNECTIONS 2048
#define CDS_SIM_MAX_SOCKETS_PER_KEY 20
#define CDS_SIM_MAX_OUT (48u << 20)     /* bytes one connection may have waiting, page and huge answers included */
#define CDS_SIM_MAX_BACKLOG (32u << 20) /* bytes of reports a slow WebSocket may have waiting */

struct lws;
struct lws_context;

enum cds_sim_endpoint {
  CDS_SIM_FEEDS,
  CDS_SIM_LATEST,
  CDS_SIM_AT,
  CDS_SIM_BULK,
  CDS_SIM_PAGE,
  CDS_SIM_ORIGINS,
  CDS_SIM_WS,
  CDS_SIM_OTHER,
  CDS_SIM_ENDPOINTS, /* the number of those that are counted */
  CDS_SIM_CONTROL
};

struct cds_sim_account {
  const char *key, *secret;
  bool *permitted; /* by feed index; NULL: all */
  double tokens[CDS_SIM_ENDPOINTS];
  int64_t refilled[CDS_SIM_ENDPOINTS]; /* monotonic ms; 0: never used */
  unsigned sockets;
};

#define CDS_SIM_COUNTED_STATUSES 16

struct cds_sim_stats {
  struct {
    int status;
    uint64_t count;
  } requests[CDS_SIM_ENDPOINTS][CDS_SIM_COUNTED_STATUSES];
  uint64_t sockets_total, reports_sent, slow_closed, skipped;
};

/* The newest WebSocket frame of a feed, shared by all connections. */
struct cds_sim_slot {
  bool used;
  uint64_t number;
  struct cds_buf frame;
};

enum cds_sim_state { CDS_SIM_HTTP, CDS_SIM_PAGING, CDS_SIM_DELAYED, CDS_SIM_SOCKET, CDS_SIM_CLOSING, CDS_SIM_SILENT };

struct cds_sim_paging {
  size_t feed;
  uint64_t next, end;
  uint32_t last_second;
  size_t limit, count;
  struct cds_buf body;
};

struct cds_sim_conn {
  struct cds_sim *sim;
  struct lws *wsi;
  struct cds_sim_conn *previous, *next;
  enum cds_sim_state state;
  bool finish;      /* end the connection once everything is sent */
  int64_t deadline; /* monotonic ms; DELAYED: answer then; otherwise: end the connection then; 0: none */
  struct cds_buf in, out;
  size_t out_sent;
  struct cds_sim_fault fault;
  struct cds_sim_request request; /* the one being answered, as are the next three */
  enum cds_sim_endpoint endpoint;
  bool head_only, keep_alive;
  struct cds_sim_paging paging;
  /* WebSocket */
  struct cds_sim_account *account;
  size_t *feeds, feed_count;
  size_t origin;
  uint64_t number;    /* next report of each feed */
  int64_t started_ms; /* replay: number 0 was due then, by the service's clock */
  uint64_t sent;
};

struct cds_sim {
  const struct cds_sim_options *options;
  volatile bool *stop;
  struct cds_sim_source source;
  struct cds_sim_account *accounts;
  struct cds_sim_faults faults;
  struct cds_sim_stats stats;
  struct cds_sim_slot *slots;
  struct cds_sim_conn *connections;
  size_t connection_count, socket_count;
  char *hex; /* room for the longest report */
  struct lws_context *context;
};

/* service.c */
int64_t cds_sim_now_ms(const struct cds_sim *sim); /* Unix time with the offset */
void cds_sim_http_date(char out[40], const struct cds_sim *sim);
CDS_MUST_CHECK enum cds_status cds_sim_report_json(struct cds_buf *out, struct cds_sim *sim,
                                                   const struct cds_sim_report *report);
void cds_sim_count(struct cds_sim *sim, enum cds_sim_endpoint endpoint, int status);

/* conn.c: everything a connection does, apart from the library that carries its bytes */
void cds_sim_conn_open(struct cds_sim_conn *conn, struct cds_sim *sim, struct lws *wsi);
void cds_sim_conn_close(struct cds_sim_conn *conn);
void cds_sim_conn_receive(struct cds_sim_conn *conn, const void *data, size_t length);
void cds_sim_conn_input(struct cds_sim_conn *conn); /* acts on what was received */
void cds_sim_conn_send(struct cds_sim_conn *conn, const void *data, size_t length);
void cds_sim_conn_tick(struct cds_sim_conn *conn, int64_t mono_ms);
void cds_sim_conn_end(struct cds_sim_conn *conn, int64_t within_ms); /* once all is sent, and no later than that */

/* answer.c; extra is whole header lines, "" for none */
void cds_sim_answer(struct cds_sim_conn *conn, int status, const char *extra, const char *type, const char *body,
                    size_t length);
void cds_sim_answer_json(struct cds_sim_conn *conn, int status, const struct cds_buf *body);
void cds_sim_answer_error(struct cds_sim_conn *conn, int status, const char *extra, const char *message);
void cds_sim_answer_fault(struct cds_sim_conn *conn); /* status, garbage, huge */

/* auth.c; both return 0 or a status with its message */
int cds_sim_authenticate(struct cds_sim *sim, const struct cds_sim_request *request, struct cds_sim_account **account,
                         const char **message);
int cds_sim_throttle(struct cds_sim *sim, struct cds_sim_account *account, enum cds_sim_endpoint endpoint,
                     int *retry_after);

/* rest.c */
void cds_sim_rest(struct cds_sim_conn *conn, const struct cds_sim_request *request, struct cds_sim_account *account);
/* Reads comma separated feed ids into a new array; 0 or a status with its message. */
int cds_sim_read_feeds(struct cds_sim *sim, const struct cds_sim_account *account, const char *list, size_t **feeds,
                       size_t *count, const char **message);

/* page.c */
void cds_sim_page_start(struct cds_sim_conn *conn, size_t feed, uint32_t start, size_t limit);
void cds_sim_page_work(struct cds_sim_conn *conn); /* for a few milliseconds */
void cds_sim_page_clear(struct cds_sim_conn *conn);

/* control.c */
void cds_sim_control(struct cds_sim_conn *conn, const struct cds_sim_request *request);
bool cds_sim_is_local(const struct cds_sim_conn *conn);

/* socket.c */
void cds_sim_socket_open(struct cds_sim_conn *conn, const struct cds_sim_request *request,
                         struct cds_sim_account *account);
void cds_sim_socket_input(struct cds_sim_conn *conn);
void cds_sim_socket_frame(struct cds_buf *out, unsigned first_byte, const void *payload, size_t length, bool *good);
void cds_sim_socket_close(struct cds_sim_conn *conn, unsigned code, const char *reason);

/* stream.c */
void cds_sim_stream_open(struct cds_sim_conn *conn);    /* reports go on from the present */
void cds_sim_stream(struct cds_sim *sim);               /* sends what is due */
int64_t cds_sim_stream_wait(const struct cds_sim *sim); /* ms until the next report is due, at most 100 */

#endif
