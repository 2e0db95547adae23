/* SPDX-License-Identifier: MIT
 * The server's loop. libwebsockets carries the bytes, TLS included, and keeps the timer; HTTP and WebSocket are spoken
 * by this directory, because libwebsockets decodes a request's target before anybody can check the signature that
 * covers it, and so that the client under test does not talk to its own library. */
#include "simulator/server.h"

#include "base/clock.h"
#include "base/portal.h"
#include "simulator/accept.h"
#include "simulator/session.h"
#include "simulator/stream.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define RECORD 16384 /* a TLS record's payload */
#define PROTOCOL "data-streams"
#define PATIENCE 60 /* seconds for a client's TLS handshake: libwebsockets' own 5 are few for one under valgrind */

struct server {
  struct cds_sim *sim;
  struct lws_context *context;
  struct cds_sim_certificate *certificate; /* NULL: plain */
  struct lws_vhost *vhost;
  SSL_CTX *tls;
  lws_sorted_usec_list_t timer;
  int64_t due_ns; /* of the timer, monotonic */
};

static struct server *loading; /* whose vhost is being made: that callback comes without a context */

static int load_certificate(SSL_CTX *tls) {
  const struct cds_sim_certificate *certificate = loading->certificate;
  loading->tls = tls;
  bool good = SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) &&
              SSL_CTX_use_certificate(tls, certificate->server) == 1 &&
              SSL_CTX_use_PrivateKey(tls, certificate->key) == 1;
  return good ? 0 : 1;
}

static bool change_certificate(void *context, const char *kind) {
  struct server *server = context;
  struct cds_error err;
  if (!server->certificate || cds_sim_certificate_change(server->certificate, kind, &err) != CDS_OK) return false;
  SSL_CTX_set_session_cache_mode(server->tls, SSL_SESS_CACHE_OFF); /* nobody is to come in with what they saw before */
  SSL_CTX_set_options(server->tls, SSL_OP_NO_TICKET);
  return SSL_CTX_use_certificate(server->tls, server->certificate->server) == 1;
}

static void tick(lws_sorted_usec_list_t *timer);

/* A page or a stream has begun, which the timer set before did not know of. */
static void tick_soon(struct server *server) {
  server->due_ns = cds_clock_mono_ns();
  lws_sul_schedule(server->context, 0, &server->timer, tick, 1);
}

static struct server *server_of(struct lws *wsi) {
  return lws_context_user(lws_get_context(wsi));
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length) {
  struct cds_sim_session *session = user;
  switch (reason) {
  case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS: return loading && user ? load_certificate(user) : 0;
  case LWS_CALLBACK_FILTER_NETWORK_CONNECTION: return cds_sim_accept(server_of(wsi)->sim, (int)(intptr_t)in) ? 0 : -1;
  case LWS_CALLBACK_RAW_ADOPT: return cds_sim_session_open(session, server_of(wsi)->sim, wsi) ? 0 : -1;
  case LWS_CALLBACK_RAW_RX:
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* the library's own, left over from the TLS handshake */
    cds_sim_session_receive(session, in, length);
    if (cds_sim_session_is_busy(session)) tick_soon(server_of(wsi));
    return 0;
  case LWS_CALLBACK_RAW_WRITEABLE: return cds_sim_session_write(session) ? 0 : -1;
  case LWS_CALLBACK_RAW_CLOSE: cds_sim_session_close(session); return 0;
  default: return 0;
  }
}

static void tick(lws_sorted_usec_list_t *timer) {
  struct server *server = lws_container_of(timer, struct server, timer);
  int64_t now = cds_clock_mono_ms(), wait = cds_sim_sessions_tick(server->sim, now);
  cds_sim_accept_tick(now);
  cds_sim_stream(server->sim);
  int64_t due = cds_sim_stream_wait(server->sim);
  if (due < wait) wait = due;
  server->due_ns = cds_clock_mono_ns() + wait * 1000000;
  lws_sul_schedule(server->context, 0, timer, tick, wait * LWS_US_PER_MS + 1);
}

/* libwebsockets waits in whole milliseconds, rounded down, and polls without a pause in the last one before a timer.
 * Sleep through that where nothing waits to be sent. */
static void rest_until_due(const struct server *server) {
  int64_t left = server->due_ns - cds_clock_mono_ns();
  if (left <= 0 || left >= 1000000 || cds_sim_sessions_wait(server->sim)) return;
  nanosleep(&(struct timespec){0, (long)left}, NULL);
}

static const struct lws_protocols protocols[] = {
  {PROTOCOL, callback, sizeof(struct cds_sim_session), RECORD, 0, NULL, 0},
  {NULL, NULL, 0, 0, 0, NULL, 0},
};

static void fill(struct lws_context_creation_info *info, struct server *server) {
  static const lws_system_ops_t system = {.captive_portal_detect_request = cds_look_for_no_portal};
  const struct cds_sim_options *options = server->sim->options;
  memset(info, 0, sizeof *info);
  info->port = options->port;
  info->iface = strcmp(options->host, "0.0.0.0") == 0 || strcmp(options->host, "::") == 0 ? NULL : options->host;
  info->protocols = protocols;
  info->user = server;
  info->system_ops = &system;
  info->vhost_name = "simulator";
  info->listen_accept_role = "raw-skt";
  info->listen_accept_protocol = PROTOCOL;
  info->pt_serv_buf_size = RECORD;
  info->timeout_secs = PATIENCE;
  info->fd_limit_per_thread = CDS_SIM_MAX_CONNECTIONS + 32;
  info->alpn = "http/1.1";
  info->options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS |
                  LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
  if (!strchr(options->host, ':')) info->options |= LWS_SERVER_OPTION_DISABLE_IPV6;
  if (server->certificate)
    info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
}

static enum cds_status listen_on(struct server *server, struct cds_error *err) {
  struct lws_context_creation_info info;
  lws_set_log_level(0, NULL);
  server->sim->change_certificate = change_certificate;
  server->sim->server = server;
  fill(&info, server);
  server->context = lws_create_context(&info);
  if (!server->context) return cds_error_set(err, CDS_E_MEMORY, "cannot start libwebsockets");
  loading = server->certificate ? server : NULL;
  server->vhost = lws_create_vhost(server->context, &info);
  loading = NULL;
  if (server->vhost && lws_get_vhost_listen_port(server->vhost) > 0) return CDS_OK;
  return cds_error_set(err, CDS_E_NETWORK, "cannot listen on %.100s, port %d", server->sim->options->host,
                       server->sim->options->port);
}

enum cds_status cds_sim_serve(struct cds_sim *sim, struct cds_sim_certificate *certificate,
                              void (*listening)(int port, void *context), void *context, struct cds_error *err) {
  struct server server = {.sim = sim, .certificate = certificate};
  struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
  sigaction(SIGPIPE, &ignore, &before);
  enum cds_status status = listen_on(&server, err);
  if (status == CDS_OK) {
    listening(lws_get_vhost_listen_port(server.vhost), context);
    lws_sul_schedule(server.context, 0, &server.timer, tick, 1);
    while (!*sim->stop && lws_service(server.context, 0) >= 0) rest_until_due(&server);
  }
  if (server.context) lws_context_destroy(server.context);
  server.context = NULL;
  sigaction(SIGPIPE, &before, NULL);
  return status;
}
