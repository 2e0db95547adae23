/* SPDX-License-Identifier: MIT
 * A stream that is closed, at each moment of its connections' lives: their threads and descriptors come back. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "stream_fixture.h"

#include "entries.h"
#include "resolver.h"
#include "ws_parallel.h"

#define BACK_MS 10000 /* a bound for a loaded machine; what hangs here does so for half a minute */

/* ---- what the process has ---- */

static int count_descriptors(void) {
  return count_entries("/proc/self/fd");
}

static bool wait_until_back(int (*count)(void), int before) {
  for (int64_t until = cds_clock_mono_ms() + BACK_MS; count() > before && cds_clock_mono_ms() < until;) usleep(1000);
  return count() <= before;
}

/* ---- services ---- */

struct service {
  atomic_int reached; /* connections that have come as far as they are to come */
};

static void wait_hang_up(int fd) {
  struct pollfd at = {.fd = fd, .events = POLLRDHUP};
  (void)poll(&at, 1, WS_IO_TIMEOUT_MS);
}

static void serve_no_tls(struct ws_server *view, int number, int fd) {
  struct service *service = view->context;
  (void)number;
  if (ws_wait_readable(fd)) atomic_fetch_add(&service->reached, 1);
  wait_hang_up(fd);
}

static void serve_no_answer(struct ws_server *view, int number, int fd) {
  struct service *service = view->context;
  (void)number;
  if (ws_read_request(view, fd)) atomic_fetch_add(&service->reached, 1);
  ws_wait_end(fd);
}

static void serve_open(struct ws_server *view, int number, int fd) {
  (void)number;
  if (ws_accept(view, fd)) ws_attend(fd);
}

static void serve_deaf(struct ws_server *view, int number, int fd) {
  (void)number;
  if (ws_accept(view, fd)) wait_hang_up(fd);
}

static void serve_hang_up(struct ws_server *view, int number, int fd) {
  (void)view, (void)number, (void)fd;
}

static void serve_refusal(struct ws_server *view, int number, int fd) {
  (void)number;
  if (ws_read_request(view, fd)) ws_send_text_raw(fd, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
}

/* More of each of the four feeds than the queue holds. */
static void serve_flood(struct ws_server *view, int number, int fd) {
  if (!ws_accept(view, fd)) return;
  for (uint32_t i = 0; i < 80; i++)
    if (!ws_send_message(fd, next_message(1 + i % 4, (uint32_t)number * 1000 + i))) return;
  wait_hang_up(fd);
}

/* ---- moments ---- */

struct moment {
  const char *name;
  ws_serve *serve;
  bool (*has_come)(struct fixture *fixture, struct service *service, int links);
  double reconnect_delay;
  bool tls, is_named, is_slow; /* the host's name is not resolved; the script does not read */
};

static bool at_once(struct fixture *fixture, struct service *service, int links) {
  (void)fixture, (void)service, (void)links;
  return true;
}

static bool all_reached(struct fixture *fixture, struct service *service, int links) {
  (void)fixture;
  return atomic_load(&service->reached) == links;
}

static bool all_ask(struct fixture *fixture, struct service *service, int links) {
  (void)fixture, (void)service;
  return resolver_waiting("slow.test") == links;
}

static int count_in(struct fixture *fixture, enum cds_link_state state) {
  struct cds_stream_stats stats = stats_of(fixture);
  int count = 0;
  for (size_t i = 0; i < stats.link_count; i++) count += stats.links[i].state == state;
  return count;
}

static bool all_open(struct fixture *fixture, struct service *service, int links) {
  (void)service;
  return count_in(fixture, CDS_LINK_CONNECTED) == links;
}

static bool all_wait(struct fixture *fixture, struct service *service, int links) {
  (void)service;
  return count_in(fixture, CDS_LINK_RECONNECTING) == links;
}

static bool is_full(struct fixture *fixture, struct service *service, int links) {
  (void)service, (void)links;
  return stats_of(fixture).queue_length >= 8;
}

static bool all_given_up(struct fixture *fixture, struct service *service, int links) {
  (void)service;
  return count_in(fixture, CDS_LINK_DISCONNECTED) == links;
}

static bool has_ended(struct fixture *fixture, struct service *service, int links) {
  (void)service, (void)links;
  return wait_end(fixture, NULL).status == CDS_E_AUTH;
}

static const struct moment moments[] = {
  {"it was just opened", serve_open, at_once, 0.01, .tls = false},
  {"its attempts wait for their turn", serve_open, at_once, 1e6, .tls = false},
  {"the host's name is being resolved", serve_open, all_ask, 0.01, .is_named = true},
  {"TLS is being agreed upon", serve_no_tls, all_reached, 0.01, .tls = true},
  {"the handshake has no answer", serve_no_answer, all_reached, 0.01, .tls = false},
  {"it is open", serve_open, all_open, 0.01, .tls = false},
  {"the peer does not read", serve_deaf, all_open, 0.01, .tls = false},
  {"the next attempts wait", serve_hang_up, all_wait, 1e6, .tls = false},
  {"its queue is full", serve_flood, is_full, 0.01, .is_slow = true},
  {"its connections wait for the script", serve_flood, all_given_up, 0.01, .is_slow = true},
  {"it has ended", serve_refusal, has_ended, 0.01, .tls = false},
};

/* ---- each of them, for one connection and for several ---- */

struct shape {
  const char *name;
  size_t feeds;
  bool ha;
};

static const struct shape shapes[] = {{"one connection", 1, false}, {"four", 4, false}, {"two, in HA", 1, true}};

static void configure(struct fixture *fixture, const struct moment *moment, const struct shape *shape, uint16_t port) {
  struct cds_stream_config *stream = &fixture->config.stream;
  begin(fixture, NULL, NULL);
  for (int i = 0; i < (shape->ha ? 2 : 1); i++) {
    add_origin(fixture, moment->is_named ? "slow.test" : "127.0.0.1", port, "");
    fixture->config.ws[i].tls = moment->tls;
  }
  stream->ha = shape->ha;
  stream->feeds_per_connection = 1;
  stream->reconnect_delay = stream->reconnect_max_delay = moment->reconnect_delay;
  stream->pong_timeout = 1;
  if (moment->is_slow) stream->queue_size = 8;
}

static void test_close(const struct moment *moment, const struct shape *shape, bool is_first) {
  struct service service = {0};
  struct fixture fixture;
  int links = shape->ha ? 2 : (int)shape->feeds, descriptors = count_descriptors();
  struct ws_parallel *host = ws_parallel_start(moment->serve, &service);
  int threads = count_threads();
  if (moment->is_named) resolver_block("slow.test", true);
  configure(&fixture, moment, shape, host->port);
  /* A backing-off connection that has not had its first turn yet would wait for it too long. */
  if (moment->has_come == all_wait && links > 1) fixture.config.stream.reconnect_delay = 1;
  open_stream(&fixture, shape->feeds);
  for (int64_t until = cds_clock_mono_ms() + WAIT_MS;
       !moment->has_come(&fixture, &service, links) && cds_clock_mono_ms() < until;)
    usleep(1000);
  ok(moment->has_come(&fixture, &service, links), "%s: %s", shape->name, moment->name);
  cds_stream_close(fixture.stream);
  if (moment->is_named) resolver_release("slow.test"); /* whom nothing can interrupt, but nobody waits for */
  ok(wait_until_back(count_threads, threads), "no thread of a closed stream is left");
  finish(&fixture);
  ws_parallel_stop(host);
  if (!is_first) ok(wait_until_back(count_descriptors, descriptors), "and no descriptor");
}

/* ---- connections that end while the stream goes on ---- */

static void serve_first_only(struct ws_server *view, int number, int fd) {
  (void)number;
  if (!ws_read_request(view, fd)) return;
  if (strncmp(view->request, "GET /refused", 12) == 0) ws_send_text_raw(fd, "HTTP/1.1 503 No\r\n\r\n");
  else if (ws_upgrade(view, fd, "")) ws_attend(fd);
}

static void test_given_up(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = ws_parallel_start(serve_first_only, NULL);
  int threads = count_threads();
  begin(&fixture, NULL, NULL);
  add_origin(&fixture, "127.0.0.1", host->port, "");
  add_origin(&fixture, "127.0.0.1", host->port, "/refused");
  fixture.config.stream.ha = true;
  fixture.config.stream.max_reconnects = 0;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_FAILED] == 1 && stats.active_connections == 1);
  ok(wait_until_back(count_threads, threads + 2), "a connection that is given up leaves no thread, the other goes on");
  finish(&fixture);
  ws_parallel_stop(host);
}

