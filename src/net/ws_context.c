/* SPDX-License-Identifier: MIT
 * Making and ending libwebsockets contexts. */
#define _GNU_SOURCE /* F_SETSIG */
#include "net/ws_context.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/portal.h"

#define NEVER_SECONDS 86400 /* for libwebsockets' own timeouts, which ours replace */
#define DESCRIPTORS 16      /* one connection, the wake-up, and some to spare */
#define OWN_DESCRIPTORS 3   /* of a context: random bytes, its wake-up, the routes it watches */

/* lws_create_context changes the process's SIGPIPE disposition and initialises globals: one at a time, and put the
 * disposition back. Never held over a fork, as a child could not take it again. */
static pthread_mutex_t global_mu = PTHREAD_MUTEX_INITIALIZER;

/* libwebsockets prepares OpenSSL once more for each context that asks for it, and takes a new place for its data in all
 * of OpenSSL's objects: a handshake under way in another thread would then miss its own, and refuse the certificate. */
static bool tls_is_ready; /* guarded by global_mu */

/* From 4.5 on (until 5.0) the end of the last context that prepared OpenSSL is the end of OpenSSL for the whole process:
 * that one is kept for ever. */
#define OUTLIVES_OPENSSL (LWS_LIBRARY_VERSION_NUMBER >= 4005000 && LWS_LIBRARY_VERSION_NUMBER < 5000000)

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

static void fill_info(struct lws_context_creation_info *info, struct cds_ws_context *context) {
  static const lws_system_ops_t system = {.captive_portal_detect_request = cds_look_for_no_portal};
  *info = (struct lws_context_creation_info){0};
  info->port = CONTEXT_PORT_NO_LISTEN;
  info->protocols = context->protocols;
  info->options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  info->user = context->user;
  info->system_ops = &system;
  info->pt_serv_buf_size = (unsigned)context->buffer_size;
  info->max_http_header_data2 = CDS_WS_HEADER_ROOM;
  info->fd_limit_per_thread = DESCRIPTORS;
  info->timeout_secs = NEVER_SECONDS;
  info->connect_timeout_secs = NEVER_SECONDS;
  info->http_proxy_address = ""; /* or it would read the environment, by rules of its own */
#if LWS_LIBRARY_VERSION_NUMBER >= 4003000
  info->log_cx = &context->log; /* all contexts would share another one, whose users it counts without a lock */
#endif
}

/* global_mu is held. */
static bool keep_openssl(void) {
  static const struct lws_protocols none[] = {{0}};
  static struct cds_ws_context keeper = {.protocols = none};
  struct lws_context_creation_info info;
  fill_info(&info, &keeper);
  keeper.lws = lws_create_context(&info);
  return keeper.lws != NULL;
}

/* A context goes on without what it had no descriptor for, its wake-up too, which can end badly: see below. */
static bool has_descriptors(void) {
  int taken[OWN_DESCRIPTORS], count = 0;
  while (count < OWN_DESCRIPTORS && (taken[count] = eventfd(0, EFD_CLOEXEC)) >= 0) count++;
  for (int i = 0; i < count; i++) close(taken[i]);
  return count == OWN_DESCRIPTORS;
}

static bool start(struct cds_ws_context *context, struct lws_context_creation_info *info) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  struct sigaction sigpipe;
  if (!has_descriptors()) return false;
  pthread_once(&once, prepare_process);
  pthread_mutex_lock(&global_mu);
  sigaction(SIGPIPE, NULL, &sigpipe);
  if (OUTLIVES_OPENSSL && !tls_is_ready) tls_is_ready = keep_openssl();
  if (tls_is_ready) info->options &= ~(uint64_t)LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  if (tls_is_ready || !OUTLIVES_OPENSSL) context->lws = lws_create_context(info);
  sigaction(SIGPIPE, &sigpipe, NULL);
  if (context->lws != NULL) tls_is_ready = true;
  pthread_mutex_unlock(&global_mu);
  return context->lws != NULL;
}

