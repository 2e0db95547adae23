/* SPDX-License-Identifier: MIT
 * Streams of names: ones that do not resolve, or late, or to an address that does not answer, or to another than
 * before. */
#include "stream_fixture.h"

#include "resolver.h"
#include "ws_parallel.h"

struct service {
  atomic_bool drop; /* the next connection ends after its report */
};

static void serve(struct ws_server *view, int number, int fd) {
  struct service *service = view->context;
  if (!ws_accept(view, fd)) return;
  bool drop = atomic_exchange(&service->drop, false); /* before the report, upon which the test sets it anew */
  ws_send_message(fd, next_message(1, (uint32_t)number));
  if (!drop) ws_attend(fd);
}

static struct ws_parallel *begin_at(struct fixture *fixture, struct service *service, const char *host) {
  struct ws_parallel *server = ws_parallel_start(serve, service);
  begin(fixture, NULL, NULL);
  add_origin(fixture, host, server->port, "");
  return server;
}

static void end_at(struct fixture *fixture, struct ws_parallel *server) {
  finish(fixture);
  ws_parallel_stop(server);
}

static void test_unknown(int failure, const char *reason) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  resolver_set("unknown.test", failure, NULL, NULL);
  struct ws_parallel *server = begin_at(&fixture, &service, "unknown.test");
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_RECONNECTING] >= 3);
  ok(strstr(seen.last_reason, "cannot resolve \"unknown.test\": ") != NULL && strstr(seen.last_reason, reason) != NULL,
     "the reason is told: %s", seen.last_reason);
  resolver_set("unknown.test", 0, "127.0.0.1", NULL);
  is_number((long long)take_in_order(&fixture, &seen, 1, 1), 1, "once there is an address, reports come");
  end_at(&fixture, server);
}

static void test_first_refused(const char *refused) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  resolver_set("two.test", 0, refused, "127.0.0.1");
  struct ws_parallel *server = begin_at(&fixture, &service, "two.test");
  open_stream(&fixture, 1);
  is_number((long long)take_in_order(&fixture, &seen, 1, 1), 1, "a report comes from the second address");
  ok(seen.states[CDS_LINK_CONNECTING] == 1 && seen.states[CDS_LINK_RECONNECTING] == 0,
     "within one attempt, %s having refused", refused);
  end_at(&fixture, server);
}

/* A listener at an address and port whose queue is full: its handshakes are not answered. */
struct black_hole {
  int listener, fillers[8];
};

static bool dig(struct black_hole *hole, const char *address, uint16_t port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, address, &at.sin_addr);
  hole->listener = socket(AF_INET, SOCK_STREAM, 0);
  bool good = bind(hole->listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(hole->listener, 0) == 0;
  for (size_t i = 0; i < 8; i++) {
    hole->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (good) (void)!connect(hole->fillers[i], (struct sockaddr *)&at, sizeof at);
  }
  return good;
}

static void fill_in(struct black_hole *hole) {
  for (size_t i = 0; i < 8; i++) close(hole->fillers[i]);
  close(hole->listener);
}

static void test_first_silent(void) {
  static struct service service;
  struct fixture fixture;
  struct black_hole hole;
  resolver_set("silent.test", 0, "127.0.0.2", "127.0.0.1");
  struct ws_parallel *server = begin_at(&fixture, &service, "silent.test");
  if (dig(&hole, "127.0.0.2", server->port)) {
    fixture.config.connect_timeout = 4;
    open_stream(&fixture, 1);
    struct cds_error err = {0};
    struct cds_report *report = next_report(&fixture, NULL, &err);
    ok(report != NULL, "an address that does not answer leaves time for the next%s", err.message);
    cds_report_unref(report);
  } else skip("an address that does not answer", "127.0.0.2 cannot be had here");
  fill_in(&hole);
  end_at(&fixture, server);
}

static void test_moved(void) {
  static struct service service = {.drop = true};
  struct fixture fixture;
  struct seen_events seen = {0};
  resolver_set("moving.test", 0, "127.0.0.2", NULL);
  struct ws_parallel *server = begin_at(&fixture, &service, "moving.test");
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_RECONNECTING] >= 2);
  is_number(atomic_load(&server->connections), 0, "the address of old is tried");
  resolver_set("moving.test", 0, "127.0.0.1", NULL);
  is_number((long long)take_in_order(&fixture, &seen, 1, 2), 2, "the next attempts ask anew, after an end too");
  end_at(&fixture, server);
}

