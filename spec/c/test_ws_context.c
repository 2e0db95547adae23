/* SPDX-License-Identifier: MIT
 * A context asks nothing of the network by itself, and ends also where descriptors ran out: getaddrinfo and eventfd below
 * take the library's places. What libwebsockets is asked for is looked at on its way there. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include "tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/ws_context.h"

#define ROUNDS 50
#define MAX_START_MS 10000
#define TICK_US 10000

static int looked_up;

__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **found) {
  (void)service, (void)hints, (void)found;
  printf("# %s is looked up\n", host);
  looked_up++;
  return EAI_FAIL;
}

static int left = -1; /* how many calls of eventfd succeed; negative: all */

__attribute__((visibility("default"))) int eventfd(unsigned count, int flags) {
  if (left == 0) {
    errno = EMFILE;
    return -1;
  }
  if (left > 0) left--;
  return (int)syscall(SYS_eventfd2, count, flags);
}

/* ---- what is asked for ---- */

static struct lws_context_creation_info asked, asked_of_vhost; /* last */
static bool refuses;                                           /* libwebsockets makes no context */

__attribute__((visibility("default"))) struct lws_context *lws_create_context(
  const struct lws_context_creation_info *info) {
  struct lws_context *(*real)(const struct lws_context_creation_info *);
  asked = *info;
  if (refuses) return NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "lws_create_context");
  return real(info);
}

__attribute__((visibility("default"))) struct lws_vhost *lws_create_vhost(
  struct lws_context *context, const struct lws_context_creation_info *info) {
  struct lws_vhost *(*real)(struct lws_context *, const struct lws_context_creation_info *);
  asked_of_vhost = *info;
  *(void **)&real = dlsym(RTLD_NEXT, "lws_create_vhost");
  return real(context, info);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *bytes, size_t size) {
  (void)wsi, (void)reason, (void)user, (void)bytes, (void)size;
  return 0;
}

static const struct lws_protocols protocols[] = {{.name = "test", .callback = callback}, {0}};

static void on_tick(struct lws_sorted_usec_list *tick) {
  (void)tick; /* it only ends a wait */
}

static bool gets_ready(struct lws_context *lws) {
  lws_state_manager_t *state = lws_system_get_state_manager(lws);
  struct lws_sorted_usec_list tick = {0};
  int64_t deadline = cds_clock_mono_ms() + MAX_START_MS;
  while (state->state != LWS_SYSTATE_OPERATIONAL && cds_clock_mono_ms() < deadline) {
    lws_sul_schedule(lws, 0, &tick, on_tick, TICK_US);
    lws_service(lws, 0);
  }
  lws_sul_cancel(&tick);
  return state->state == LWS_SYSTATE_OPERATIONAL;
}

static void looks_for_no_portal(struct cds_ws_context *context) {
  ok(gets_ready(context->lws), "it comes as far as to look for a portal");
  const lws_system_ops_t *ops = lws_system_get_ops(context->lws);
  ok(ops != NULL && ops->captive_portal_detect_request != NULL, "whether there is a portal is answered here");
  is_number(lws_system_cpd_start(context->lws), 0, "when it is asked");
  for (int i = 0; i < ROUNDS; i++) lws_service(context->lws, -1);
  is_number(looked_up, 0, "and no name is looked up for that");
  cds_ws_context_clear(context);
}

/* ---- settings ---- */

#define PREPARES_TLS ((uint64_t)LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT)

static unsigned client_descriptors;

