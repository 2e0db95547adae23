/* SPDX-License-Identifier: MIT
 * The server's loop. libwebsockets has no way to wait for a descriptor of somebody else but to adopt it, and closes what
 * it has adopted: it gets a copy for each wait. */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include "web/server.h"

#include "base/alloc.h"
#include "net/ws_context.h"
#include "web/gate.h"
#include "web/local.h"
#include "web/peer.h"
#include "web/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOL "http" /* the first one of a vhost gets its requests */

struct cds_web_server {
  struct cds_ws_context context;
  struct lws_vhost *vhost;
  struct cds_web_gate *gate; /* NULL: everybody may ask, and there are no WebSockets */
  struct cds_web_local local;
  struct lws *listener; /* of local; NULL: libwebsockets listens */
  struct cds_web_peer *first, *last;
  uint64_t last_id;
  unsigned connections;
  struct lws *watched[CDS_WEB_MAX_WATCHED]; /* NULL: no descriptor */
  bool ready;                               /* one is readable */
  lws_sorted_usec_list_t timer;
};

static struct cds_web_server *server_of(struct lws *wsi) {
  return lws_context_user(lws_get_context(wsi));
}

/* ---- peers ---- */

static void add(struct cds_web_server *server, struct cds_web_peer *peer) {
  peer->previous = server->last;
  *(server->last ? &server->last->next : &server->first) = peer;
  server->last = peer;
}

static void take_out(struct cds_web_server *server, struct cds_web_peer *peer) {
  if (peer->state == CDS_WEB_NO_REQUEST) return;
  *(peer->previous ? &peer->previous->next : &server->first) = peer->next;
  *(peer->next ? &peer->next->previous : &server->last) = peer->previous;
  cds_web_peer_clear(peer);
}

static void watched_is_ready(struct cds_web_server *server, struct lws *wsi, bool closed) {
  for (size_t i = 0; i < CDS_WEB_MAX_WATCHED; i++) {
    if (wsi != server->watched[i]) continue;
    server->ready = true;
    if (closed) server->watched[i] = NULL;
  }
}

/* libwebsockets 4.5 has connections of its own, of which it tells the end alone. */
static void count_in(struct cds_web_server *server, struct lws *wsi) {
  lws_set_opaque_user_data(wsi, server);
  server->connections++;
}

static void count_out(struct cds_web_server *server, const struct lws *wsi) {
  if (lws_get_opaque_user_data(wsi) == server) server->connections--;
}

static void accept_all(struct cds_web_server *server) {
  int fd;
  while ((fd = cds_web_local_accept(&server->local)) >= 0) {
    if (server->connections >= CDS_WEB_MAX_CONNECTIONS) close(fd);
    else (void)lws_adopt_socket_vhost(server->vhost, fd); /* closes it, if it cannot */
  }
}

static void is_readable(struct cds_web_server *server, struct lws *wsi) {
  if (server->listener && wsi == server->listener) accept_all(server);
  else watched_is_ready(server, wsi, false);
}

static int open_socket(struct cds_web_server *server, struct cds_web_peer *peer, struct lws *wsi) {
  if (!cds_web_socket_open(peer, server->gate, wsi)) return -1;
  add(server, peer);
  return 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length) {
  (void)length;
  switch (reason) {
  case LWS_CALLBACK_FILTER_NETWORK_CONNECTION: return server_of(wsi)->connections < CDS_WEB_MAX_CONNECTIONS ? 0 : -1;
  case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED: count_in(server_of(wsi), wsi); return 0;
  case LWS_CALLBACK_WSI_DESTROY: count_out(server_of(wsi), wsi); return 0;
  case LWS_CALLBACK_HTTP:
    cds_web_peer_open(user, server_of(wsi)->gate, wsi, ++server_of(wsi)->last_id);
    add(server_of(wsi), user);
    return 0;
  case LWS_CALLBACK_HTTP_WRITEABLE: return cds_web_peer_write(user) ? 0 : -1;
  case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return cds_web_socket_admit(server_of(wsi)->gate, wsi, in) ? 0 : -1;
  case LWS_CALLBACK_ESTABLISHED: return open_socket(server_of(wsi), user, wsi);
  case LWS_CALLBACK_SERVER_WRITEABLE: return cds_web_socket_write(user) ? 0 : -1;
  case LWS_CALLBACK_CLOSED:
  case LWS_CALLBACK_CLOSED_HTTP:
    if (user) take_out(server_of(wsi), user);
    return 0;
  case LWS_CALLBACK_RAW_RX_FILE: is_readable(server_of(wsi), wsi); return 0;
  case LWS_CALLBACK_RAW_CLOSE_FILE: watched_is_ready(server_of(wsi), wsi, true); return 0;
  default: return 0;
  }
}

static const struct lws_protocols protocols[] = {
  {PROTOCOL, callback, sizeof(struct cds_web_peer), 0, 0, NULL, 0},
  {NULL, NULL, 0, 0, 0, NULL, 0},
};

/* ---- listening ---- */

/* The library only says that it could not: this finds out why. */
static enum cds_status try_address(const char *host, int port, struct cds_error *err) {
  const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found;
  char service[16];
  snprintf(service, sizeof service, "%d", port);
  if (getaddrinfo(host, service, &hints, &found) != 0)
    return cds_error_set(err, CDS_E_CONFIG, "'%.100s' is no IP address", host);
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 1) == 0;
  int code = errno;
  if (fd >= 0) close(fd);
  freeaddrinfo(found);
  return good ? CDS_OK
              : cds_error_set(err, CDS_E_NETWORK, "cannot listen on %.100s, port %d: %s", host, port, strerror(code));
}

