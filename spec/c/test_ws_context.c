/* SPDX-License-Identifier: MIT
 * A context asks nothing of the network by itself, and ends also where descriptors ran out: getaddrinfo and eventfd below
 * take the library's places. */
#include "tap.h"

#include <errno.h>
#include <netdb.h>
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

int main(void) {
  struct cds_ws_context context;
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
