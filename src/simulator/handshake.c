/* SPDX-License-Identifier: MIT
 * The handshake of RFC 6455, right and as the fault list asks. */
#include "simulator/handshake.h"

#include "base/alloc.h"
#include "simulator/feed_list.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_SOCKETS_PER_KEY 20

static bool accept_key(char out[40], const char *key) {
  static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  uint8_t hash[EVP_MAX_MD_SIZE];
  char text[128];
  unsigned length = 0;
  int n = snprintf(text, sizeof text, "%s%s", key, suffix);
  if (n < 0 || (size_t)n >= sizeof text) return false;
  if (!EVP_Digest(text, (size_t)n, hash, &length, EVP_sha1(), NULL)) return false;
  return EVP_EncodeBlock((unsigned char *)out, hash, (int)length) == 28;
}

static const char *upgrade_fault(const struct cds_sim_request *request) {
  const char *upgrade = cds_sim_request_header(request, "Upgrade");
  const char *version = cds_sim_request_header(request, "Sec-WebSocket-Version");
  const char *key = cds_sim_request_header(request, "Sec-WebSocket-Key");
  if (!upgrade || strcasecmp(upgrade, "websocket") != 0) return "not a WebSocket handshake";
  if (!version || strcmp(version, "13") != 0) return "Sec-WebSocket-Version must be 13";
  return key && strlen(key) == 24 ? NULL : "missing or malformed Sec-WebSocket-Key";
}

/* 0 and the feeds, or a status with its message. */
static int admit(struct cds_sim_exchange *exchange, const struct cds_sim_account *account, size_t **feeds,
                 size_t *count, const char **message) {
  const struct cds_sim_request *request = &exchange->request;
  int status = 0;
  *message = upgrade_fault(request);
  if (*message) return 400;
  *message = "unknown origin";
  if (!cds_sim_find_origin(exchange->sim, cds_sim_request_header(request, "X-Cll-Origin"), &exchange->origin))
    return 400;
  *message = "too many WebSocket connections";
  if (account->sockets >= MAX_SOCKETS_PER_KEY) return 429;
  *message = "missing or malformed feedIDs";
  char *list = cds_sim_request_query(request, "feedIDs", &status);
  if (!list) return status == 0 ? 400 : status;
  status = cds_sim_read_feeds(exchange->sim, account, list, feeds, count, message);
  cds_free(list);
  return status;
}

/* The wrong answers that the script may ask for. */
static bool wrong_upgrade(const struct cds_sim_exchange *exchange, const char *kind) {
  return exchange->fault.action == CDS_SIM_UPGRADE && strcmp(exchange->fault.kind, kind) == 0;
}

static bool send_upgrade(struct cds_sim_exchange *exchange) {
  char date[40], key[40], head[512];
  if (!accept_key(key, cds_sim_request_header(&exchange->request, "Sec-WebSocket-Key"))) return false;
  if (wrong_upgrade(exchange, "key")) key[0] = key[0] == 'A' ? 'B' : 'A';
  cds_sim_http_date(date, exchange->sim);
  int n = snprintf(head, sizeof head,
                   "HTTP/1.1 101 Switching Protocols\r\nDate: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\nX-Cll-Origin: %.60s\r\n%s\r\n",
                   date, key, exchange->sim->options->origins[exchange->origin],
                   wrong_upgrade(exchange, "protocol") ? "Sec-WebSocket-Protocol: unheard-of\r\n" : "");
  if (n < 0 || (size_t)n >= sizeof head) return false;
  cds_sim_conn_send(exchange->conn, head, (size_t)n);
  return true;
}

void cds_sim_handshake(struct cds_sim_exchange *exchange, struct cds_sim_account *account,
                       struct cds_sim_socket *socket) {
  const char *message;
  size_t *feeds = NULL, count = 0;
  int status = admit(exchange, account, &feeds, &count, &message);
  if (status != 0) {
    cds_sim_answer_error(exchange, status, status == 429 ? "Retry-After: 1\r\n" : "", message);
    return;
  }
  if (!send_upgrade(exchange)) {
    cds_free(feeds);
    cds_sim_answer_error(exchange, 500, "", "cannot upgrade");
    return;
  }
  cds_sim_count(exchange->sim, exchange->endpoint, 101);
  *socket = (struct cds_sim_socket){.sim = exchange->sim,
                                    .conn = exchange->conn,
                                    .account = account,
                                    .feeds = feeds,
                                    .feed_count = count,
                                    .origin = exchange->origin,
                                    .protocol = exchange->endpoint == CDS_SIM_WS_V2 ? CDS_SIM_V2 : CDS_SIM_V1};
  cds_sim_socket_open(socket);
}
