/* SPDX-License-Identifier: MIT
 * What an attempt asks of libwebsockets: addresses in turn, hosts by name, proxies, and how long each may take, by a clock
 * that the test holds. Functions of libwebsockets' below take the library's places, so that nothing connects. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include "net/ws_attempt.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "resolver.h"
#include "tap.h"

#define LONG_S 90    /* for a hang */
#define NONE 1000000 /* begins */

/* ---- time ---- */

static int64_t now_ms;

int64_t cds_clock_mono_ms(void) {
  return now_ms;
}

int64_t cds_clock_mono_ns(void) {
  return now_ms * 1000000;
}

int64_t cds_clock_wall_ms(void) {
  return now_ms;
}

/* ---- libwebsockets ---- */

static char place;
static struct lws *const connection = (struct lws *)&place;
static int refusals;       /* so many attempts are refused before the first that begins */
static int failure;        /* errno then */
static int attempts;       /* that were asked for */
static int64_t takes_ms;   /* that pass with each */
static char addresses[64]; /* of them */
static struct lws_client_connect_info asked;
static char host[300];
static int kills, kill_when;
static char proxies[256];
static int proxy_fails = -1, proxy_count; /* the one that it does not take; negative: none */
static struct lws_vhost *proxy_vhost;
static bool is_noted; /* what is asked of it, and not by itself */

__attribute__((visibility("default"))) struct lws *lws_client_connect_via_info(
  const struct lws_client_connect_info *info) {
  asked = *info;
  snprintf(host, sizeof host, "%s", info->host);
  if (strlen(addresses) + strlen(info->address) + 2 < sizeof addresses) strcat(strcat(addresses, info->address), " ");
  attempts++;
  now_ms += takes_ms;
  lws_cancel_service(info->context); /* who waits for an attempt is not to wait on */
  errno = failure;
  return attempts > refusals ? connection : NULL;
}

__attribute__((visibility("default"))) int lws_set_proxy(struct lws_vhost *vhost, const char *proxy) {
  if (!is_noted || *proxy == 0) return 0;
  strcat(strcat(proxies, proxy), " ");
  proxy_vhost = vhost;
  return proxy_count++ == proxy_fails ? -1 : 0;
}

__attribute__((visibility("default"))) void lws_set_timeout(struct lws *wsi, enum pending_timeout reason, int seconds) {
  void (*real)(struct lws *, enum pending_timeout, int);
  if (wsi == connection) {
    kills++;
    kill_when = seconds;
    return;
  }
  *(void **)&real = dlsym(RTLD_NEXT, "lws_set_timeout");
  real(wsi, reason, seconds);
}

/* ---- a ws ---- */

static struct cds_ws *ws;
static int closes, late;
static struct cds_error reason;
static struct cds_url url;

static enum cds_status add_nothing(void *context, struct cds_buf *lines, struct cds_error *err) {
  (void)context, (void)lines, (void)err;
  return CDS_OK;
}

static void nothing(void *context) {
  (void)context;
}

static void on_message(void *context, const char *data, size_t length) {
  (void)context, (void)data, (void)length;
}

static void on_closed(void *context, const struct cds_error *err) {
  (void)context;
  closes++;
  reason = *err;
  cds_ws_end(ws);
}

static void on_timer(void *context) {
  (void)context;
  late++;
  cds_ws_end(ws);
}

static void begin(const char *proxy, double seconds) {
  const struct cds_ws_settings settings = {
    .proxy = proxy, .connect_timeout = seconds, .ping_interval = 3600, .pong_timeout = 3600, .max_target = 64};
  const struct cds_ws_handler handler = {.headers = add_nothing,
                                         .opened = nothing,
                                         .message = on_message,
                                         .closed = on_closed,
                                         .timer = on_timer,
                                         .woken = nothing};
  struct cds_error err;
  now_ms = 1000;
  is_noted = false;
  refusals = NONE;
  failure = attempts = closes = late = kills = proxy_count = 0;
  takes_ms = 0;
  addresses[0] = proxies[0] = 0;
  reason = (struct cds_error){0};
  if (cds_ws_new(&ws, &settings, &handler, &err) != CDS_OK) exit(1);
  is_noted = true;
}

