/* SPDX-License-Identifier: MIT
 * A connection from accept to close: requests one after the other, or a WebSocket. */
#include "simulator/service.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define IDLE_MS 120000
#define MAX_WAITING (256u << 10)
#define MAX_IN (CDS_SIM_MAX_HEAD + CDS_SIM_MAX_BODY)

void cds_sim_conn_open(struct cds_sim_conn *conn, struct cds_sim *sim, struct lws *wsi) {
  memset(conn, 0, sizeof *conn);
  conn->sim = sim;
  conn->wsi = wsi;
  conn->next = sim->connections;
  if (conn->next) conn->next->previous = conn;
  sim->connections = conn;
  sim->connection_count++;
  conn->deadline = cds_clock_mono_ms() + IDLE_MS;
  cds_buf_init(&conn->in, MAX_IN);
  cds_buf_init(&conn->out, CDS_SIM_MAX_OUT);
}

void cds_sim_conn_close(struct cds_sim_conn *conn) {
  struct cds_sim *sim = conn->sim;
  if (!sim) return;
  *(conn->previous ? &conn->previous->next : &sim->connections) = conn->next;
  if (conn->next) conn->next->previous = conn->previous;
  sim->connection_count--;
  if (conn->account) {
    conn->account->sockets--;
    sim->socket_count--;
  }
  cds_buf_clear(&conn->in);
  cds_buf_clear(&conn->out);
  cds_sim_request_clear(&conn->request);
  cds_sim_page_clear(conn);
  cds_sim_late_clear(conn);
  cds_free(conn->feeds);
  memset(conn, 0, sizeof *conn);
}

/* Marks the connection for its end; the transport asks when it has nothing left to send. */
void cds_sim_conn_end(struct cds_sim_conn *conn, int64_t within_ms) {
  conn->finish = true;
  conn->deadline = cds_clock_mono_ms() + within_ms;
  lws_callback_on_writable(conn->wsi);
}

/* Dissolving the connection makes Linux send the reset now; elsewhere closing does. */
void cds_sim_conn_reset(struct cds_sim_conn *conn) {
  int fd = lws_get_socket_fd(conn->wsi);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
  connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr));
  conn->finish = true;
  lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void cds_sim_conn_send(struct cds_sim_conn *conn, const void *data, size_t length) {
  if (length == 0) return;
  if (conn->out_sent > 65536 && conn->out_sent > conn->out.length / 2) {
    memmove(conn->out.data, conn->out.data + conn->out_sent, conn->out.length - conn->out_sent);
    conn->out.length -= conn->out_sent;
    conn->out_sent = 0;
  }
  if (cds_buf_append(&conn->out, data, length) != CDS_OK) cds_sim_conn_end(conn, 0);
  lws_callback_on_writable(conn->wsi);
}

static enum cds_sim_endpoint find_endpoint(const struct cds_sim_request *request) {
  static const struct {
    const char *method, *path;
    enum cds_sim_endpoint endpoint;
  } routes[] = {
    {"GET", "/api/v1/feeds", CDS_SIM_FEEDS},
    {"GET", "/api/v1/reports/latest", CDS_SIM_LATEST},
    {"GET", "/api/v1/reports", CDS_SIM_AT},
    {"GET", "/api/v1/reports/bulk", CDS_SIM_BULK},
    {"GET", "/api/v1/reports/page", CDS_SIM_PAGE},
    {"HEAD", "/", CDS_SIM_ORIGINS},
    {"GET", "/api/v1/ws", CDS_SIM_WS},
  };
  if (strncmp(request->path, "/control/", 9) == 0) return CDS_SIM_CONTROL;
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
    if (strcmp(request->method, routes[i].method) == 0 && strcmp(request->path, routes[i].path) == 0)
      return routes[i].endpoint;
  return CDS_SIM_OTHER;
}

static void origins(struct cds_sim_conn *conn) {
  struct cds_buf header;
  cds_buf_init(&header, 512);
  enum cds_status status = cds_buf_printf(&header, "X-Cll-Available-Origins: {");
  for (size_t i = 0; status == CDS_OK && i < conn->sim->options->origin_count; i++)
    status = cds_buf_printf(&header, "%s%s", i ? "," : "", conn->sim->options->origins[i]);
  if (status == CDS_OK) status = cds_buf_printf(&header, "}\r\n");
  cds_sim_answer(conn, status == CDS_OK ? 200 : 500, status == CDS_OK ? header.data : "", "text/plain", "", 0);
  cds_buf_clear(&header);
}

static void answer_request(struct cds_sim_conn *conn, const struct cds_sim_request *request) {
  struct cds_sim_account *account = NULL;
  const char *message;
  char extra[40] = "";
  int retry_after = 0;
  int status = cds_sim_authenticate(conn->sim, request, &account, &message);
  if (status == 0) {
    status = cds_sim_throttle(conn->sim, account, conn->endpoint, &retry_after);
    message = "too many requests";
  }
  if (status == 429) snprintf(extra, sizeof extra, "Retry-After: %d\r\n", retry_after);
  if (status != 0) cds_sim_answer_error(conn, status, extra, message);
  else if (conn->endpoint == CDS_SIM_WS) cds_sim_socket_open(conn, request, account);
  else if (conn->endpoint == CDS_SIM_ORIGINS) origins(conn);
  else cds_sim_rest(conn, request, account);
}

