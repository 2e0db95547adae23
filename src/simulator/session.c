/* SPDX-License-Identifier: MIT
 * What comes in finds its way: to an answer, to a page, to a WebSocket, or to the fault that it is to meet. */
#include "simulator/session.h"

#include "base/clock.h"
#include "simulator/control.h"
#include "simulator/discovery.h"
#include "simulator/handshake.h"
#include "simulator/late.h"
#include "simulator/prices.h"
#include "simulator/rest.h"
#include "simulator/stream.h"

#include <stdio.h>
#include <string.h>

#define IDLE_MS 120000
#define MAX_WAITING (256u << 10)

bool cds_sim_session_open(struct cds_sim_session *session, struct cds_sim *sim, struct lws *wsi) {
  if (sim->session_count >= CDS_SIM_MAX_CONNECTIONS) return false;
  session->exchange.sim = sim;
  session->exchange.conn = &session->conn;
  session->next = sim->sessions;
  if (session->next) session->next->previous = session;
  sim->sessions = session;
  sim->session_count++;
  cds_sim_conn_open(&session->conn, wsi);
  cds_sim_conn_patience(&session->conn, IDLE_MS);
  return true;
}

void cds_sim_session_close(struct cds_sim_session *session) {
  struct cds_sim *sim = session->exchange.sim;
  if (!sim) return;
  *(session->previous ? &session->previous->next : &sim->sessions) = session->next;
  if (session->next) session->next->previous = session->previous;
  sim->session_count--;
  cds_sim_late_clear(&session->socket);
  cds_sim_socket_clear(&session->socket);
  cds_sim_page_clear(&session->page);
  cds_sim_trades_clear(&session->trades);
  cds_sim_request_clear(&session->exchange.request);
  cds_sim_conn_clear(&session->conn);
  memset(session, 0, sizeof *session);
}

bool cds_sim_session_is_busy(const struct cds_sim_session *session) {
  return session->silent || session->due_ms != 0 || session->page.busy || session->trades.is_open ||
         session->socket.state != CDS_SIM_NO_SOCKET;
}

/* ---- one request ---- */

static void origins(struct cds_sim_exchange *exchange) {
  struct cds_buf header;
  cds_buf_init(&header, 512);
  enum cds_status status = cds_buf_printf(&header, "X-Cll-Available-Origins: {");
  for (size_t i = 0; status == CDS_OK && i < exchange->sim->options->origin_count; i++)
    status = cds_buf_printf(&header, "%s%s", i ? "," : "", exchange->sim->options->origins[i]);
  if (status == CDS_OK) status = cds_buf_printf(&header, "}\r\n");
  cds_sim_answer(exchange, status == CDS_OK ? 200 : 500, status == CDS_OK ? header.data : "", "text/plain", "", 0);
  cds_buf_clear(&header);
}

static void open_socket(struct cds_sim_session *session, struct cds_sim_account *account) {
  cds_sim_handshake(&session->exchange, account, &session->socket);
  if (session->socket.state == CDS_SIM_NO_SOCKET) return;
  cds_sim_script_set(&session->socket, session->script, session->script_steps);
  cds_sim_stream_open(&session->socket);
}

static void answer_request(struct cds_sim_session *session) {
  struct cds_sim_exchange *exchange = &session->exchange;
  struct cds_sim_account *account = NULL;
  const char *message;
  char extra[40] = "";
  int retry_after = 0;
  int status = 0;
  if (cds_sim_endpoint_is_prices(exchange->endpoint)) {
    cds_sim_prices(exchange, &session->trades);
    return;
  }
  if (exchange->endpoint != CDS_SIM_DISCOVERY || cds_sim_has_credentials(&exchange->request))
    status = cds_sim_authenticate(exchange->sim, &exchange->request, &account, &message);
  if (status == 0 && account) {
    status = cds_sim_throttle(exchange->sim, account, exchange->endpoint, &retry_after);
    message = "too many requests";
  }
  if (status == 429) snprintf(extra, sizeof extra, "Retry-After: %d\r\n", retry_after);
  if (status != 0) cds_sim_answer_error(exchange, status, extra, message);
  else if (cds_sim_endpoint_is_ws(exchange->endpoint)) open_socket(session, account);
  else if (exchange->endpoint == CDS_SIM_ORIGINS) origins(exchange);
  else if (exchange->endpoint == CDS_SIM_DISCOVERY) cds_sim_discovery(exchange, account);
  else cds_sim_rest(exchange, &session->page, account);
}

static bool is_down(const struct cds_sim_exchange *exchange) {
  const struct cds_sim *sim = exchange->sim;
  return sim->down[cds_sim_endpoint_is_ws(exchange->endpoint) ? exchange->origin : sim->options->origin_count];
}

