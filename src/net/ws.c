/* SPDX-License-Identifier: MIT
 * libwebsockets contexts and connection attempts. */
#include "net/ws.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "net/proxy.h"
#include "net/ws_internal.h"

#define NEVER_SECONDS 86400  /* for libwebsockets' own timeouts, which ours replace */
#define CLOSE_WAIT_US 200000 /* for the peer's answer to our close */
#define DESCRIPTORS 16       /* one connection, the wake-up, and some to spare */
#define MIN_ADDRESS_MS 250   /* for one of several addresses */
#define MAX_HOST_HEADER 118  /* libwebsockets would cut a longer one */

static const struct lws_protocols protocols[] = {
  {.name = "cds", .callback = cds_ws_callback, .rx_buffer_size = CDS_WS_RX_BYTES},
  {0},
};

/* ---- contexts ---- */

/* lws_create_context changes the process's SIGPIPE disposition and initialises globals: one at a time, and put the
 * disposition back. Never held over a fork, as a child could not take it again. */
static pthread_mutex_t global_mu = PTHREAD_MUTEX_INITIALIZER;

/* libwebsockets prepares OpenSSL once more for each context that asks for it, and takes a new place for its data in all
 * of OpenSSL's objects: a handshake under way in another thread would then miss its own, and refuse the certificate. */
static bool tls_is_ready; /* guarded by global_mu */

static void before_fork(void) {
  pthread_mutex_lock(&global_mu);
}

static void after_fork(void) {
  pthread_mutex_unlock(&global_mu);
}

static void prepare_process(void) {
  lws_set_log_level(0, NULL); /* its log goes to stderr; what matters comes through callbacks */
  pthread_atfork(before_fork, after_fork, after_fork);
}

static void fill_info(struct lws_context_creation_info *info, struct cds_ws *ws) {
  size_t target = ws->settings.max_target;
  *info = (struct lws_context_creation_info){0};
  ws->buffer_size = target + CDS_WS_HEADER_ROOM + 4096;
  info->port = CONTEXT_PORT_NO_LISTEN;
  info->protocols = protocols;
  info->options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  info->user = ws;
  info->pt_serv_buf_size = (unsigned)ws->buffer_size;
  info->max_http_header_data2 = (unsigned)(CDS_WS_HEADER_ROOM + target);
  info->fd_limit_per_thread = DESCRIPTORS;
  info->timeout_secs = NEVER_SECONDS;
  info->connect_timeout_secs = NEVER_SECONDS;
  info->http_proxy_address = ""; /* or it would read the environment, by rules of its own */
}

static struct lws_vhost *make_vhost(struct cds_ws *ws, const char *name) {
  struct lws_context_creation_info info;
  fill_info(&info, ws);
  info.vhost_name = name;
  info.provided_client_ssl_ctx = ws->ssl;
  return lws_create_vhost(ws->lws, &info);
}

/* libwebsockets goes on without its wake-up when no descriptor is left for it; then nothing could end the thread. */
static bool can_be_woken(struct cds_ws *ws) {
  lws_cancel_service(ws->lws);
  (void)lws_service(ws->lws, -1); /* does not wait */
  return ws->can_be_woken;
}

static enum cds_status make_context(struct cds_ws *ws, struct cds_error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  struct lws_context_creation_info info;
  struct sigaction sigpipe;
  fill_info(&info, ws);
  pthread_once(&once, prepare_process);
  pthread_mutex_lock(&global_mu);
  if (tls_is_ready) info.options &= ~(uint64_t)LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  sigaction(SIGPIPE, NULL, &sigpipe);
  ws->lws = lws_create_context(&info);
  sigaction(SIGPIPE, &sigpipe, NULL);
  if (ws->lws != NULL) tls_is_ready = true;
  if (ws->lws != NULL) ws->direct = make_vhost(ws, "direct");
  pthread_mutex_unlock(&global_mu);
  if (ws->direct == NULL || !can_be_woken(ws))
    return cds_error_set(err, CDS_E_MEMORY, "no WebSocket context: memory or descriptors ran out");
  return CDS_OK;
}

