/* SPDX-License-Identifier: MIT
 * What tests ask of the simulator itself. Peers on this machine only, without authentication. */
#include "simulator/service.h"

#include <arpa/inet.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char *const endpoint_names[CDS_SIM_ENDPOINTS] = {"/api/v1/feeds",        "/api/v1/reports/latest",
                                                              "/api/v1/reports",      "/api/v1/reports/bulk",
                                                              "/api/v1/reports/page", "/",
                                                              "/api/v1/ws",           "other"};

bool cds_sim_is_local(const struct cds_sim_conn *conn) {
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
    if (status == CDS_OK) status = cds_buf_printf(body, "%s\"%s\":{", i ? "," : "", endpoint_names[i]);
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
    for (const struct cds_sim_conn *conn = sim->connections; conn; conn = conn->next)
      open += conn->account != NULL && conn->origin == i;
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
    sim->connection_count, sim->socket_count, (unsigned long long)stats->sockets_total,
    (unsigned long long)stats->slow_closed, (unsigned long long)stats->reports_sent, (unsigned long long)stats->skipped,
    sim->faults.count, (long long)cds_sim_now_ms(sim));
}

static enum cds_status put_hex(struct cds_buf *body, const uint8_t *bytes, size_t length) {
  enum cds_status status = cds_buf_printf(body, "\"0x");
  for (size_t i = 0; status == CDS_OK && i < length; i++) status = cds_buf_printf(body, "%02x", bytes[i]);
  return status == CDS_OK ? cds_buf_printf(body, "\"") : status;
}

static enum cds_status put_oracles(struct cds_buf *body, const struct cds_sim *sim) {
  const struct cds_sim_signer *signer = &sim->source.signer;
  enum cds_status status = cds_buf_printf(body, "{\"f\":%zu,\"config_digest\":", signer->signers - 1);
  if (status == CDS_OK) status = put_hex(body, signer->config_digest, 32);
  if (status == CDS_OK) status = cds_buf_printf(body, ",\"signers\":[");
  for (size_t i = 0; status == CDS_OK && i < signer->oracles; i++) {
    if (i > 0) status = cds_buf_printf(body, ",");
    if (status == CDS_OK) status = put_hex(body, signer->address[i], 20);
  }
  return status == CDS_OK ? cds_buf_printf(body, "]}") : status;
}

static void answer_with(struct cds_sim_conn *conn, enum cds_status (*put)(struct cds_buf *, const struct cds_sim *)) {
  struct cds_buf body;
  cds_buf_init(&body, 1u << 16);
  if (put(&body, conn->sim) == CDS_OK) cds_sim_answer_json(conn, 200, &body);
  else cds_sim_answer_error(conn, 500, "", "out of memory");
  cds_buf_clear(&body);
}

static enum cds_status put_faults(struct cds_buf *body, const struct cds_sim *sim) {
  return cds_buf_printf(body, "{\"faults_waiting\":%zu}", sim->faults.count);
}

/* Quotes of the error text would break its JSON. */
static void answer_fault_error(struct cds_sim_conn *conn, struct cds_error *err) {
  for (char *at = err->message; *at; at++)
    if (*at == '"' || *at == '\\') *at = '\'';
  cds_sim_answer_error(conn, 400, "", err->message);
}

void cds_sim_control(struct cds_sim_conn *conn, const struct cds_sim_request *request) {
  struct cds_error err = {0};
  const char *path = request->path;
  bool get = strcmp(request->method, "GET") == 0;
  if (!cds_sim_is_local(conn)) {
    cds_sim_answer_error(conn, 403, "", "only for peers on the same machine");
  } else if (get && strcmp(path, "/control/stats") == 0) {
    answer_with(conn, put_stats);
  } else if (get && strcmp(path, "/control/oracles") == 0) {
    answer_with(conn, put_oracles);
  } else if (strcmp(path, "/control/faults") != 0) {
    cds_sim_answer_error(conn, 404, "", "there is nothing here");
  } else if (strcmp(request->method, "DELETE") == 0) {
    conn->sim->faults.count = 0;
    answer_with(conn, put_faults);
  } else if (strcmp(request->method, "POST") != 0) {
    cds_sim_answer_error(conn, 405, "Allow: POST, DELETE\r\n", "POST or DELETE");
  } else if (cds_sim_faults_add(&conn->sim->faults, request->body, request->body_length, &err) == CDS_OK) {
    answer_with(conn, put_faults);
  } else {
    answer_fault_error(conn, &err);
  }
}
