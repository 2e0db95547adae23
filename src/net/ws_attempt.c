/* SPDX-License-Identifier: MIT
 * Connection attempts: the host's addresses in turn, within the time there is for all of them. */
#include "net/ws_attempt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "net/proxy.h"

#define MIN_ADDRESS_MS 250 /* for one of several addresses */
#define MAX_HOST 109       /* of whose header, with a port, libwebsockets would cut a longer one */

void cds_ws_unreachable(struct cds_error *err, const struct cds_ws *ws, const char *reason) {
  if (ws->proxy[0] != 0)
    cds_error_set(err, CDS_E_NETWORK, "cannot connect to the proxy %s: %s", cds_proxy_name(ws->proxy), reason);
  else cds_error_set(err, CDS_E_NETWORK, "cannot connect to %s:%u: %s", ws->url->host, ws->url->port, reason);
}

void cds_ws_outcome(struct cds_ws *ws, const struct cds_error *err) {
  if (ws->has_outcome) return;
  ws->has_outcome = true;
  ws->outcome = *err;
}

void cds_ws_kill(struct cds_ws *ws) {
  int when = ws->reader.is_reading ? LWS_TO_KILL_ASYNC : LWS_TO_KILL_SYNC; /* not under its own hands */
  if (ws->wsi != NULL) lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_OK, when);
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
  cds_heartbeat_stop(&ws->heartbeat);
  cds_buf_clear(&ws->message);
  cds_buf_clear(&ws->held);
  lws_sul_schedule(ws->context.lws, 0, &ws->step_sul, step, 1);
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
  cds_error_set(&err, CDS_E_TIMEOUT, "no connection to %s:%u%s%s within %g s", ws->url->host, ws->url->port,
                ws->proxy[0] != 0 ? " through the proxy " : "", cds_proxy_name(ws->proxy), limit);
  cds_ws_outcome(ws, &err);
  cds_ws_kill(ws);
  if (ws->wsi != NULL) /* freed without a word */
    cds_ws_lost(ws);
}

/* An address that does not answer must leave time for those after it. */
static void schedule_timeout(struct cds_ws *ws) {
  int64_t left_ms = ws->deadline_ms - cds_clock_mono_ms();
  if (ws->next_address < ws->addresses.count && left_ms > 2 * MIN_ADDRESS_MS) left_ms /= 2;
  lws_sul_schedule(ws->context.lws, 0, &ws->attempt_sul, attempt_timed_out, left_ms > 0 ? left_ms * 1000 : 1);
}

static void fill_connect(struct lws_client_connect_info *info, struct cds_ws *ws, const char *host) {
  static const lws_retry_bo_t no_policy = {0}; /* the heartbeat is ours */
  *info = (struct lws_client_connect_info){0};
  info->context = ws->context.lws;
  info->vhost = ws->proxy[0] != 0 ? ws->proxied : ws->direct;
  info->address = ws->proxy[0] != 0 ? ws->url->host : ws->addresses.text[ws->next_address++];
  info->port = ws->url->port;
  info->path = CDS_WS_PLACEHOLDER;
  info->host = host;
  info->ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
  if (ws->url->tls) /* the peer's name is checked by our SSL_CTX */
    info->ssl_connection |= LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
  info->alpn = "http/1.1";
  info->local_protocol_name = ws->context.protocols[0].name;
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
  cds_ws_unreachable(&err, ws, reason == EMFILE ? strerror(reason) : "refused or unreachable");
  fail(ws, &err);
}

/* libwebsockets from 4.5.3 on takes "host:port" for the proxy's name, but remembers the port: the name follows alone. An
 * IPv6 address in brackets it would misread then. */
static bool set_proxy(struct lws_vhost *vhost, const char *proxy) {
  char name[CDS_MAX_PROXY_TEXT] = "";
  const char *port = strrchr(proxy, ':');
  if (lws_set_proxy(vhost, proxy) != 0) return false;
  if (port == NULL || strchr(proxy, '[') != NULL) return true;
  snprintf(name, sizeof name, "%.*s", (int)(port - proxy), proxy);
  return lws_set_proxy(vhost, name) == 0;
}

static enum cds_status prepare_route(struct cds_ws *ws, struct cds_error *err) {
  if (strlen(ws->url->host) > MAX_HOST)
    return cds_error_set(err, CDS_E_CONFIG, "ws_url: the host name is longer than %d characters", MAX_HOST);
  enum cds_status status = cds_proxy_for(ws->proxy, ws->url, ws->settings.proxy, err);
  if (status != CDS_OK) return status;
  if (ws->url->tls && !ws->settings.tls.insecure_skip_verify && !cds_ws_tls_expect(ws->ssl, ws->url->host))
    return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  if (ws->proxy[0] == 0) return CDS_OK;
  if (ws->proxied == NULL) ws->proxied = cds_ws_context_vhost(&ws->context, "proxied", ws->ssl);
  if (ws->proxied == NULL || !set_proxy(ws->proxied, ws->proxy))
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
  struct cds_ws *ws = context;
  lws_cancel_service(ws->context.lws);
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

void cds_ws_attempt(struct cds_ws *ws, const struct cds_url *url, const char *target) {
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

void cds_ws_established(struct cds_ws *ws, struct lws *wsi) {
  lws_sul_cancel(&ws->attempt_sul);
  ws->wsi = wsi;
  ws->state = CDS_WS_OPEN;
  cds_heartbeat_start(&ws->heartbeat, wsi);
  ws->handler.opened(ws->handler.context);
}