static bool is_down(const struct cds_sim_conn *conn) {
  const struct cds_sim *sim = conn->sim;
  return sim->down[conn->endpoint == CDS_SIM_WS ? conn->origin : sim->options->origin_count];
}

/* True: the fault has dealt with the request, or holds it back for now. */
static bool misbehave(struct cds_sim_conn *conn) {
  bool ws = conn->endpoint == CDS_SIM_WS;
  struct cds_sim_fault steps[CDS_SIM_MAX_STEPS];
  cds_sim_script(conn, steps,
                 cds_sim_faults_take(steps, &conn->sim->faults, ws ? CDS_SIM_ON_WS : CDS_SIM_ON_REST,
                                     conn->request.path, conn->sim->options->origins[conn->origin]));
  const struct cds_sim_fault *fault = &conn->fault;
  switch (fault->action) {
  case CDS_SIM_STATUS:
  case CDS_SIM_REDIRECT:
  case CDS_SIM_HUGE: cds_sim_answer_fault(conn); return true;
  case CDS_SIM_UPGRADE:
    if (strcmp(fault->kind, "none") == 0) cds_sim_answer_fault(conn);
    return strcmp(fault->kind, "none") == 0;
  case CDS_SIM_GARBAGE:
    if (!ws) cds_sim_answer_fault(conn);
    return !ws;
  case CDS_SIM_RESET:
    if (!ws) cds_sim_conn_reset(conn);
    return !ws;
  case CDS_SIM_SILENCE:
    conn->state = CDS_SIM_SILENT;
    conn->deadline = 0;
    return true;
  case CDS_SIM_DELAY:
    if (ws) return false;
    conn->state = CDS_SIM_DELAYED;
    conn->deadline = cds_clock_mono_ms() + fault->ms;
    return true;
  default: return false;
  }
}

static void handle(struct cds_sim_conn *conn) {
  const struct cds_sim_request *request = &conn->request;
  conn->deadline = cds_clock_mono_ms() + IDLE_MS;
  conn->endpoint = find_endpoint(request);
  conn->head_only = strcmp(request->method, "HEAD") == 0;
  conn->keep_alive = request->keep_alive;
  conn->fault.action = CDS_SIM_NO_FAULT;
  if (!cds_sim_find_origin(conn->sim, cds_sim_request_header(request, "X-Cll-Origin"), &conn->origin)) conn->origin = 0;
  if (conn->endpoint == CDS_SIM_CONTROL) cds_sim_control(conn, request);
  else if (is_down(conn)) cds_sim_conn_reset(conn);
  else if (!misbehave(conn)) answer_request(conn, request);
}

static void take_input(struct cds_sim_conn *conn, size_t length) {
  memmove(conn->in.data, conn->in.data + length, conn->in.length - length + 1);
  conn->in.length -= length;
}

static void refuse(struct cds_sim_conn *conn, int status) {
  conn->endpoint = CDS_SIM_OTHER;
  conn->head_only = conn->keep_alive = false;
  conn->fault.action = CDS_SIM_NO_FAULT;
  cds_buf_reset(&conn->in);
  cds_sim_answer_error(conn, status, "", "malformed request");
}

/* Answers one request; false when there is no whole one. */
static bool next_request(struct cds_sim_conn *conn) {
  size_t length = 0;
  int status = cds_sim_request_length(conn->in.data, conn->in.length, &length);
  if (status < 0) return false;
  if (status == 0) status = cds_sim_request_parse(&conn->request, conn->in.data, length);
  if (status > 0) {
    refuse(conn, status);
    return false;
  }
  take_input(conn, length);
  handle(conn);
  if (conn->state != CDS_SIM_DELAYED) cds_sim_request_clear(&conn->request);
  return true;
}

void cds_sim_conn_input(struct cds_sim_conn *conn) {
  while (conn->state == CDS_SIM_HTTP && conn->in.length > 0 && !conn->finish &&
         conn->out.length - conn->out_sent < MAX_WAITING) /* answers first */
    if (!next_request(conn)) break;
  if (conn->state == CDS_SIM_SOCKET || conn->state == CDS_SIM_CLOSING) cds_sim_socket_input(conn);
}

void cds_sim_conn_receive(struct cds_sim_conn *conn, const void *data, size_t length) {
  if (conn->state == CDS_SIM_SILENT || conn->finish) return;
  if (cds_buf_append(&conn->in, data, length) != CDS_OK) cds_sim_conn_end(conn, 0);
  else cds_sim_conn_input(conn);
}

static void answer_delayed(struct cds_sim_conn *conn) {
  conn->state = CDS_SIM_HTTP;
  conn->deadline = cds_clock_mono_ms() + IDLE_MS;
  answer_request(conn, &conn->request);
  cds_sim_request_clear(&conn->request);
}

void cds_sim_conn_tick(struct cds_sim_conn *conn, int64_t mono_ms) {
  bool due = conn->deadline != 0 && mono_ms >= conn->deadline;
  if (conn->fault.action == CDS_SIM_SLOW && conn->out_sent < conn->out.length && mono_ms >= conn->slow_due)
    lws_callback_on_writable(conn->wsi);
  cds_sim_late_send(conn);
  if (conn->state == CDS_SIM_PAGING) cds_sim_page_work(conn);
  else if (conn->state == CDS_SIM_DELAYED && due) answer_delayed(conn);
  else if (due) lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
  else return;
  if (!due || conn->state == CDS_SIM_HTTP) cds_sim_conn_input(conn);
}