static void test_slow(void) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  resolver_block("slow.test", true);
  struct ws_parallel *server = begin_at(&fixture, &service, "slow.test");
  fixture.config.connect_timeout = 0.2;
  int before = resolver_asked("slow.test");
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_RECONNECTING] >= 3);
  is_string(seen.last_reason, "cannot resolve \"slow.test\": no answer within 0.2 s",
            "an attempt ends at connect_timeout, though the resolver goes on");
  is_number(resolver_asked("slow.test") - before, 1, "which is asked once, however many attempts wait for it");
  resolver_release("slow.test");
  struct cds_error err = {0};
  struct cds_report *report = next_report(&fixture, &seen, &err);
  ok(report != NULL, "a late answer serves the attempt of that time%s", err.message);
  cds_report_unref(report);
  end_at(&fixture, server);
}

static void test_slow_end(void) {
  static struct service service;
  struct fixture fixture;
  struct cds_error err = {0};
  resolver_block("slow.test", true);
  struct ws_parallel *server = begin_at(&fixture, &service, "slow.test");
  fixture.config.connect_timeout = 0.2;
  fixture.config.stream.max_reconnects = 0;
  open_stream(&fixture, 1);
  ok(next_report(&fixture, NULL, &err) == NULL, "no report comes");
  is_number(err.status, CDS_E_TIMEOUT, "and the end is that of a time, not of a service");
  resolver_release("slow.test");
  end_at(&fixture, server);
}

static void test_close_while_blocked(void) {
  static struct service service;
  struct fixture fixture;
  struct cds_stream *more[12];
  struct cds_error err = {0};
  struct cds_feed_id feed = feed_number(1);
  struct seen_events seen = {0};
  resolver_block("slow.test", true);
  struct ws_parallel *server = begin_at(&fixture, &service, "slow.test");
  struct cds_stream_config config = fixture.config.stream;
  open_stream(&fixture, 1);
  for (size_t i = 0; i < 12; i++)
    if (cds_stream_open(&more[i], fixture.client, &feed, 1, &config, &err) != CDS_OK) abort();
  WAIT_FOR(&fixture, &seen, resolver_waiting("slow.test") == 13);
  cds_stream_free(fixture.stream);
  is_number(resolver_waiting("slow.test"), 13, "a stream's close does not wait for the resolver");
  fixture.stream = NULL;
  int64_t start = cds_clock_mono_ms();
  cds_client_close(fixture.client);
  printf("# the client's close with twelve streams took %lld ms\n", (long long)(cds_clock_mono_ms() - start));
  is_number(resolver_waiting("slow.test"), 13, "nor does a client's, of twelve streams");
  for (size_t i = 0; i < 12; i++) cds_stream_free(more[i]);
  end_at(&fixture, server);
  resolver_release("slow.test");
}

/* ha with one host: its origins are asked for over REST first. */
static void test_close_while_asking(void) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  resolver_block("slow.test", true);
  struct ws_parallel *server = begin_at(&fixture, &service, "slow.test");
  fixture.config.stream.ha = true;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, resolver_waiting("slow.test") == 1);
  end_at(&fixture, server);
  is_number(resolver_waiting("slow.test"), 1, "neither does it while the origins are asked for");
  resolver_release("slow.test");
}

static void test_other_origin(const char *name, const char *what) {
  static struct service good, late;
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *server = begin_at(&fixture, &good, "127.0.0.1");
  struct ws_parallel *other = ws_parallel_start(serve, &late);
  add_origin(&fixture, name, other->port, "");
  fixture.config.stream.ha = true;
  open_stream(&fixture, 1);
  is_number((long long)take_in_order(&fixture, &seen, 1, 1), 1, what);
  atomic_store(&good.drop, true); /* the connection after the next ends at once: two more reports */
  ws_parallel_drop(server);
  is_number((long long)take_in_order(&fixture, &seen, 2, 2), 2, "and reconnects on its own");
  is_number((long long)stats_of(&fixture).active_connections, 1, "while the other is away");
  resolver_set(name, 0, "127.0.0.1", NULL);
  resolver_release(name);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 2);
  finish(&fixture);
  ws_parallel_stop(server);
  ws_parallel_stop(other);
}

int main(void) {
  test_unknown(EAI_NONAME, gai_strerror(EAI_NONAME));
  test_unknown(EAI_AGAIN, gai_strerror(EAI_AGAIN));
  test_first_refused("::1");
  test_first_refused("127.0.0.2");
  test_first_silent();
  test_moved();
  test_slow();
  test_slow_end();
  test_close_while_blocked();
  test_close_while_asking();
  resolver_set("away.test", EAI_NONAME, NULL, NULL);
  test_other_origin("away.test", "an origin that does not resolve holds up no other");
  resolver_block("slow.test", true);
  test_other_origin("slow.test", "nor does one that resolves slowly");
  return done();
}
