/* SPDX-License-Identifier: MIT
 * A stream's feeds change while it runs: old connections go on until new ones have taken over. */
#include "stream_fixture.h"
#include "ws_parallel.h"

#define FEEDS 16

struct service {
  unsigned forbidden;    /* a handshake that asks for this feed is refused with 401; 0: none */
  unsigned silent_with;  /* a connection with this feed is never answered; 0: none */
  atomic_int handshakes; /* that were answered, whatever the answer */
  atomic_int up;         /* connections open */
  atomic_int at_most;    /* that were open at once */
  atomic_uint carried;   /* the feeds of the newest connection, a bit each */
  atomic_int sent;       /* each connection is to send each of its feeds' reports up to this one */
};

static unsigned asked_feeds(const struct ws_server *view) {
  const char *target;
  size_t length = ws_target(view, &target);
  unsigned feeds = 0;
  for (unsigned feed = 1; feed <= FEEDS; feed++) {
    char id[CDS_FEED_ID_TEXT + 1];
    struct cds_feed_id number = feed_number(feed);
    cds_feed_id_format(id, &number);
    const char *found = strstr(target, id);
    if (found != NULL && found < target + length) feeds |= 1u << feed;
  }
  return feeds;
}

static bool is_gone(int fd) {
  char byte;
  ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

static bool send_all(int fd, unsigned feeds, uint32_t number) {
  for (unsigned feed = 1; feed <= FEEDS; feed++)
    if ((feeds >> feed & 1) != 0 && !ws_send_message(fd, next_message(feed, number))) return false;
  return true;
}

static void serve(struct ws_server *view, int number, int fd) {
  struct service *service = view->context;
  (void)number;
  if (!ws_read_request(view, fd)) return;
  unsigned feeds = asked_feeds(view);
  bool is_forbidden = service->forbidden != 0 && (feeds >> service->forbidden & 1) != 0;
  bool is_silent = service->silent_with != 0 && (feeds >> service->silent_with & 1) != 0;
  if (is_forbidden) ws_send_text_raw(fd, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  atomic_fetch_add(&service->handshakes, 1);
  if (is_silent) ws_wait_end(fd);
  if (is_forbidden || is_silent || !ws_upgrade(view, fd, "")) return;
  atomic_store(&service->carried, feeds);
  int up = atomic_fetch_add(&service->up, 1) + 1;
  if (up > atomic_load(&service->at_most)) atomic_store(&service->at_most, up);
  for (uint32_t next = (uint32_t)atomic_load(&service->sent) + 1; !is_gone(fd);) {
    if ((int)next > atomic_load(&service->sent)) poll(NULL, 0, 1);
    else if (!send_all(fd, feeds, next++)) break;
  }
  atomic_fetch_sub(&service->up, 1);
}

static unsigned mask(unsigned first, unsigned last) {
  unsigned feeds = 0;
  for (unsigned feed = first; feed <= last; feed++) feeds |= 1u << feed;
  return feeds;
}

static enum cds_status change(struct fixture *fixture, bool add, unsigned first, unsigned last, struct cds_error *err) {
  struct cds_feed_id feeds[FEEDS];
  size_t count = 0;
  for (unsigned feed = first; feed <= last; feed++) feeds[count++] = feed_number(feed);
  return add ? cds_stream_subscribe(fixture->stream, feeds, count, err)
             : cds_stream_unsubscribe(fixture->stream, feeds, count, err);
}

static bool subscribe(struct fixture *fixture, unsigned first, unsigned last) {
  struct cds_error err = {0};
  return change(fixture, true, first, last, &err) == CDS_OK;
}

static bool unsubscribe(struct fixture *fixture, unsigned first, unsigned last) {
  struct cds_error err = {0};
  return change(fixture, false, first, last, &err) == CDS_OK;
}

/* What came of each feed: its last number; how many were not the one after it, and of which feeds; how many were not
 * even newer. */
struct log {
  uint32_t last[FEEDS + 1];
  size_t wrong, back;
  unsigned wrong_feeds;
};

static void take_waiting(struct fixture *fixture, struct log *log) {
  struct cds_report *report;
  struct cds_error err;
  while (cds_stream_pop(&report, fixture->stream, &err) == CDS_POP_REPORT) {
    unsigned feed = report->feed_id.bytes[31];
    uint32_t number = report->observations_timestamp - base_time;
    bool is_wrong = log->last[feed] != 0 && number != log->last[feed] + 1;
    log->wrong += is_wrong;
    if (is_wrong) log->wrong_feeds |= 1u << feed;
    log->back += number <= log->last[feed];
    log->last[feed] = number;
    cds_report_unref(report);
  }
}

/* The next number, when the stream keeps up (feed 4 stays in most tests) or has had its time: a service that runs ahead
 * of a client slowed down by a checker would test the checker. */
static void send_next(struct service *service, const struct log *log) {
  static int waits;
  if (atomic_load(&service->sent) >= (int)log->last[4] + 4 && ++waits < 30) return;
  waits = 0;
  atomic_fetch_add(&service->sent, 1);
}

/* Reports go on, one after another, until the condition holds. */
#define STREAM_UNTIL(fixture, service, log, seen, condition)                                                           \
  do {                                                                                                                 \
    int64_t stream_until = cds_clock_mono_ms() + WAIT_MS;                                                              \
    struct cds_stream_stats stats = stats_of(fixture);                                                                 \
    while (!(condition) && cds_clock_mono_ms() < stream_until) {                                                       \
      send_next((service), (log));                                                                                     \
      usleep(10000);                                                                                                   \
      take_waiting((fixture), (log));                                                                                  \
      take_events((seen), (fixture)->stream);                                                                          \
      stats = stats_of(fixture);                                                                                       \
    }                                                                                                                  \
    (void)stats;                                                                                                       \
    ok((condition), "in time: %s", #condition);                                                                        \
  } while (0)

static struct ws_parallel *begin_with(struct fixture *fixture, struct service *service) {
  struct ws_parallel *host = ws_parallel_start(serve, service);
  begin(fixture, NULL, NULL);
  add_origin(fixture, "127.0.0.1", host->port, "");
  return host;
}

static void end_with(struct fixture *fixture, struct ws_parallel *host) {
  finish(fixture);
  ws_parallel_stop(host);
}

static bool all_at(const struct log *log, unsigned feeds, uint32_t number) {
  for (unsigned feed = 1; feed <= FEEDS; feed++)
    if ((feeds >> feed & 1) != 0 && log->last[feed] < number) return false;
  return true;
}

static void test_change(enum cds_overflow overflow) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  struct log log = {0};
  memset(&service, 0, sizeof service);
  struct ws_parallel *host = begin_with(&fixture, &service);
  fixture.config.stream.overflow = overflow;
  open_stream(&fixture, 10);
  WAIT_FOR(&fixture, &seen, atomic_load(&service.up) == 1);
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(1, 10), 5));
  ok(subscribe(&fixture, 11, 15), "five more feeds");
  ok(unsubscribe(&fixture, 1, 3), "and three less");
  uint32_t ended_at = log.last[1];
  is_number((long long)stats_of(&fixture).feeds, 12, "which makes twelve");
  STREAM_UNTIL(&fixture, &service, &log, &seen,
               atomic_load(&service.carried) == mask(4, 15) && atomic_load(&service.up) == 1 &&
                 cds_stream_is_subscribed(fixture.stream));
  int from = atomic_load(&service.sent);
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(4, 15), (uint32_t)from + 5));
  if (overflow == CDS_OVERFLOW_LATEST) is_number((long long)log.back, 0, "newer and newer reports of every feed");
  else is_number((long long)log.wrong, 0, "every report of every feed, each once and in order");
  ok(log.last[1] == ended_at, "none of a feed that was taken out");
  is_number((long long)stats_of(&fixture).rejected, 0, "none was rejected");
  is_number((long long)stats_of(&fixture).configured_connections, 1, "one connection is left");
  ok(atomic_load(&service.at_most) >= 2, "connections overlapped");
  is_number((long long)seen.states[CDS_LINK_DISCONNECTED], 0, "and none was told to be lost");
  struct cds_feed_id gone = feed_number(1), fresh = feed_number(15);
  struct cds_report *latest = cds_stream_latest(fixture.stream, &fresh);
  ok(cds_stream_latest(fixture.stream, &gone) == NULL, "a feed that was taken out has no latest report");
  ok(latest != NULL, "a new one has");
  cds_report_unref(latest);
  end_with(&fixture, host);
}

