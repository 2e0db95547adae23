/* SPDX-License-Identifier: MIT
 * The local wall clock is set ahead and back while a stream runs: nothing is lost, no connection is given up, and all
 * that waits goes by the monotonic clock. Only what needs the right time fails: a signature, and it says so. */
#include "stream_fixture.h"

#include "wall_clock.h"

#define DAY 86400
#define EACH 5 /* reports after each jump */

struct service {
  time_t start;
  atomic_int allowed;   /* reports that may have been sent */
  atomic_int far_ahead; /* seconds: one report so far ahead of the right time comes next; 0: none */
  atomic_int pings;
  atomic_bool drop, refuse;
};

static void answer_pings(struct service *service, int fd) {
  struct ws_frame frame;
  struct pollfd at = {.fd = fd, .events = POLLIN};
  if (poll(&at, 1, 2) != 1 || !ws_read_frame(fd, &frame) || frame.opcode != WS_PING) return;
  ws_send(fd, WS_PONG, true, frame.payload, frame.length);
  atomic_fetch_add(&service->pings, 1);
}

static bool is_gone(int fd) {
  char byte;
  ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

static void refuse(int fd) {
  char answer[256], date[64];
  time_t now = wall_clock_true();
  struct tm parts;
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
  snprintf(answer, sizeof answer, "HTTP/1.1 401 Unauthorized\r\nDate: %s\r\nContent-Length: 0\r\n\r\n", date);
  ws_send_text_raw(fd, answer);
}

static void serve(struct ws_server *server, int number, int fd) {
  struct service *service = server->context;
  static uint32_t next; /* goes on over connections */
  if (number == 1) next = 1;
  if (!ws_read_request(server, fd)) return;
  if (atomic_load(&service->refuse)) {
    refuse(fd);
    return;
  }
  if (!ws_upgrade(server, fd, "")) return;
  while (!is_gone(fd) && !atomic_exchange(&service->drop, false)) {
    int far_ahead = atomic_exchange(&service->far_ahead, 0);
    uint32_t second = (uint32_t)(far_ahead > 0 ? wall_clock_true() + far_ahead : service->start + next);
    if (far_ahead > 0 || (int)next <= atomic_load(&service->allowed)) {
      if (far_ahead <= 0) next++;
      if (!ws_send_message(fd, message(1, second, second, 0))) return;
    } else answer_pings(service, fd);
  }
}

static void begin_stream(struct fixture *fixture, struct service *service) {
  wall_clock_set(0);
  service->start = wall_clock_true();
  begin(fixture, serve, service);
  fixture->config.stream.ping_interval = 1;
  fixture->config.stream.pong_timeout = 60;
  fixture->config.stream.stale_timeout = 3600;
  open_stream(fixture, 1);
}

/* The next EACH reports, in order. */
static void read_on(struct fixture *fixture, struct seen_events *seen, struct service *service, const char *when) {
  int before = atomic_fetch_add(&service->allowed, EACH);
  uint32_t first = (uint32_t)service->start - base_time + (uint32_t)before + 1;
  ok(take_in_order(fixture, seen, first, EACH) == EACH, "reports come in order %s", when);
}

/* The service's seconds are up to a few minutes ahead of the right time, as it sends several in one; the smallest jump
 * that must not show is an hour. */
static void is_latency_right(const struct cds_stream_stats *stats, const char *name) {
  ok(stats->latency.count > 0 && fabs(stats->latency.min) < 1800e3 && fabs(stats->latency.max) < 1800e3,
     "%s: %g to %g ms", name, stats->latency.min, stats->latency.max);
}

static void test_jumps(void) {
  static struct service service;
  static const struct {
    int64_t offset;
    const char *name;
  } jumps[] = {{6, "6 s ahead"},     {-6, "6 s behind"},           {3600 + 60, "an hour ahead"},
               {DAY, "a day ahead"}, {-3600 - 60, "an hour back"}, {-DAY, "a day back"}};
  struct fixture fixture;
  struct seen_events seen = {0};
  begin_stream(&fixture, &service);
  read_on(&fixture, &seen, &service, "by the right clock");
  for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
    wall_clock_set(jumps[i].offset);
    read_on(&fixture, &seen, &service, jumps[i].name);
    int pings = atomic_load(&service.pings);
    WAIT_FOR(&fixture, &seen, atomic_load(&service.pings) >= pings + 2);
  }
  wall_clock_set(0);
  read_on(&fixture, &seen, &service, "by the right clock again");
  struct cds_stream_stats stats = stats_of(&fixture);
  is_number(atomic_load(&fixture.server->connections), 1, "all on one connection");
  is_number((long long)stats.rejected, 0, "nothing was rejected");
  is_number((long long)stats.accepted, atomic_load(&service.allowed), "and nothing lost");
  is_latency_right(&stats, "no jump goes into the latency");
  finish(&fixture);
}

/* What is judged by the clock is judged rightly after a jump there and back. */
static void test_far_future(void) {
  static struct service service;
  static const int64_t jumps[] = {0, DAY, -DAY};
  struct fixture fixture;
  struct seen_events seen = {0};
  begin_stream(&fixture, &service);
  for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
    wall_clock_set(jumps[i]);
    read_on(&fixture, &seen, &service, "before an impossible one");
    wall_clock_set(jumps[i] > 0 ? 0 : jumps[i]);
    atomic_store(&service.far_ahead, DAY / 2);
    WAIT_FOR(&fixture, &seen, stats.rejected == i + 1);
    read_on(&fixture, &seen, &service, "after it");
  }
  finish(&fixture);
}

static void test_reconnect(int64_t offset, const char *name) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  atomic_store(&service.allowed, 0);
  begin_stream(&fixture, &service);
  read_on(&fixture, &seen, &service, "before a jump");
  wall_clock_set(offset);
  atomic_store(&service.drop, true);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_CONNECTED] == 2);
  struct cds_stream_stats stats = stats_of(&fixture);
  is_latency_right(&stats, "before the reconnect");
  read_on(&fixture, &seen, &service, name);
  is_number(atomic_load(&fixture.server->connections), 2, "after one reconnect");
  stats = stats_of(&fixture);
  double reconnected_ms = offset < 0 ? stats.latency.min : stats.latency.max;
  ok(fabs(reconnected_ms - (double)offset * 1000) < 1800e3, "by whose beginning latency goes (%g ms)", reconnected_ms);
  finish(&fixture);
}

static void test_refused(int64_t offset, const char *words) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  atomic_store(&service.allowed, 0);
  atomic_store(&service.refuse, false);
  begin_stream(&fixture, &service);
  read_on(&fixture, &seen, &service, "before a jump and a refusal");
  wall_clock_set(offset);
  atomic_store(&service.refuse, true);
  atomic_store(&service.drop, true);
  struct cds_error err = wait_end(&fixture, &seen);
  ok(err.status == CDS_E_AUTH && err.has_clock_skew && fabs(err.clock_skew - (double)offset) < 60,
     "a service that refuses the signature's time ends the stream: %g s", err.clock_skew);
  ok(strstr(err.message, words) != NULL, "with its reason: %s", err.message);
  finish(&fixture);
}

int main(void) {
  test_jumps();
  test_far_future();
  test_reconnect(DAY, "a day ahead");
  test_reconnect(-DAY, "a day back");
  test_refused(600, "ahead of the service's");
  test_refused(-600, "behind the service's");
  return done();
}