static void end(void) {
  cds_ws_free(ws);
}

static void connect_to(const char *name, uint16_t port, bool tls) {
  url = (struct cds_url){.tls = tls, .host = (char *)(uintptr_t)name, .port = port, .base = (char *)""};
  cds_ws_connect(ws, &url, "/");
}

/* Until it has ended. */
static void go_on(void) {
  cds_ws_timer(ws, LONG_S);
  while (cds_ws_service(ws)) {}
  ws->is_ended = false;
  is_number(late, 0, "in time");
}

/* Until libwebsockets was asked so often. */
static void await_attempts(int count) {
  cds_ws_timer(ws, LONG_S);
  while (attempts < count && cds_ws_service(ws)) {}
  is_number(attempts, count, "attempts are made");
}

/* ---- what is asked for ---- */

static void is_asked_as(const char *name, uint16_t port, bool tls, const char *host_header) {
  begin("", 60);
  refusals = 0;
  connect_to(name, port, tls);
  ok(attempts == 1 && strcmp(asked.address, name) == 0 && asked.port == port, "an address in numbers is asked at once");
  is_string(host, host_header, "with its host, and the port unless it is the usual one");
  is_number(asked.ssl_connection,
            LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (tls ? LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK : 0),
            "and TLS if it is to be");
  ok(asked.vhost == ws->direct && asked.context == ws->context.lws, "by the vhost without a proxy");
  is_string(asked.alpn, "http/1.1", "in this protocol");
  end();
}

static void test_hosts(void) {
  is_asked_as("127.0.0.1", 443, true, "127.0.0.1");
  is_asked_as("127.0.0.1", 80, false, "127.0.0.1");
  is_asked_as("127.0.0.1", 80, true, "127.0.0.1:80");
  is_asked_as("127.0.0.1", 443, false, "127.0.0.1:443");
  is_asked_as("127.0.0.1", 444, true, "127.0.0.1:444");
  is_asked_as("::1", 443, true, "[::1]");
  is_asked_as("::1", 65535, false, "[::1]:65535");
}

static void test_refused(void) {
  begin("", 60);
  connect_to("127.0.0.1", 443, true);
  is_number(closes, 0, "nothing is told while it is asked for");
  go_on();
  ok(closes == 1 && attempts == 1 && reason.status == CDS_E_NETWORK, "a refusal is told once");
  is_string(reason.message, "cannot connect to 127.0.0.1:443: refused or unreachable", "in words");
  end();
  begin("", 60);
  failure = EMFILE;
  connect_to("127.0.0.1", 443, true);
  go_on();
  is_string(reason.message, "cannot connect to 127.0.0.1:443: Too many open files", "a lack of descriptors as such");
  end();
}

/* ---- addresses in turn ---- */

/* Is the answer with both of them held back? */
static void hold(bool is_held) {
  resolver_set("two.test", 0, "127.0.0.1", "127.0.0.2");
  pthread_mutex_lock(&resolver.mu);
  resolver_find("two.test")->is_blocked = is_held;
  pthread_cond_broadcast(&resolver.changed);
  pthread_mutex_unlock(&resolver.mu);
}

static void test_addresses(void) {
  hold(false);
  begin("", 60);
  connect_to("two.test", 81, false);
  go_on();
  is_string(addresses, "127.0.0.1 127.0.0.2 ", "each address is tried, once");
  is_string(host, "two.test:81", "by the name of the host");
  ok(closes == 1 && strstr(reason.message, "two.test:81") != NULL, "and their end is told once");
  connect_to("two.test", 81, false);
  go_on();
  is_string(addresses, "127.0.0.1 127.0.0.2 127.0.0.1 127.0.0.2 ", "the next attempt begins with the first");
  end();
  begin("", 60);
  takes_ms = 59999;
  connect_to("two.test", 81, false);
  go_on();
  is_number(attempts, 2, "as long as there is time");
  end();
  begin("", 60);
  takes_ms = 60000;
  connect_to("two.test", 81, false);
  go_on();
  ok(attempts == 1 && closes == 1, "and not when there is none");
  end();
}

