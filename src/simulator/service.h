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
  size_t limit, count, written;
  uint64_t held_back; /* a number that waits for the next one to be written, 0 for none */
  struct cds_buf body;
};

/* A message that is sent later, or once so many others were. */
struct cds_sim_late {
  struct cds_sim_late *next;
  int64_t due_ms;    /* monotonic */
  uint64_t due_sent; /* messages of the connection */
  size_t length;
  char frame[];
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
  struct cds_sim_fault fault; /* the present step of the script */
  struct cds_sim_fault script[CDS_SIM_MAX_STEPS];
  size_t steps, step;
  int64_t slow_due;               /* of the next byte, where the fault is to be slow */
  struct cds_sim_request request; /* the one being answered, as are the next three */
  enum cds_sim_endpoint endpoint;
  bool head_only, keep_alive;
  struct cds_sim_paging paging;
  /* WebSocket */
  struct cds_sim_account *account;
  size_t *feeds, feed_count;
  size_t origin;
  uint64_t number;             /* next report of each feed */
  int64_t started_ms;          /* replay: number 0 was due then, by the service's clock */
  uint64_t sent, step_from;    /* messages; when the script's present step began */
  uint32_t skip_from, skip_to; /* seconds whose reports are not sent, both inclusive; 0: none */
  struct cds_sim_late *late;
  bool frozen, mute; /* sends nothing any more; answers no pings */
};

struct cds_sim {
  const struct cds_sim_options *options;
  volatile bool *stop;
  struct cds_sim_source source;
  struct cds_sim_account *accounts;
  struct cds_sim_faults faults;
  bool *down;      /* by origin, and REST after the last of them */
  int64_t skew_ms; /* of the clock that requests are checked by; reports do not follow it */
  struct cds_sim_stats stats;
  struct cds_sim_slot *slots;
  struct cds_sim_conn *connections;
  size_t connection_count, socket_count;
  char *hex; /* room for the longest report */
  struct lws_context *context;
  bool (*change_certificate)(struct cds_sim *sim, const char *kind); /* for connections to come; server.c */
};

/* service.c */
int64_t cds_sim_now_ms(const struct cds_sim *sim);  /* Unix time with the offset */
int64_t cds_sim_gate_ms(const struct cds_sim *sim); /* and the skew: what requests are checked by */
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
void cds_sim_conn_reset(struct cds_sim_conn *conn);                  /* at once, by a TCP reset */

/* answer.c; extra is whole header lines, "" for none */
void cds_sim_answer(struct cds_sim_conn *conn, int status, const char *extra, const char *type, const char *body,
                    size_t length);
void cds_sim_answer_json(struct cds_sim_conn *conn, int status, const struct cds_buf *body);
void cds_sim_answer_error(struct cds_sim_conn *conn, int status, const char *extra, const char *message);
void cds_sim_answer_fault(struct cds_sim_conn *conn); /* status, redirect, garbage, huge, upgrade */

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

uint64_t cds_sim_rest_end(const struct cds_sim_conn *conn, size_t feed);

/* page.c */
void cds_sim_page_start(struct cds_sim_conn *conn, size_t feed, uint32_t start, size_t limit);
void cds_sim_page_work(struct cds_sim_conn *conn); /* for a few milliseconds */
void cds_sim_page_clear(struct cds_sim_conn *conn);

/* control.c */
void cds_sim_control(struct cds_sim_conn *conn, const struct cds_sim_request *request);
bool cds_sim_is_local(const struct cds_sim_conn *conn);

/* socket.c */
bool cds_sim_find_origin(const struct cds_sim *sim, const char *name, size_t *origin); /* NULL: the first */
void cds_sim_socket_open(struct cds_sim_conn *conn, const struct cds_sim_request *request,
                         struct cds_sim_account *account);
void cds_sim_socket_input(struct cds_sim_conn *conn);
void cds_sim_socket_close(struct cds_sim_conn *conn, unsigned code, const char *reason);

/* frame.c: what goes out */
#define CDS_SIM_FINAL 0x80
#define CDS_SIM_TEXT 1
#define CDS_SIM_BINARY 2
#define CDS_SIM_CLOSE_FRAME 8
#define CDS_SIM_PING 9
#define CDS_SIM_PONG 10
void cds_sim_frame(struct cds_buf *out, unsigned first_byte, const void *payload, size_t length, bool *good);
void cds_sim_send_frame(struct cds_sim_conn *conn, unsigned first_byte, const void *payload, size_t length);
size_t cds_sim_frame_head(const struct cds_buf *frame); /* bytes before the payload */

/* stream.c */
void cds_sim_stream_open(struct cds_sim_conn *conn);    /* reports go on from the present */
void cds_sim_stream(struct cds_sim *sim);               /* sends what is due */
int64_t cds_sim_stream_wait(const struct cds_sim *sim); /* ms until the next report is due, at most 100 */
bool cds_sim_make_message(struct cds_buf *out, struct cds_sim *sim, size_t feed, uint64_t number);
bool cds_sim_may_send(const struct cds_sim_conn *conn);

/* spoil.c: what a connection's script does to its messages */
void cds_sim_script(struct cds_sim_conn *conn, const struct cds_sim_fault *steps, size_t count);
bool cds_sim_spoil(struct cds_sim_conn *conn); /* acts where the moment has come; false: nothing more may be sent */
void cds_sim_send_report(struct cds_sim_conn *conn, const struct cds_buf *frame);
size_t cds_sim_spoil_live(struct cds_sim *sim, const struct cds_sim_fault *steps, size_t count); /* how many it met */

/* late.c */
void cds_sim_late_add(struct cds_sim_conn *conn, const struct cds_buf *frame, int64_t due_ms, uint64_t due_sent);
void cds_sim_late_send(struct cds_sim_conn *conn); /* what is due */
void cds_sim_late_clear(struct cds_sim_conn *conn);

/* accept.c */
bool cds_sim_accept(struct cds_sim *sim, int fd); /* false: it is not to be served */
void cds_sim_accept_tick(int64_t mono_ms);

#endif