/* Of the first contexts of the process. */
static void test_first(void) {
  struct cds_ws_context context;
  struct sigaction before = {.sa_handler = SIG_DFL}, after;
  sigaction(SIGPIPE, &before, NULL);
  refuses = true;
  ok(!cds_ws_context_init(&context, protocols, NULL, 100) && context.lws == NULL, "there may be no context");
  cds_ws_context_clear(&context);
  refuses = false;
  ok(cds_ws_context_init(&context, protocols, &before, 100), "then there is");
  sigaction(SIGPIPE, NULL, &after);
  ok(after.sa_handler == SIG_DFL, "SIGPIPE does what it did");
#if LWS_LIBRARY_VERSION_NUMBER < 4005000
  ok((asked.options & PREPARES_TLS) != 0, "the first one prepares OpenSSL");
#endif
  ok((asked.options & LWS_SERVER_OPTION_EXPLICIT_VHOSTS) != 0 && asked.port == CONTEXT_PORT_NO_LISTEN,
     "it has no vhost of its own");
  ok(asked.user == &before && asked.protocols == protocols, "but a user");
  is_number(asked.pt_serv_buf_size, 100 + CDS_WS_HEADER_ROOM + 4096, "room for a request");
  is_number(context.buffer_size, asked.pt_serv_buf_size, "which it knows");
  is_number(asked.max_http_header_data2, CDS_WS_HEADER_ROOM, "and for an answer");
  ok(asked.timeout_secs >= 86400 && asked.connect_timeout_secs >= 86400, "no time that ends anything");
  ok(asked.http_proxy_address != NULL && asked.http_proxy_address[0] == 0, "no proxy of the environment's");
  client_descriptors = asked.fd_limit_per_thread;
  ok(client_descriptors > 3, "and descriptors");
  cds_ws_context_clear(&context);
  ok(context.lws == NULL, "until it ends");
  cds_ws_context_clear(&context);
  ok(cds_ws_context_init(&context, protocols, NULL, 100) && (asked.options & PREPARES_TLS) == 0,
     "no other prepares OpenSSL");
  cds_ws_context_clear(&context);
}

static void test_vhost(void) {
  struct cds_ws_context context;
  SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
  ok(cds_ws_context_init(&context, protocols, NULL, 100), "a context");
  ok(cds_ws_context_vhost(&context, "direct", ssl) != NULL, "has a vhost");
  ok(strcmp(asked_of_vhost.vhost_name, "direct") == 0 && asked_of_vhost.provided_client_ssl_ctx == ssl,
     "of that name, with settings of TLS");
  ok((asked_of_vhost.options & PREPARES_TLS) != 0 && asked_of_vhost.port == CONTEXT_PORT_NO_LISTEN,
     "which connects, and does not listen");
  cds_ws_context_clear(&context);
  SSL_CTX_free(ssl);
}

static void test_server(void) {
  struct cds_ws_context context;
  const struct cds_ws_server_limits limits = {.connections = 7, .seconds = 5, .header_bytes = 5000};
  ok(cds_ws_context_init_server(&context, protocols, &context, &limits), "a server");
  ok(asked.user == &context && asked.pt_serv_buf_size == 5000 && asked.max_http_header_data2 == 5000,
     "has room for so many bytes");
  ok(asked.timeout_secs == 5 && asked.timeout_secs_ah_idle == 5, "for so long");
  is_number(asked.fd_limit_per_thread, client_descriptors + 7, "and descriptors for its peers");
  ok(cds_ws_context_listen(&context, "127.0.0.1", 0) != NULL, "it listens");
  ok(strcmp(asked_of_vhost.iface, "127.0.0.1") == 0 && asked_of_vhost.port == 0, "at an address");
  is_number(asked_of_vhost.options & (PREPARES_TLS | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                                      LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_EXPLICIT_VHOSTS),
            LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | LWS_SERVER_OPTION_DISABLE_IPV6 |
              LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
            "of IPv4, without TLS, or not at all");
  (void)cds_ws_context_listen(&context, "::1", 0); /* where there is IPv6 */
  ok((asked_of_vhost.options & LWS_SERVER_OPTION_DISABLE_IPV6) == 0, "or of IPv6");
  cds_ws_context_clear(&context);
}

int main(void) {
  struct cds_ws_context context;
  test_first();
  test_vhost();
  test_server();
  ok(cds_ws_context_init(&context, protocols, NULL, 100), "there is a context of a client");
  ok(cds_ws_context_vhost(&context, "direct", NULL) != NULL, "with a vhost");
  looks_for_no_portal(&context);

  struct cds_ws_server_limits limits = {.connections = 2, .seconds = 1, .header_bytes = 4096};
  ok(cds_ws_context_init_server(&context, protocols, NULL, &limits), "there is a context of a server");
  ok(cds_ws_context_listen(&context, "127.0.0.1", 0) != NULL, "with a vhost");
  looks_for_no_portal(&context);

  for (int descriptors = 0; descriptors < 6; descriptors++) {
    left = descriptors;
    bool made = cds_ws_context_init(&context, protocols, NULL, 100);
    cds_ws_context_clear(&context); /* whatever it had to go on without */
    is_number(made, descriptors >= 3, "a context wants three descriptors");
  }
  return done();
}