static void test_refused(void) {
  static struct service service = {.forbidden = 12};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct log log = {0};
  struct ws_parallel *host = begin_with(&fixture, &service);
  open_stream(&fixture, 4);
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(1, 4), 3));
  ok(subscribe(&fixture, 12, 12), "a feed that is not permitted");
  STREAM_UNTIL(&fixture, &service, &log, &seen, seen.states[CDS_LINK_FAILED] == 1 && stats.feeds == 4);
  ok(strstr(seen.all_text, "401") != NULL, "is told, with the reason");
  STREAM_UNTIL(&fixture, &service, &log, &seen, cds_stream_is_subscribed(fixture.stream));
  int from = atomic_load(&service.sent);
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(1, 4), (uint32_t)from + 5));
  is_number((long long)log.wrong, 0, "the others go on without loss");
  ok(subscribe(&fixture, 13, 13), "another feed");
  STREAM_UNTIL(&fixture, &service, &log, &seen, log.last[13] != 0);
  is_number((long long)log.wrong, 0, "is added then");
  ok(unsubscribe(&fixture, 1, 1), "the first goes");
  STREAM_UNTIL(&fixture, &service, &log, &seen, atomic_load(&service.carried) == (mask(2, 4) | mask(13, 13)));
  STREAM_UNTIL(&fixture, &service, &log, &seen, atomic_load(&service.up) == 1);
  ok(subscribe(&fixture, 12, 12), "the one that is not permitted gets its place");
  STREAM_UNTIL(&fixture, &service, &log, &seen, seen.states[CDS_LINK_FAILED] == 2 && stats.feeds == 4);
  STREAM_UNTIL(&fixture, &service, &log, &seen, cds_stream_is_subscribed(fixture.stream));
  is_number((long long)log.wrong, 0, "and is taken out again");
  end_with(&fixture, host);
}