/* ---- how long it may take ---- */

/* Between two moments it was set to so many microseconds. */
static bool is_set_for(int64_t us, int64_t before_us) {
  int64_t from = ws->attempt_sul.us - us;
  if (from >= before_us && from <= (int64_t)lws_now_usecs()) return true;
  printf("# %lld us\n", (long long)(ws->attempt_sul.us - before_us));
  return false;
}

static void one_address_has(double seconds, int64_t us) {
  begin("", seconds);
  refusals = 0;
  int64_t before_us = (int64_t)lws_now_usecs();
  connect_to("127.0.0.1", 81, false);
  ok(is_set_for(us, before_us), "one address has all of %g s", seconds);
  end();
}

static void first_of_two_has(double seconds, int64_t us) {
  begin("", seconds);
  refusals = 0;
  int64_t before_us = (int64_t)lws_now_usecs();
  connect_to("two.test", 81, false);
  await_attempts(1);
  ok(is_set_for(us, before_us), "the first of two has its part of %g s", seconds);
  end();
}

static void test_times(void) {
  one_address_has(60, 60000000);
  one_address_has(0.3, 300000);
  one_address_has(0.001, 1000);
  one_address_has(0, 1);
  first_of_two_has(60, 30000000);
  first_of_two_has(30.501, 15250000);
  begin("", 40);
  refusals = 1;
  takes_ms = 10000;
  hold(true);
  int64_t before_us = (int64_t)lws_now_usecs();
  connect_to("two.test", 81, false);
  ok(is_set_for(40000000, before_us), "a name may take all of it");
  hold(false);
  await_attempts(2);
  ok(is_set_for(20000000, before_us), "the last address has what the others have left");
  end();
}

/* Where two have no half second, each may take it. */
static void test_short_times(void) {
  begin("", 60);
  refusals = 0;
  hold(true);
  connect_to("two.test", 81, false);
  now_ms += 59500;
  int64_t before_us = (int64_t)lws_now_usecs();
  hold(false);
  await_attempts(1);
  ok(is_set_for(500000, before_us), "half a second is one address's");
  end();
  begin("", 60);
  refusals = 0;
  hold(true);
  connect_to("two.test", 81, false);
  now_ms += 59498;
  before_us = (int64_t)lws_now_usecs();
  hold(false);
  await_attempts(1);
  ok(is_set_for(251000, before_us), "of more the next one has its part");
  end();
}

static void time_is_over(void) {
  lws_sul_cancel(&ws->attempt_sul);
  ws->attempt_sul.cb(&ws->attempt_sul);
}

static void test_late(void) {
  begin("", 60);
  refusals = 0;
  connect_to("127.0.0.1", 81, false);
  ws->reader.is_reading = true;
  cds_ws_kill(ws);
  ok(kills == 1 && kill_when == LWS_TO_KILL_ASYNC, "one that is read is ended a little later");
  ws->reader.is_reading = false;
  time_is_over();
  ok(kills == 2 && kill_when == LWS_TO_KILL_SYNC && ws->wsi == NULL, "one that is late at once");
  go_on();
  ok(closes == 1 && reason.status == CDS_E_TIMEOUT, "which is told");
  is_string(reason.message, "no connection to 127.0.0.1:81 within 60 s", "in words");
  cds_ws_kill(ws);
  is_number(kills, 2, "what is not there is not ended");
  end();
  resolver_block("slow.test", true);
  begin("", 60);
  connect_to("slow.test", 81, false);
  time_is_over();
  resolver_release("slow.test");
  go_on();
  ok(closes == 1 && attempts == 0 && reason.status == CDS_E_TIMEOUT, "a name may be late as well");
  is_string(reason.message, "cannot resolve \"slow.test\": no answer within 60 s", "in other words");
  end();
}

/* ---- proxies ---- */