/* Feeds 5 to 8 are refused. */
static void serve_permitted(struct ws_server *view, int number, int fd) {
  char refused[4][CDS_FEED_ID_TEXT + 1];
  bool is_refused = false;
  (void)number;
  if (!ws_read_request(view, fd)) return;
  for (unsigned i = 0; i < 4; i++) {
    struct cds_feed_id feed = feed_number(5 + i);
    cds_feed_id_format(refused[i], &feed);
    is_refused = is_refused || strstr(view->request, refused[i]) != NULL;
  }
  if (is_refused) ws_send_text_raw(fd, "HTTP/1.1 401 No\r\n\r\n");
  else if (ws_upgrade(view, fd, "")) ws_attend(fd);
}

static void test_refused_subscribe(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  struct cds_feed_id more[4];
  struct cds_error err = {0};
  struct ws_parallel *host = ws_parallel_start(serve_permitted, NULL);
  int threads = count_threads();
  for (unsigned i = 0; i < 4; i++) more[i] = feed_number(5 + i);
  begin(&fixture, NULL, NULL);
  add_origin(&fixture, "127.0.0.1", host->port, "");
  fixture.config.stream.feeds_per_connection = 1;
  fixture.config.stream.reconnect_delay = 0.2; /* first attempts are spread over it */
  open_stream(&fixture, 4);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 4);
  bool all_back = true;
  for (size_t round = 0; round < 10; round++) {
    size_t failed = seen.states[CDS_LINK_FAILED];
    if (cds_stream_subscribe(fixture.stream, more, 4, &err) != CDS_OK) ok(false, "%s", err.message);
    WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_FAILED] > failed && stats.feeds == 4);
    all_back = all_back && wait_until_back(count_threads, threads + 2 * 4);
  }
  ok(all_back, "trial connections of a refused subscribe leave no thread");
  finish(&fixture);
  ok(wait_until_back(count_threads, threads), "nor does the stream");
  ws_parallel_stop(host);
}

int main(void) {
  if (count_threads() < 1 || count_descriptors() < 1) abort(); /* no /proc to count them in */
  test_close(&moments[0], &shapes[0], true); /* libraries keep descriptors of their own from then on */
  for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
    for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++) test_close(&moments[i], &shapes[j], false);
  test_given_up();
  test_refused_subscribe();
  return done();
}
