/* SPDX-License-Identifier: MIT
 * What tests ask of the simulator itself. Peers on this machine only, without authentication, and no web pages. */
#include "simulator/control.h"

#include "base/alloc.h"
#include "simulator/oracles.h"
#include "simulator/socket.h"

#include <arpa/inet.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static bool is_local(const struct cds_sim_conn *conn) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  memset(&peer, 0, sizeof peer);
  if (getpeername(lws_get_socket_fd(conn->wsi), (struct sockaddr *)&peer, &length) != 0) return false;
  if (peer.ss_family == AF_INET)
    return ntohl(((const struct sockaddr_in *)(const void *)&peer)->sin_addr.s_addr) >> 24 == 127;
  if (peer.ss_family != AF_INET6) return false;
  const struct in6_addr *address = &((const struct sockaddr_in6 *)(const void *)&peer)->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static enum cds_status put_requests(struct cds_buf *body, const struct cds_sim_stats *stats) {
  enum cds_status status = cds_buf_printf(body, "{\"requests\":{");
  for (size_t i = 0; i < CDS_SIM_ENDPOINTS; i++) {
    if (status == CDS_OK)
      status = cds_buf_printf(body, "%s\"%s\":{", i ? "," : "", cds_sim_endpoint_name((enum cds_sim_endpoint)i));
    for (size_t j = 0; status == CDS_OK && j < CDS_SIM_COUNTED_STATUSES && stats->requests[i][j].status; j++)
      status = cds_buf_printf(body, "%s\"%d\":%llu", j ? "," : "", stats->requests[i][j].status,
                              (unsigned long long)stats->requests[i][j].count);
    if (status == CDS_OK) status = cds_buf_printf(body, "}");
  }
  return status;
}

static enum cds_status put_origins(struct cds_buf *body, const struct cds_sim *sim) {
  enum cds_status status = cds_buf_printf(body, "},\"origins\":{");
  for (size_t i = 0; status == CDS_OK && i < sim->options->origin_count; i++) {
    size_t open = 0;
    for (const struct cds_sim_socket *socket = sim->sockets; socket; socket = socket->next) open += socket->origin == i;
    status = cds_buf_printf(body, "%s\"%s\":%zu", i ? "," : "", sim->options->origins[i], open);
  }
  return status == CDS_OK ? cds_buf_printf(body, "}") : status;
}

static enum cds_status put_stats(struct cds_buf *body, const struct cds_sim *sim) {
  const struct cds_sim_stats *stats = &sim->stats;
  enum cds_status status = put_requests(body, stats);
  if (status == CDS_OK) status = put_origins(body, sim);
  if (status != CDS_OK) return status;
  return cds_buf_printf(
    body,
    ",\"connections\":{\"open\":%zu},\"websockets\":{\"open\":%zu,\"total\":%llu,\"slow_closed\":%llu},"
    "\"reports_sent\":%llu,\"reports_skipped\":%llu,\"faults_waiting\":%zu,\"time_ms\":%lld}",
    sim->session_count, sim->socket_count, (unsigned long long)stats->sockets_total,
    (unsigned long long)stats->slow_closed, (unsigned long long)stats->reports_sent, (unsigned long long)stats->skipped,
    sim->faults.count, (long long)cds_sim_now_ms(sim));
}

static enum cds_status put_oracles(struct cds_buf *body, const struct cds_sim *sim) {
  return cds_sim_oracles(body, &sim->source.signer);
}

static void answer_with(struct cds_sim_exchange *exchange,
                        enum cds_status (*put)(struct cds_buf *, const struct cds_sim *)) {
  struct cds_buf body;
  cds_buf_init(&body, 1u << 16);
  if (put(&body, exchange->sim) == CDS_OK) cds_sim_answer_json(exchange, 200, &body);
  else cds_sim_answer_error(exchange, 500, "", "out of memory");
  cds_buf_clear(&body);
}

/* Quotes of the error text would break its JSON. */
static void answer_fault_error(struct cds_sim_exchange *exchange, struct cds_error *err) {
  for (char *at = err->message; *at; at++)
    if (*at == '"' || *at == '\\') *at = '\'';
  cds_sim_answer_error(exchange, 400, "", err->message);
}