enum cds_status cds_ws_new(struct cds_ws **out, const struct cds_ws_settings *settings,
                           const struct cds_ws_handler *handler, struct cds_error *err) {
  *out = NULL;
  struct cds_ws *ws = cds_calloc(1, sizeof *ws);
  if (ws == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  ws->settings = *settings;
  ws->handler = *handler;
  ws->latency_ms = -1;
  cds_buf_init(&ws->message, CDS_MAX_MESSAGE_BYTES);
  enum cds_status status = cds_ws_tls_new(&ws->ssl, &ws->tls_failure, &settings->tls, err);
  if (status == CDS_OK) status = make_context(ws, err);
  if (status != CDS_OK) {
    cds_ws_free(ws);
    return status;
  }
  *out = ws;
  return CDS_OK;
}

static void close_wait_over(struct lws_sorted_usec_list *sul) {
  struct cds_ws *ws = lws_container_of(sul, struct cds_ws, timer_sul);
  ws->state = CDS_WS_IDLE;
}

static void close_politely(struct cds_ws *ws) {
  cds_ws_heartbeat_stop(ws);
  ws->state = CDS_WS_CLOSING;
  lws_sul_schedule(ws->lws, 0, &ws->timer_sul, close_wait_over, CLOSE_WAIT_US);
  lws_callback_on_writable(ws->wsi);
  while (ws->wsi != NULL && ws->state == CDS_WS_CLOSING) cds_ws_service(ws);
}

void cds_ws_free(struct cds_ws *ws) {
  if (ws == NULL) return;
  if (ws->wsi != NULL && ws->state == CDS_WS_OPEN) close_politely(ws);
  ws->state = CDS_WS_CLOSING; /* no handler from here on */
  cds_lookup_free(ws->lookup);
  if (ws->lws != NULL) {
    lws_sul_cancel(&ws->attempt_sul);
    lws_sul_cancel(&ws->step_sul);
    lws_sul_cancel(&ws->timer_sul);
    lws_sul_cancel(&ws->ping_sul);
    pthread_mutex_lock(&global_mu);
    lws_context_destroy(ws->lws);
    pthread_mutex_unlock(&global_mu);
  }
  SSL_CTX_free(ws->ssl);
  cds_buf_clear(&ws->message);
  cds_free(ws);
}

/* ---- attempts ---- */

void cds_ws_outcome(struct cds_ws *ws, const struct cds_error *err) {
  if (ws->has_outcome) return;
  ws->has_outcome = true;
  ws->outcome = *err;
}

static void start_next_address(struct cds_ws *ws);

/* Called from the service loop, with no call of libwebsockets for the lost connection on the stack. */
static void step(struct lws_sorted_usec_list *sul) {
  struct cds_ws *ws = lws_container_of(sul, struct cds_ws, step_sul);
  bool another = ws->state == CDS_WS_CONNECTING && !ws->tcp_open && ws->next_address < ws->addresses.count &&
                 cds_clock_mono_ms() < ws->deadline_ms;
  if (another) {
    start_next_address(ws);
    return;
  }
  lws_sul_cancel(&ws->attempt_sul);
  ws->state = CDS_WS_IDLE;
  struct cds_error outcome = ws->outcome; /* the handler may start a new attempt */
  ws->handler.closed(ws->handler.context, &outcome);
}

void cds_ws_lost(struct cds_ws *ws) {
  ws->wsi = NULL;
  if (ws->state == CDS_WS_CLOSING) return;
  cds_ws_heartbeat_stop(ws);
  cds_buf_clear(&ws->message);
  lws_sul_schedule(ws->lws, 0, &ws->step_sul, step, 1);
}

static void fail(struct cds_ws *ws, const struct cds_error *err) {
  cds_ws_outcome(ws, err);
  cds_ws_lost(ws);
}

static void attempt_timed_out(struct lws_sorted_usec_list *sul) {
  struct cds_ws *ws = lws_container_of(sul, struct cds_ws, attempt_sul);
  struct cds_error err;
  double limit = ws->settings.connect_timeout;
  if (ws->is_looking_up) {
    ws->is_looking_up = false;
    cds_error_set(&err, CDS_E_TIMEOUT, "cannot resolve \"%s\": no answer within %g s", ws->url->host, limit);
    fail(ws, &err);
    return;
  }
  cds_error_set(&err, CDS_E_TIMEOUT, "no connection to %s:%u within %g s", ws->url->host, ws->url->port, limit);
  cds_ws_outcome(ws, &err);
  if (ws->wsi != NULL) lws_set_timeout(ws->wsi, PENDING_TIMEOUT_AWAITING_CONNECT_RESPONSE, LWS_TO_KILL_SYNC);
  if (ws->wsi != NULL) /* freed without a word */
    cds_ws_lost(ws);
}

/* An address that does not answer must leave time for those after it. */
static void schedule_timeout(struct cds_ws *ws) {
  int64_t left_ms = ws->deadline_ms - cds_clock_mono_ms();
  if (ws->next_address < ws->addresses.count && left_ms > 2 * MIN_ADDRESS_MS) left_ms /= 2;
  lws_sul_schedule(ws->lws, 0, &ws->attempt_sul, attempt_timed_out, left_ms > 0 ? left_ms * 1000 : 1);
}

static void fill_connect(struct lws_client_connect_info *info, struct cds_ws *ws, const char *host) {
  static const lws_retry_bo_t no_policy = {0}; /* the heartbeat is ours */
  *info = (struct lws_client_connect_info){0};
  info->context = ws->lws;
  info->vhost = ws->proxy[0] != 0 ? ws->proxied : ws->direct;
  info->address = ws->proxy[0] != 0 ? ws->url->host : ws->addresses.text[ws->next_address++];
  info->port = ws->url->port;
#if LWS_LIBRARY_VERSION_NUMBER < 4002000
  info->path = "/placeholder";
#else
  info->path = ws->target;
#endif
  info->host = host;
  info->ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
  if (ws->url->tls) /* the peer's name is checked by our SSL_CTX */
    info->ssl_connection |= LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
  info->alpn = "http/1.1";
  info->local_protocol_name = protocols[0].name;
  info->retry_and_idle_policy = &no_policy;
}

static void format_host(char *out, size_t size, const struct cds_url *url) {
  bool ipv6 = strchr(url->host, ':') != NULL, usual = url->port == (url->tls ? 443 : 80);
  char port[8] = "";
  if (!usual) snprintf(port, sizeof port, ":%u", url->port);
  snprintf(out, size, "%s%s%s%s", ipv6 ? "[" : "", url->host, ipv6 ? "]" : "", port);
}

static void start_next_address(struct cds_ws *ws) {
  struct lws_client_connect_info info;
  struct cds_error err;
  char host[300];
  format_host(host, sizeof host, ws->url);
  ws->has_outcome = ws->tcp_open = ws->lost_at_start = false;
  ws->verify_error = X509_V_OK;
  ws->tls_failure = 0;
  fill_connect(&info, ws, host);
  ws->starting = true;
  errno = 0;
  struct lws *wsi = lws_client_connect_via_info(&info);
  int reason = errno;
  ws->starting = false;
  ws->wsi = ws->lost_at_start ? NULL : wsi;
  if (ws->wsi != NULL) {
    schedule_timeout(ws);
    return;
  }
  cds_error_set(&err, CDS_E_NETWORK, "cannot connect to %s:%u: %s", ws->url->host, ws->url->port,
                reason == EMFILE ? strerror(reason) : "refused or unreachable");
  fail(ws, &err);
}

static enum cds_status prepare_route(struct cds_ws *ws, struct cds_error *err) {
  if (strlen(ws->url->host) + sizeof "[]:65535" > MAX_HOST_HEADER)
    return cds_error_set(err, CDS_E_CONFIG, "ws_url: the host name is longer than %d characters", MAX_HOST_HEADER - 10);
  enum cds_status status = cds_proxy_for(ws->proxy, ws->url, ws->settings.proxy, err);
  if (status != CDS_OK) return status;
  if (ws->url->tls && !ws->settings.tls.insecure_skip_verify && !cds_ws_tls_expect(ws->ssl, ws->url->host))
    return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  if (ws->proxy[0] == 0) return CDS_OK;
  if (ws->proxied == NULL) ws->proxied = make_vhost(ws, "proxied");
  if (ws->proxied == NULL || lws_set_proxy(ws->proxied, ws->proxy) != 0)
    return cds_error_set(err, CDS_E_CONFIG,
                         "proxy: libwebsockets refused it; expected [user:password@]host:port, short");
  return CDS_OK;
}

void cds_ws_looked_up(struct cds_ws *ws) {
  struct cds_error err = {0};
  enum cds_status status;
  if (!ws->is_looking_up || !cds_lookup_take(ws->lookup, &status, &ws->addresses, &err)) return;
  ws->is_looking_up = false;
  cds_lookup_free(ws->lookup);
  ws->lookup = NULL;
  if (status == CDS_OK) start_next_address(ws);
  else fail(ws, &err);
}

static void lookup_done(void *context) {
  cds_ws_wake(context);
}

static enum cds_status look_up(struct cds_ws *ws, struct cds_error *err) {
  const char *host = ws->url->host;
  if (!cds_lookup_is_of(ws->lookup, host)) {
    cds_lookup_free(ws->lookup);
    ws->lookup = NULL;
    enum cds_status status = cds_lookup_start(&ws->lookup, host, lookup_done, ws, err);
    if (status != CDS_OK) return status;
  }
  ws->is_looking_up = true;
  schedule_timeout(ws);
  cds_ws_looked_up(ws); /* one left over from the attempt before may have its answer */
  return CDS_OK;
}

void cds_ws_connect(struct cds_ws *ws, const struct cds_url *url, const char *target) {
  struct cds_error err = {0};
  ws->url = url;
  ws->target = target;
  ws->state = CDS_WS_CONNECTING;
  ws->deadline_ms = cds_clock_mono_ms() + (int64_t)(ws->settings.connect_timeout * 1000);
  ws->addresses.count = ws->next_address = 0;
  ws->has_outcome = ws->tcp_open = ws->paused = ws->is_looking_up = false;
  if (prepare_route(ws, &err) != CDS_OK) fail(ws, &err);
  else if (ws->proxy[0] != 0 || cds_resolve_numeric(&ws->addresses, url->host)) start_next_address(ws);
  else if (look_up(ws, &err) != CDS_OK) fail(ws, &err);
}

void cds_ws_established(struct cds_ws *ws) {
  lws_sul_cancel(&ws->attempt_sul);
  ws->state = CDS_WS_OPEN;
  cds_ws_heartbeat_start(ws);
  ws->handler.opened(ws->handler.context);
}

/* ---- the rest ---- */

static void timer_due(struct lws_sorted_usec_list *sul) {
  struct cds_ws *ws = lws_container_of(sul, struct cds_ws, timer_sul);
  ws->handler.timer(ws->handler.context);
}

void cds_ws_timer(struct cds_ws *ws, double seconds) {
  lws_usec_t delay = (lws_usec_t)((seconds < 1e9 ? seconds : 1e9) * 1e6);
  lws_sul_schedule(ws->lws, 0, &ws->timer_sul, timer_due, delay > 0 ? delay : 1);
}

void cds_ws_pause(struct cds_ws *ws, bool pause) {
  if (ws->state != CDS_WS_OPEN || ws->wsi == NULL || ws->paused == pause) return;
  ws->paused = pause;
  lws_rx_flow_control(ws->wsi, pause ? 0 : 1);
  if (pause) cds_ws_heartbeat_stop(ws);
  else cds_ws_heartbeat_resume(ws);
}

void cds_ws_drop(struct cds_ws *ws, const struct cds_error *why) {
  if (ws->state != CDS_WS_OPEN || ws->wsi == NULL) return;
  cds_ws_outcome(ws, why);
  lws_set_timeout(ws->wsi, PENDING_TIMEOUT_WS_PONG_CHECK_GET_PONG, LWS_TO_KILL_SYNC);
}

double cds_ws_ping_latency_ms(const struct cds_ws *ws) {
  return ws->latency_ms;
}

void cds_ws_service(struct cds_ws *ws) {
  (void)lws_service(ws->lws, 0);
}

void cds_ws_wake(struct cds_ws *ws) {
  lws_cancel_service(ws->lws);
}