static bool has_ended(struct fixture *fixture, struct cds_error *err) {
  struct cds_report *report;
  enum cds_pop popped;
  while ((popped = cds_stream_pop(&report, fixture->stream, err)) == CDS_POP_REPORT) cds_report_unref(report);
  return popped == CDS_POP_END;
}

/* Nothing is left to go on with when the only feeds that are wanted cannot be had. */
static void test_only_refused(void) {
  static struct service service = {.forbidden = 12};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct log log = {0};
  struct cds_error err = {0};
  struct ws_parallel *host = begin_with(&fixture, &service);
  open_stream(&fixture, 1);
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(1, 1), 1));
  bool exchanged = false; /* not yet, when the first was refused before the second was asked for */
  for (int i = 0; i < 100 && !exchanged; i++)
    exchanged = change(&fixture, true, 12, 12, &err) == CDS_OK && change(&fixture, false, 1, 1, &err) == CDS_OK;
  ok(exchanged, "the one feed is exchanged for one that is not permitted");
  STREAM_UNTIL(&fixture, &service, &log, &seen, has_ended(&fixture, &err));
  ok(strstr(err.message, "401") != NULL, "the stream ends, with the reason: %s", err.message);
  end_with(&fixture, host);
}

static void test_all_exchanged(void) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  struct log log = {0};
  struct cds_error err = {0};
  memset(&service, 0, sizeof service);
  struct ws_parallel *host = begin_with(&fixture, &service);
  fixture.config.stream.feeds_per_connection = 2;
  open_stream(&fixture, 2);
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(1, 2), 3));
  is_number(change(&fixture, false, 1, 2, &err), CDS_E_CONFIG, "not all feeds can go");
  ok(strstr(err.message, "close it") != NULL, "and it is said why: %s", err.message);
  ok(subscribe(&fixture, 3, 5), "three more open two shards");
  ok(unsubscribe(&fixture, 1, 2), "all of the first shard go, in the same moment");
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(3, 5), 1) && atomic_load(&service.up) == 2);
  is_number((long long)stats_of(&fixture).configured_connections, 2, "the first shard has no connection left");
  ok(subscribe(&fixture, 1, 1), "one comes back");
  log.last[1] = 0;
  STREAM_UNTIL(&fixture, &service, &log, &seen, log.last[1] != 0 && cds_stream_is_subscribed(fixture.stream));
  is_number((long long)log.wrong, 0, "nothing is lost or out of order");
  is_number((long long)stats_of(&fixture).feeds, 4, "four feeds");
  end_with(&fixture, host);
}