/* True: the fault has dealt with the request, or holds it back for now. */
static bool misbehave(struct cds_sim_session *session) {
  struct cds_sim_exchange *exchange = &session->exchange;
  bool ws = cds_sim_endpoint_is_ws(exchange->endpoint);
  struct cds_sim *sim = exchange->sim;
  session->script_steps = cds_sim_faults_take(session->script, &sim->faults, ws ? CDS_SIM_ON_WS : CDS_SIM_ON_REST,
                                              exchange->request.path, sim->options->origins[exchange->origin]);
  if (session->script_steps > 0) exchange->fault = session->script[0];
  const struct cds_sim_fault *fault = &exchange->fault;
  cds_sim_conn_slow(&session->conn, fault->action == CDS_SIM_SLOW ? fault->ms : -1);
  if (exchange->endpoint == CDS_SIM_STREAMING && cds_sim_trades_fault(fault)) return false;
  switch (fault->action) {
  case CDS_SIM_STATUS:
  case CDS_SIM_REDIRECT:
  case CDS_SIM_HUGE: cds_sim_answer_fault(exchange); return true;
  case CDS_SIM_UPGRADE:
    if (strcmp(fault->kind, "none") == 0) cds_sim_answer_fault(exchange);
    return strcmp(fault->kind, "none") == 0;
  case CDS_SIM_GARBAGE:
    if (!ws) cds_sim_answer_fault(exchange);
    return !ws;
  case CDS_SIM_RESET:
    if (!ws) cds_sim_conn_reset(&session->conn);
    return !ws;
  case CDS_SIM_SILENCE:
    session->silent = true;
    cds_sim_conn_patience(&session->conn, 0);
    return true;
  case CDS_SIM_DELAY:
    if (ws) return false;
    session->due_ms = cds_clock_mono_ms() + fault->ms;
    cds_sim_conn_patience(&session->conn, 0);
    return true;
  default: return false;
  }
}

static void handle(struct cds_sim_session *session) {
  struct cds_sim_exchange *exchange = &session->exchange;
  const struct cds_sim_request *request = &exchange->request;
  cds_sim_conn_patience(&session->conn, IDLE_MS);
  exchange->endpoint = cds_sim_endpoint_find(request);
  exchange->head_only = strcmp(request->method, "HEAD") == 0;
  exchange->keep_alive = request->keep_alive;
  exchange->fault = (struct cds_sim_fault){0};
  if (!cds_sim_find_origin(exchange->sim, cds_sim_request_header(request, "X-Cll-Origin"), &exchange->origin))
    exchange->origin = 0;
  if (exchange->endpoint == CDS_SIM_CONTROL) cds_sim_control(exchange);
  else if (is_down(exchange)) cds_sim_conn_reset(&session->conn);
  else if (!misbehave(session)) answer_request(session);
}

static void refuse(struct cds_sim_session *session, int status) {
  struct cds_sim_exchange *exchange = &session->exchange;
  exchange->endpoint = CDS_SIM_OTHER;
  exchange->head_only = exchange->keep_alive = false;
  exchange->fault = (struct cds_sim_fault){0};
  cds_buf_reset(&session->conn.in);
  cds_sim_answer_error(exchange, status, "", "malformed request");
}

/* Answers one request; false when there is no whole one. */
static bool next_request(struct cds_sim_session *session) {
  struct cds_sim_conn *conn = &session->conn;
  struct cds_sim_request *request = &session->exchange.request;
  size_t length = 0;
  int status = cds_sim_request_length(conn->in.data, conn->in.length, &length);
  if (status < 0) return false;
  if (status == 0) status = cds_sim_request_parse(request, conn->in.data, length);
  if (status > 0) {
    refuse(session, status);
    return false;
  }
  cds_sim_conn_take(conn, length);
  handle(session);
  if (session->due_ms == 0) cds_sim_request_clear(request);
  return true;
}

/* ---- what comes in, and what is due ---- */

static void act_on_input(struct cds_sim_session *session) {
  struct cds_sim_conn *conn = &session->conn;
  while (!cds_sim_session_is_busy(session) && conn->in.length > 0 && !conn->finish &&
         cds_sim_conn_waiting(conn) < MAX_WAITING) /* answers first */
    if (!next_request(session)) break;
  if (session->socket.state != CDS_SIM_NO_SOCKET) cds_sim_socket_input(&session->socket);
}

void cds_sim_session_receive(struct cds_sim_session *session, const void *data, size_t length) {
  if (!session->silent && cds_sim_conn_receive(&session->conn, data, length)) act_on_input(session);
}

bool cds_sim_session_write(struct cds_sim_session *session) {
  bool empty;
  if (!session->exchange.sim || !cds_sim_conn_write(&session->conn, &empty)) return false;
  if (empty) act_on_input(session);
  return true;
}

static void answer_delayed(struct cds_sim_session *session) {
  session->due_ms = 0;
  cds_sim_conn_patience(&session->conn, IDLE_MS);
  answer_request(session);
  cds_sim_request_clear(&session->exchange.request);
}

static int64_t tick(struct cds_sim_session *session, int64_t mono_ms) {
  int64_t wait = cds_sim_conn_tick(&session->conn, mono_ms);
  if (session->socket.state != CDS_SIM_NO_SOCKET) cds_sim_late_send(&session->socket);
  if (session->trades.is_open) cds_sim_trades_send(&session->trades, &session->exchange);
  if (session->page.busy) cds_sim_page_work(&session->page, &session->exchange);
  else if (session->due_ms != 0 && mono_ms >= session->due_ms) answer_delayed(session);
  else return wait;
  act_on_input(session);
  return session->page.busy ? 0 : wait;
}

int64_t cds_sim_sessions_tick(struct cds_sim *sim, int64_t mono_ms) {
  int64_t wait = 100;
  for (struct cds_sim_session *session = sim->sessions; session; session = session->next) {
    int64_t own = tick(session, mono_ms);
    if (own < wait) wait = own;
  }
  return wait;
}

bool cds_sim_sessions_wait(const struct cds_sim *sim) {
  for (const struct cds_sim_session *session = sim->sessions; session; session = session->next)
    if (cds_sim_conn_waiting(&session->conn) > 0 || session->conn.finish) return true;
  return false;
}