static void answer_count(struct cds_sim_exchange *exchange, const char *name, long long count) {
  struct cds_buf body;
  cds_buf_init(&body, 256);
  if (cds_buf_printf(&body, "{\"%s\":%lld}", name, count) == CDS_OK) cds_sim_answer_json(exchange, 200, &body);
  else cds_sim_answer_error(exchange, 500, "", "out of memory");
  cds_buf_clear(&body);
}

/* ---- each path ---- */

static void get_stats(struct cds_sim_exchange *exchange) {
  answer_with(exchange, put_stats);
}

static void get_oracles(struct cds_sim_exchange *exchange) {
  answer_with(exchange, put_oracles);
}

static void clear_faults(struct cds_sim_exchange *exchange) {
  exchange->sim->faults.count = 0;
  answer_count(exchange, "faults_waiting", 0);
}

/* Faults of open WebSockets happen now, and do not wait in the list. */
static void add_faults(struct cds_sim_exchange *exchange) {
  struct cds_sim *sim = exchange->sim;
  struct cds_sim_fault steps[CDS_SIM_MAX_STEPS];
  struct cds_error err = {0};
  size_t count, met = 0, before = sim->faults.count;
  if (cds_sim_faults_add(&sim->faults, exchange->request.body, exchange->request.body_length, &err) != CDS_OK) {
    answer_fault_error(exchange, &err);
    return;
  }
  for (size_t i = before; i < sim->faults.count; i++)
    if (sim->faults.list[i].on == CDS_SIM_ON_LIVE && !sim->faults.list[i].then) {
      for (count = 1; i + count < sim->faults.count && sim->faults.list[i + count].then;) count++;
      memcpy(steps, &sim->faults.list[i], count * sizeof *steps);
      memmove(&sim->faults.list[i], &sim->faults.list[i + count], (sim->faults.count - i - count) * sizeof *steps);
      sim->faults.count -= count;
      i--;
      met += cds_sim_script_live(sim, steps, count);
    }
  answer_count(exchange, met > 0 ? "connections_met" : "faults_waiting",
               (long long)(met > 0 ? met : sim->faults.count));
}

/* An argument of the query into text; false, and refused, when it is missing and needed or too long. */
static bool argument(struct cds_sim_exchange *exchange, const char *name, char *out, size_t size, bool needed) {
  int status;
  char *text = cds_sim_request_query(&exchange->request, name, &status), message[80];
  int n = snprintf(out, size, "%s", text ? text : "");
  cds_free(text);
  if (status == 0 && n >= 0 && (size_t)n < size && (*out || !needed)) return true;
  snprintf(message, sizeof message, "missing or malformed argument %.30s", name);
  cds_sim_answer_error(exchange, 400, "", message);
  return false;
}

static bool number_argument(struct cds_sim_exchange *exchange, const char *name, double low, double high, double *out) {
  char text[40], *end = text;
  if (!argument(exchange, name, text, sizeof text, true)) return false;
  *out = strtod(text, &end);
  if (end != text && !*end && *out >= low && *out <= high) return true;
  cds_sim_answer_error(exchange, 400, "", "a number is out of range");
  return false;
}

static void kill_connections(struct cds_sim_exchange *exchange) {
  char how[16], origin[32], text[160];
  struct cds_sim_fault steps[CDS_SIM_MAX_STEPS];
  struct cds_error err = {0};
  size_t count;
  if (!argument(exchange, "how", how, sizeof how, false)) return;
  if (!argument(exchange, "origin", origin, sizeof origin, false)) return;
  int n = snprintf(text, sizeof text, "on=live,times=0,action=%s%s%s", *how ? how : "drop", *origin ? ",origin=" : "",
                   origin);
  if (cds_sim_fault_parse(steps, &count, text, (size_t)n, &err) != CDS_OK) answer_fault_error(exchange, &err);
  else answer_count(exchange, "connections_met", (long long)cds_sim_script_live(exchange->sim, steps, count));
}

/* what=rest, what=all or an origin's name */
static void set_down(struct cds_sim_exchange *exchange, bool down) {
  struct cds_sim *sim = exchange->sim;
  char what[32];
  size_t count = sim->options->origin_count, met = 0;
  if (!argument(exchange, "what", what, sizeof what, true)) return;
  bool all = strcmp(what, "all") == 0;
  for (size_t i = 0; i <= count; i++) {
    if (!all && strcmp(what, i < count ? sim->options->origins[i] : "rest") != 0) continue;
    sim->down[i] = down;
    met++;
    for (struct cds_sim_socket *other = sim->sockets; other && down && i < count; other = other->next)
      if (cds_sim_socket_may_send(other) && other->origin == i) cds_sim_conn_reset(other->conn);
  }
  if (met > 0) answer_count(exchange, down ? "down" : "up", (long long)met);
  else cds_sim_answer_error(exchange, 400, "", "what must be rest, all or an origin");
}

