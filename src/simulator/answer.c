/* SPDX-License-Identifier: MIT
 * HTTP answers, whole and spoilt. */
#include "simulator/answer.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

#define HUGE_BODY (17u << 20)

static const char html[] =
  "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>Bad gateway</body></html>\n";

static const char *reason(int status) {
  static const struct {
    int status;
    const char *text;
  } reasons[] = {{200, "OK"},
                 {206, "Partial Content"},
                 {301, "Moved Permanently"},
                 {302, "Found"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {413, "Content Too Large"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"}};
  for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
    if (reasons[i].status == status) return reasons[i].text;
  return "Status";
}

void cds_sim_answer(struct cds_sim_exchange *exchange, int status, const char *extra, const char *type,
                    const char *body, size_t length) {
  char date[40], head[1024];
  cds_sim_http_date(date, exchange->sim);
  if (exchange->endpoint != CDS_SIM_CONTROL) cds_sim_count(exchange->sim, exchange->endpoint, status);
  bool cut = exchange->fault.action == CDS_SIM_CUT;
  if (cut) exchange->keep_alive = false;
  int n =
    snprintf(head, sizeof head,
             "HTTP/1.1 %d %s\r\nDate: %s\r\n%sContent-Type: %s\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
             status, reason(status), date, extra, type, length, exchange->keep_alive || cut ? "keep-alive" : "close");
  cds_sim_conn_send(exchange->conn, head, n > 0 && (size_t)n < sizeof head ? (size_t)n : 0);
  if (!exchange->head_only) cds_sim_conn_send(exchange->conn, body, cut ? length / 2 : length);
  if (!exchange->keep_alive) cds_sim_conn_end(exchange->conn, 10000);
}

void cds_sim_answer_json(struct cds_sim_exchange *exchange, int status, const struct cds_buf *body) {
  cds_sim_answer(exchange, status, "", "application/json", body->data, body->length);
}

void cds_sim_answer_error(struct cds_sim_exchange *exchange, int status, const char *extra, const char *message) {
  char body[512];
  int length = snprintf(body, sizeof body, "{\"error\":\"%s\"}", message);
  if (length < 0 || (size_t)length >= sizeof body) length = 0;
  cds_sim_answer(exchange, status, extra, "application/json", body, (size_t)length);
}

static void answer_status(struct cds_sim_exchange *exchange) {
  char extra[128] = "";
  const struct cds_sim_fault *fault = &exchange->fault;
  int status = (int)fault->status;
  if (fault->retry_after[0]) snprintf(extra, sizeof extra, "Retry-After: %s\r\n", fault->retry_after);
  if (fault->body == CDS_SIM_BODY_HTML) cds_sim_answer(exchange, status, extra, "text/html", html, strlen(html));
  else if (fault->body == CDS_SIM_BODY_EMPTY) cds_sim_answer(exchange, status, extra, "text/plain", "", 0);
  else cds_sim_answer_error(exchange, status, extra, "as the fault list asked");
}

void cds_sim_answer_fault(struct cds_sim_exchange *exchange) {
  if (exchange->fault.action == CDS_SIM_STATUS) {
    answer_status(exchange);
  } else if (exchange->fault.action == CDS_SIM_REDIRECT) {
    cds_sim_answer(exchange, (int)exchange->fault.status, "Location: /redirected\r\n", "text/plain", "", 0);
  } else if (exchange->fault.action == CDS_SIM_GARBAGE || exchange->fault.action == CDS_SIM_UPGRADE) {
    cds_sim_answer(exchange, 200, "", "text/html", html, strlen(html));
  } else { /* more than any client should take */
    char *body = cds_malloc(HUGE_BODY);
    if (body) memset(body, ' ', HUGE_BODY);
    cds_sim_answer(exchange, body ? 200 : 500, "", "application/json", body, body ? HUGE_BODY : 0);
    cds_free(body);
  }
}