static void test_proxy(void) {
  begin("http://user:secret@p.example:3128", 60);
  refusals = 0;
  for (int i = 0; i < 2; i++) {
    connect_to("far.example", 443, true);
    ok(asked.vhost == ws->proxied && proxy_vhost == ws->proxied && ws->proxied != ws->direct, "by a vhost of its own");
    is_string(asked.address, "far.example", "which is asked for the name itself");
  }
  is_string(proxies,
            "user:secret@p.example:3128 user:secret@p.example user:secret@p.example:3128 user:secret@p.example ",
            "the proxy is told with its port, then by its name alone");
  time_is_over();
  go_on();
  is_string(reason.message, "no connection to far.example:443 through the proxy p.example:3128 within 60 s",
            "when it is late");
  refusals = NONE;
  connect_to("far.example", 443, true);
  go_on();
  is_string(reason.message, "cannot connect to the proxy p.example:3128: refused or unreachable", "or refused");
  end();
  begin("[::1]:8", 60);
  connect_to("far.example", 443, true);
  is_string(proxies, "[::1]:8 ", "one of an IPv6 address as a whole");
  go_on();
  end();
}

static void test_proxy_refused(void) {
  for (proxy_fails = 0; proxy_fails < 2; proxy_fails++) {
    begin("p.example:3128", 60);
    connect_to("far.example", 443, true);
    go_on();
    ok(closes == 1 && attempts == 0 && reason.status == CDS_E_CONFIG, "a proxy that libwebsockets refuses");
    is_string(reason.message, "proxy: libwebsockets refused it; expected [user:password@]host:port, short",
              "is told so");
    end();
  }
  proxy_fails = -1;
  begin("socks5://p.example:1", 60);
  connect_to("127.0.0.1", 443, true);
  go_on();
  ok(closes == 1 && attempts == 0 && reason.status == CDS_E_CONFIG && strstr(reason.message, "proxy: expected") != NULL,
     "so is one that is none");
  end();
}

/* The longest name that libwebsockets names whole, and one more. */
static void test_long_host(void) {
  char name[120];
  memset(name, 'a', sizeof name);
  name[109] = 0;
  begin("p.example:3128", 60);
  refusals = 0;
  connect_to(name, 65535, true);
  ok(attempts == 1 && strlen(host) == 109 + 6, "a long name");
  refusals = NONE;
  name[109] = 'a', name[110] = 0;
  connect_to(name, 65535, true);
  go_on();
  ok(closes == 1 && attempts == 1 && reason.status == CDS_E_CONFIG, "one that is too long");
  is_string(reason.message, "ws_url: the host name is longer than 109 characters", "is told so");
  end();
}

/* ---- what is left of it ---- */

static bool is_at_rest(const struct lws_sorted_usec_list *sul) {
  return sul->list.owner == NULL;
}

static int contexts;
static bool all_at_rest;

__attribute__((visibility("default"))) void lws_context_destroy(struct lws_context *context) {
  void (*real)(struct lws_context *);
  contexts++;
  all_at_rest = is_at_rest(&ws->attempt_sul) && is_at_rest(&ws->step_sul) && is_at_rest(&ws->timer_sul) &&
                is_at_rest(&ws->heartbeat.sul);
  *(void **)&real = dlsym(RTLD_NEXT, "lws_context_destroy");
  real(context);
}

static void ends_at_rest(const char *what) {
  contexts = 0;
  end();
  ok(contexts == 1 && all_at_rest, "no clock is left behind: %s", what);
}

static void test_clocks(void) {
  begin("", 60);
  refusals = 0;
  connect_to("127.0.0.1", 81, false);
  cds_ws_timer(ws, 60);
  ends_at_rest("under way");
  begin("", 60);
  connect_to("127.0.0.1", 81, false);
  ok(!is_at_rest(&ws->step_sul), "an attempt has ended");
  ends_at_rest("at its end");
  begin("", 60);
  refusals = 0;
  connect_to("127.0.0.1", 81, false);
  cds_heartbeat_start(&ws->heartbeat, connection);
  ends_at_rest("with a heartbeat");
}

int main(void) {
  test_hosts();
  test_refused();
  test_addresses();
  test_times();
  test_short_times();
  test_late();
  test_proxy();
  test_proxy_refused();
  test_long_host();
  test_clocks();
  return done();
}