static struct lws *adopt_file(struct cds_web_server *server, int fd) {
  lws_sock_file_fd_type copy = {.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 0)};
  if (copy.filefd < 0) return NULL;
  return lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_RAW_FILE_DESC, copy, PROTOCOL, NULL);
}

static enum cds_status listen_at(struct cds_web_server *server, const char *host, int port, struct cds_error *err) {
  if (port != CDS_WEB_LOCAL) {
    server->vhost = cds_ws_context_listen(&server->context, host, port);
    if (server->vhost) return CDS_OK;
    return cds_error_set(err, CDS_E_NETWORK, "cannot listen on %.100s, port %d", host, port);
  }
  server->vhost = cds_ws_context_listen(&server->context, "", CONTEXT_PORT_NO_LISTEN_SERVER);
  if (server->vhost) server->listener = adopt_file(server, server->local.fd);
  return server->listener ? CDS_OK : cds_error_set(err, CDS_E_MEMORY, "no descriptor is left to listen with");
}

/* Takes the place first: nothing else is begun where there is none. */
static enum cds_status start(struct cds_web_server *server, const char *host, int port, struct cds_error *err) {
  enum cds_status status =
    port == CDS_WEB_LOCAL ? cds_web_local_open(&server->local, host, err) : try_address(host, port, err);
  if (status != CDS_OK) return status;
  const struct cds_ws_server_limits limits = {.connections = CDS_WEB_MAX_CONNECTIONS + CDS_WEB_MAX_WATCHED,
                                              .seconds = CDS_WEB_PATIENCE,
                                              .header_bytes =
                                                server->gate ? CDS_WEB_MAX_SIGNED_HEADERS : CDS_WEB_MAX_HEADERS};
  if (!cds_ws_context_init_server(&server->context, protocols, server, &limits))
    return cds_error_set(err, CDS_E_MEMORY, "cannot start libwebsockets");
  return listen_at(server, host, port, err);
}

enum cds_status cds_web_server_new(struct cds_web_server **out, const char *host, int port, struct cds_web_gate *gate,
                                   struct cds_error *err) {
  struct cds_web_server *server = *out = cds_calloc(1, sizeof *server);
  if (!server) {
    cds_web_gate_free(gate);
    return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  }
  server->gate = gate;
  server->local.fd = -1;
  return start(server, host, port, err);
}

void cds_web_server_free(struct cds_web_server *server) {
  if (!server) return;
  cds_ws_context_clear(&server->context);
  cds_web_local_close(&server->local);
  cds_web_gate_free(server->gate);
  cds_free(server);
}

int cds_web_port(const struct cds_web_server *server) {
  return lws_get_vhost_listen_port(server->vhost);
}

/* ---- one step ---- */

/* A timer that is due before the library waits would not be one to wait for: it would sleep on. */
static void time_is_over(lws_sorted_usec_list_t *timer) {
  struct cds_web_server *server = lws_container_of(timer, struct cds_web_server, timer);
  lws_sul_schedule(server->context.lws, 0, timer, time_is_over, 1);
}

static bool watch(struct cds_web_server *server, const int *fds, size_t count) {
  for (size_t i = 0; i < count && i < CDS_WEB_MAX_WATCHED; i++) {
    server->watched[i] = adopt_file(server, fds[i]);
    if (!server->watched[i]) return false;
  }
  return true;
}

static void stop_watching(struct cds_web_server *server) {
  for (size_t i = 0; i < CDS_WEB_MAX_WATCHED; i++) {
    struct lws *watched = server->watched[i];
    server->watched[i] = NULL;
    if (watched) lws_set_timeout(watched, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
  }
}

enum cds_status cds_web_step(struct cds_web_server *server, const int *fds, size_t count, int64_t wait_ms, bool *ready,
                             struct cds_error *err) {
  struct lws_context *lws = server->context.lws;
  server->ready = *ready = false;
  if (!watch(server, fds, count)) {
    stop_watching(server);
    return cds_error_set(err, CDS_E_MEMORY, "no descriptor is left to wait with");
  }
  lws_sul_schedule(lws, 0, &server->timer, time_is_over, wait_ms * LWS_US_PER_MS + 1);
  lws_service(lws, 0);
  lws_sul_schedule(lws, 0, &server->timer, time_is_over, LWS_SET_TIMER_USEC_CANCEL);
  stop_watching(server);
  *ready = server->ready;
  return CDS_OK;
}

bool cds_web_take(struct cds_web_server *server, struct cds_web_request *out) {
  for (struct cds_web_peer *peer = server->first; peer; peer = peer->next) {
    if (peer->state != CDS_WEB_ASKED) continue;
    peer->state = CDS_WEB_TAKEN;
    *out = peer->request;
    return true;
  }
  return false;
}

bool cds_web_send(struct cds_web_server *server, uint64_t id, const void *data, size_t length, bool more) {
  for (struct cds_web_peer *peer = server->first; peer; peer = peer->next)
    if (peer->request.id == id) return cds_web_peer_send(peer, data, length, more);
  return false;
}

size_t cds_web_tell(struct cds_web_server *server, size_t feed, const void *data, size_t length) {
  size_t told = 0;
  for (struct cds_web_peer *peer = server->first; peer; peer = peer->next)
    if (cds_web_socket_send(peer, feed, data, length)) told++;
  return told;
}

size_t cds_web_feeds(const struct cds_web_server *server) {
  return server->gate ? cds_web_gate_count(server->gate) : 0;
}

size_t cds_web_sockets(const struct cds_web_server *server) {
  size_t count = 0;
  for (const struct cds_web_peer *peer = server->first; peer; peer = peer->next) count += peer->state == CDS_WEB_SOCKET;
  return count;
}