static void test_again_and_again(void) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  struct log log = {0};
  memset(&service, 0, sizeof service);
  struct ws_parallel *host = begin_with(&fixture, &service);
  open_stream(&fixture, 4);
  for (unsigned round = 0; round < 40; round++) {
    unsigned feed = 5 + round % 8;
    log.last[feed] = 0;
    if (!subscribe(&fixture, feed, feed) || (round % 3 != 0 && !unsubscribe(&fixture, feed, feed)))
      ok(false, "round %u", round);
    atomic_fetch_add(&service.sent, 1);
    usleep(round % 4 * 3000);
    take_waiting(&fixture, &log);
    for (unsigned other = 5; other <= 12; other++) log.last[other] = 0; /* they come and go */
  }
  ok(unsubscribe(&fixture, 5, 12), "all of them are taken out");
  STREAM_UNTIL(&fixture, &service, &log, &seen,
               atomic_load(&service.carried) == mask(1, 4) && atomic_load(&service.up) == 1);
  int from = atomic_load(&service.sent);
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(1, 4), (uint32_t)from + 5));
  is_number((long long)log.wrong, 0, "the feeds that stayed lost nothing in forty changes");
  is_number((long long)stats_of(&fixture).feeds, 4, "four feeds are left");
  end_with(&fixture, host);
}

static void test_close_meanwhile(void) {
  static struct service service = {.silent_with = 9};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct log log = {0};
  struct ws_parallel *host = begin_with(&fixture, &service);
  open_stream(&fixture, 2);
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(1, 2), 3));
  ok(subscribe(&fixture, 9, 9), "a feed whose connection is never answered");
  STREAM_UNTIL(&fixture, &service, &log, &seen, atomic_load(&service.handshakes) == 2);
  ok(!cds_stream_is_subscribed(fixture.stream), "the stream is not subscribed to it");
  int64_t before = cds_clock_mono_ms();
  cds_stream_close(fixture.stream);
  ok(cds_clock_mono_ms() - before < WAIT_MS / 3, "closing does not wait for it");
  struct cds_error err = {0};
  is_number(change(&fixture, true, 3, 3, &err), CDS_E_CLOSED, "nothing is added to a stream that is closed");
  end_with(&fixture, host);
}

static void test_limits(void) {
  static struct service service;
  struct fixture fixture;
  struct cds_error err = {0};
  memset(&service, 0, sizeof service);
  struct ws_parallel *host = begin_with(&fixture, &service);
  fixture.config.stream.feeds_per_connection = 1;
  fixture.config.stream.ha = true;
  add_origin(&fixture, "127.0.0.1", host->port, "");
  open_stream(&fixture, 9);
  is_number(change(&fixture, true, 10, 15, &err), CDS_E_CONFIG, "too many connections");
  ok(strstr(err.message, "15 feeds / 1 per connection x 2 origins = 30 connections") != NULL, "%s", err.message);
  is_number((long long)stats_of(&fixture).feeds, 9, "none was added");
  ok(subscribe(&fixture, 9, 10), "one more is allowed");
  is_number((long long)stats_of(&fixture).feeds, 10, "and the one that was there counts once");
  struct seen_events seen = {0};
  struct log log = {0};
  WAIT_FOR(&fixture, &seen, stats.active_connections == 20 && atomic_load(&service.up) == 20);
  STREAM_UNTIL(&fixture, &service, &log, &seen, all_at(&log, mask(1, 10), 3));
  ok(unsubscribe(&fixture, 1, 1) && subscribe(&fixture, 11, 11), "an exchange where all is full");
  STREAM_UNTIL(&fixture, &service, &log, &seen, log.last[11] != 0 && stats.active_connections == 20);
  is_number(log.wrong_feeds & mask(1, 10), 0, "nothing is lost of the feeds that were there");
  ok(log.wrong <= stats_of(&fixture).lost,
     "and what the new one's second origin passes over, as it comes later, is told");
  end_with(&fixture, host);
}

int main(void) {
  test_change(CDS_OVERFLOW_BLOCK);
  test_change(CDS_OVERFLOW_LATEST);
  test_refused();
  test_only_refused();
  test_all_exchanged();
  test_again_and_again();
  test_close_meanwhile();
  test_limits();
  return done();
}