static void take_down(struct cds_sim_exchange *exchange) {
  set_down(exchange, true);
}

static void bring_up(struct cds_sim_exchange *exchange) {
  set_down(exchange, false);
}

/* Of what requests are checked by; the reports' times stay. */
static void set_clock(struct cds_sim_exchange *exchange) {
  double offset;
  if (!number_argument(exchange, "offset", -1e9, 1e9, &offset)) return;
  exchange->sim->skew_ms = (int64_t)(offset * 1000);
  answer_count(exchange, "skew_ms", exchange->sim->skew_ms);
}

/* The oracle network makes no reports in the coming seconds; nothing of them can be had from anywhere. */
static void add_pause(struct cds_sim_exchange *exchange) {
  struct cds_sim_source *source = &exchange->sim->source;
  double seconds;
  if (!number_argument(exchange, "seconds", 1, 3600, &seconds)) return;
  uint32_t soon = (uint32_t)(cds_sim_now_ms(exchange->sim) / 1000) + 2;
  uint32_t from = source->presigned.count > 0 ? 0 : cds_sim_pause(source, soon, (uint32_t)seconds);
  if (from > 0) answer_count(exchange, "from", from);
  else cds_sim_answer_error(exchange, 409, "", "too many pauses, or reports are signed ahead");
}

static void set_certificate(struct cds_sim_exchange *exchange) {
  char kind[16];
  if (!argument(exchange, "kind", kind, sizeof kind, true)) return;
  if (exchange->sim->change_certificate(exchange->sim->server, kind)) answer_count(exchange, "changed", 1);
  else cds_sim_answer_error(exchange, 400, "", "there is no such certificate, or no TLS");
}

static const struct {
  const char *method, *path;
  void (*serve)(struct cds_sim_exchange *exchange);
} routes[] = {
  {"GET", "/control/stats", get_stats},        {"GET", "/control/oracles", get_oracles},
  {"POST", "/control/faults", add_faults},     {"DELETE", "/control/faults", clear_faults},
  {"POST", "/control/kill", kill_connections}, {"POST", "/control/down", take_down},
  {"POST", "/control/up", bring_up},           {"POST", "/control/clock", set_clock},
  {"POST", "/control/pause", add_pause},       {"POST", "/control/certificate", set_certificate},
};

static bool is_host(const char *header, const char *name) {
  size_t length = strlen(name);
  return strncasecmp(header, name, length) == 0 && (!header[length] || header[length] == ':');
}

/* Why a request is refused, NULL when it is not. The peer may be a browser that shows a page of somebody else: its
 * requests to this machine have that page's host name where the name was made to point here, and otherwise no header of
 * one's own choosing. */
static const char *refusal(const struct cds_sim_exchange *exchange) {
  const struct cds_sim_request *request = &exchange->request;
  const char *host = cds_sim_request_header(request, "Host");
  if (!is_local(exchange->conn)) return "only for peers on the same machine";
  if (!host || !(is_host(host, "localhost") || is_host(host, "127.0.0.1") || is_host(host, "[::1]") ||
                 is_host(host, exchange->sim->options->host)))
    return "the Host header does not name this machine";
  if (strcmp(request->method, "GET") != 0 && !cds_sim_request_header(request, "X-Simulator-Control"))
    return "the header X-Simulator-Control is missing; any value will do";
  return NULL;
}

void cds_sim_control(struct cds_sim_exchange *exchange) {
  bool known = false;
  const char *reason = refusal(exchange);
  if (reason) {
    cds_sim_answer_error(exchange, 403, "", reason);
    return;
  }
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    if (strcmp(exchange->request.path, routes[i].path) != 0) continue;
    known = true;
    if (strcmp(exchange->request.method, routes[i].method) != 0) continue;
    routes[i].serve(exchange);
    return;
  }
  if (known) cds_sim_answer_error(exchange, 405, "Allow: GET, POST, DELETE\r\n", "not with this method");
  else cds_sim_answer_error(exchange, 404, "", "there is nothing here");
}