bool cds_ws_context_init(struct cds_ws_context *context, const struct lws_protocols *protocols, void *user,
                         size_t max_target) {
  struct lws_context_creation_info info;
  *context = (struct cds_ws_context){
    .protocols = protocols, .user = user, .buffer_size = max_target + CDS_WS_HEADER_ROOM + 4096};
  fill_info(&info, context);
  return start(context, &info);
}

bool cds_ws_context_init_server(struct cds_ws_context *context, const struct lws_protocols *protocols, void *user,
                                const struct cds_ws_server_limits *limits) {
  struct lws_context_creation_info info;
  *context = (struct cds_ws_context){.protocols = protocols, .user = user, .buffer_size = limits->header_bytes};
  fill_info(&info, context);
  info.max_http_header_data2 = (unsigned)limits->header_bytes;
  info.fd_limit_per_thread = DESCRIPTORS + limits->connections;
  info.timeout_secs = info.timeout_secs_ah_idle = limits->seconds;
  return start(context, &info);
}

static struct lws_vhost *make_vhost(struct cds_ws_context *context, const struct lws_context_creation_info *info) {
  pthread_mutex_lock(&global_mu);
  struct lws_vhost *vhost = lws_create_vhost(context->lws, info);
  pthread_mutex_unlock(&global_mu);
  return vhost;
}

struct lws_vhost *cds_ws_context_vhost(struct cds_ws_context *context, const char *name, SSL_CTX *ssl) {
  struct lws_context_creation_info info;
  fill_info(&info, context);
  info.vhost_name = name;
  info.provided_client_ssl_ctx = ssl;
  return make_vhost(context, &info);
}

struct lws_vhost *cds_ws_context_listen(struct cds_ws_context *context, const char *address, int port) {
  struct lws_context_creation_info info;
  fill_info(&info, context);
  info.vhost_name = "listener";
  info.port = port;
  info.iface = address;
  info.options &= ~(uint64_t)LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.options |= LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
  if (!strchr(address, ':')) info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
  return make_vhost(context, &info);
}

/* ---- the end ---- */

#if LWS_LIBRARY_VERSION_NUMBER >= 4003000 && defined F_SETSIG
/* libwebsockets 4.3.4 and 4.3.5 leave the descriptor of their wake-up open. It is marked, by a setting that has no effect
 * without O_ASYNC; what still bears the mark afterwards is ours to close, whatever the version. */
#define MARK 63
#define MAX_DESCRIPTOR (1 << 20)

static bool is_socket(int fd) {
  struct stat found;
  return fstat(fd, &found) != 0 || S_ISSOCK(found.st_mode);
}

static int mark_wake_up(const struct lws_context *lws) {
  long limit = sysconf(_SC_OPEN_MAX);
  for (int fd = 0; fd < limit && fd < MAX_DESCRIPTOR; fd++)
    if (wsi_from_fd(lws, fd) != NULL && !is_socket(fd)) return fcntl(fd, F_SETSIG, MARK) == 0 ? fd : -1;
  return -1;
}

static void close_marked(int fd) {
  if (fd >= 0 && fcntl(fd, F_GETSIG) == MARK) close(fd);
}

/* From 4.4 on a context without its wake-up is ended with what it has freed by then: such a one is kept for ever. */
static bool may_end(int wake_up) {
  return wake_up >= 0 || LWS_LIBRARY_VERSION_NUMBER < 4004000;
}
#else
static int mark_wake_up(const struct lws_context *lws) {
  (void)lws;
  return -1;
}

static void close_marked(int fd) {
  (void)fd;
}

static bool may_end(int wake_up) {
  (void)wake_up;
  return true;
}
#endif

void cds_ws_context_clear(struct cds_ws_context *context) {
  if (context->lws == NULL) return;
  pthread_mutex_lock(&global_mu);
  int wake_up = mark_wake_up(context->lws);
  if (may_end(wake_up)) lws_context_destroy(context->lws);
  close_marked(wake_up);
  pthread_mutex_unlock(&global_mu);
  context->lws = NULL;
}
