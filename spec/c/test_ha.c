/* SPDX-License-Identifier: MIT
 * Several connections of one stream: origins, shards, what the failure of one means. */
#include "stream/fleet.h"
#include "stream/parts.h"
#include "stream/places.h"

#include "stream_fixture.h"
#include "ws_parallel.h"

struct service {
  const char *head;          /* the answer to HEAD; NULL: 200 with two origins */
  const char *later_head;    /* from the second HEAD on; NULL: head */
  const char *refuse_origin; /* its handshakes meet `refusal` */
  const char *refusal;
  atomic_int heads, up;    /* questions, WebSocket connections open */
  atomic_int feeds_of[64]; /* by connection */
  atomic_int by_origin[2]; /* handshakes for one, for two */
  atomic_bool drop_one;    /* origin one's connection is to end */
  atomic_int sent;         /* reports each connection has sent, or is to send */
};

static const char two_origins[] =
  "HTTP/1.1 200 OK\r\nX-Cll-Available-Origins: {one,two}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static int count_feeds(const struct ws_server *view) {
  const char *target;
  size_t length = ws_target(view, &target);
  int feeds = 1;
  for (size_t i = 0; i < length; i++) feeds += target[i] == ',';
  return feeds;
}

static bool is_gone(int fd) {
  char byte;
  ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

/* Sends report n once `sent` has come to n, until the client goes. */
static void send_reports(struct service *service, int fd, bool is_one, uint32_t first) {
  uint32_t next = first;
  while (!is_gone(fd)) {
    if (is_one && atomic_exchange(&service->drop_one, false)) return;
    if ((int)next > atomic_load(&service->sent)) {
      poll(NULL, 0, 2);
      continue;
    }
    if (!ws_send_message(fd, next_message(1, next++))) return;
  }
}

static void serve(struct ws_server *view, int number, int fd) {
  struct service *service = view->context;
  char origin[64];
  if (!ws_read_request(view, fd)) return;
  if (strncmp(view->request, "HEAD ", 5) == 0) {
    bool is_first = atomic_fetch_add(&service->heads, 1) == 0;
    const char *head = is_first || service->later_head == NULL ? service->head : service->later_head;
    ws_send_text_raw(fd, head != NULL ? head : two_origins);
    return;
  }
  ws_header(view, "X-Cll-Origin", origin, sizeof origin);
  bool is_one = strcmp(origin, "one") == 0;
  atomic_fetch_add(&service->by_origin[!is_one], 1);
  if (service->refuse_origin != NULL && strcmp(origin, service->refuse_origin) == 0) {
    ws_send_text_raw(fd, service->refusal);
    return;
  }
  if (number < 64) atomic_store(&service->feeds_of[number], count_feeds(view));
  /* Before the client knows that it is connected, and the test goes on. */
  uint32_t first = (uint32_t)atomic_load(&service->sent) + 1;
  atomic_fetch_add(&service->up, 1);
  if (ws_upgrade(view, fd, "")) send_reports(service, fd, is_one, first);
  atomic_fetch_sub(&service->up, 1);
}

static struct ws_parallel *begin_ha(struct fixture *fixture, struct service *service) {
  struct ws_parallel *host = ws_parallel_start(serve, service);
  begin(fixture, NULL, NULL);
  add_origin(fixture, "127.0.0.1", host->port, "");
  fixture->config.stream.ha = true;
  fixture->config.stream.backfill = false;
  fixture->config.retry_delay = fixture->config.retry_max_delay = 0.01;
  return host;
}

static void end_ha(struct fixture *fixture, struct ws_parallel *host) {
  finish(fixture);
  ws_parallel_stop(host);
}

static const struct cds_link_stats *link_of(const struct cds_stream_stats *stats, const char *origin) {
  static const struct cds_link_stats none;
  for (size_t i = 0; i < stats->link_count; i++)
    if (strcmp(stats->links[i].origin, origin) == 0) return &stats->links[i];
  return &none;
}

static void test_two_origins(void) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_ha(&fixture, &service);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 2 && atomic_load(&service.up) == 2);
  is_number(atomic_load(&service.heads), 1, "the origins are asked for once");
  is_number((long long)stats_of(&fixture).configured_connections, 2, "two connections are configured");
  ok(cds_stream_is_subscribed(fixture.stream), "the stream is subscribed");
  atomic_store(&service.sent, 20);
  is_number((long long)take_in_order(&fixture, &seen, 1, 20), 20, "twenty reports from two origins, each once");
  WAIT_FOR(&fixture, &seen, stats.deduplicated + stats.out_of_order == 20);
  atomic_store(&service.drop_one, true);
  WAIT_FOR(&fixture, &seen, stats.partial_reconnects == 1 && stats.active_connections == 2);
  is_number((long long)stats_of(&fixture).full_reconnects, 0, "which was no full reconnect");
  struct cds_stream_stats now = stats_of(&fixture);
  is_number((long long)link_of(&now, "one")->reconnect_count, 1, "counted for its origin");
  is_number((long long)link_of(&now, "two")->reconnect_count, 0, "and not for the other");
  WAIT_FOR(&fixture, &seen, atomic_load(&service.up) == 2);
  atomic_store(&service.sent, 30);
  is_number((long long)take_in_order(&fixture, &seen, 21, 10), 10, "reports go on");
  end_ha(&fixture, host);
}

static void test_one_origin(const char *head, const char *warning) {
  static struct service service;
  memset(&service, 0, sizeof service);
  struct fixture fixture;
  struct seen_events seen = {0};
  service.head = head;
  struct ws_parallel *host = begin_ha(&fixture, &service);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 1);
  atomic_store(&service.sent, 1);
  is_number((long long)take_in_order(&fixture, &seen, 1, 1), 1, "the stream works");
  is_number((long long)stats_of(&fixture).configured_connections, 1, "on one connection");
  ok(strstr(seen.all_text, warning) != NULL, "with a warning: %s", warning);
  end_ha(&fixture, host);
}

static void test_hosts(void) {
  static struct service one, two;
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *other = ws_parallel_start(serve, &two), *host = begin_ha(&fixture, &one);
  add_origin(&fixture, "127.0.0.1", other->port, "");
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 2);
  is_number(atomic_load(&one.heads) + atomic_load(&two.heads), 0, "listed hosts are the origins: none is asked for");
  ok(atomic_load(&one.up) == 1 && atomic_load(&two.up) == 1, "one connection to each");
  end_ha(&fixture, host);
  ws_parallel_stop(other);
}

static void test_refused(void) {
  static struct service service = {.refuse_origin = "two",
                                   .refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_ha(&fixture, &service);
  open_stream(&fixture, 1);
  struct cds_error err = wait_end(&fixture, &seen);
  is_number(err.status, CDS_E_AUTH, "an origin that refuses the credentials ends the stream");
  WAIT_FOR(&fixture, &seen, atomic_load(&service.up) == 0 && stats.active_connections == 0);
  end_ha(&fixture, host);
}

static void test_gives_up(void) {
  static struct service service = {.refuse_origin = "two",
                                   .refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_ha(&fixture, &service);
  fixture.config.stream.max_reconnects = 2;
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_FAILED] == 1 && stats.active_connections == 1);
  struct cds_stream_stats stats = stats_of(&fixture);
  is_number(link_of(&stats, "two")->state, CDS_LINK_FAILED, "one connection has failed");
  atomic_store(&service.sent, 3);
  is_number((long long)take_in_order(&fixture, &seen, 1, 3), 3, "the stream goes on with the other");
  end_ha(&fixture, host);
}

/* As if that time had passed since the origins were asked for. */
static void age_origins(struct cds_stream *stream, int64_t milliseconds) {
  cds_stream_lock(stream);
  stream->discovery.asked_at_ms -= milliseconds;
  cds_stream_unlock(stream);
}

static void test_moved(void) {
  static struct service service = {
    .later_head =
      "HTTP/1.1 200 OK\r\nX-Cll-Available-Origins: {two,three}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    .refuse_origin = "one",
    .refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_ha(&fixture, &service);
  open_stream(&fixture, 1);
  WAIT_FOR(&fixture, &seen, seen.states[CDS_LINK_RECONNECTING] >= 10 && stats.active_connections == 1);
  is_number(atomic_load(&service.heads), 1, "the origins are not asked for with each failure");
  age_origins(fixture.stream, 60000);
  size_t enough = seen.states[CDS_LINK_RECONNECTING] + 150; /* the next attempt asks, one after it knows */
  WAIT_FOR(&fixture, &seen, stats.active_connections == 2 || seen.states[CDS_LINK_RECONNECTING] > enough);
  is_number(atomic_load(&service.heads), 2, "but again after a minute");
  struct cds_stream_stats now = stats_of(&fixture);
  is_number(link_of(&now, "three")->state, CDS_LINK_CONNECTED, "the connection has gone to where the service is now");
  is_number((long long)now.configured_connections, 2, "and is no third");
  end_ha(&fixture, host);
}

static void test_shards(void) {
  static struct service service;
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_ha(&fixture, &service);
  fixture.config.stream.ha = false;
  fixture.config.stream.feeds_per_connection = 2;
  open_stream(&fixture, 7);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 4);
  int sizes[3] = {0};
  for (int i = 1; i <= 4; i++) sizes[atomic_load(&service.feeds_of[i])]++;
  ok(sizes[1] == 1 && sizes[2] == 3, "seven feeds, at most two each: 2, 2, 2 and 1");
  ok(cds_stream_is_subscribed(fixture.stream), "subscribed when all four are up");
  end_ha(&fixture, host);
}

static void test_arithmetic(void) {
  struct cds_error err = {0};
  is_number((long long)cds_places_shards_for(1000, 100), 10, "1,000 feeds, 100 each");
  is_number((long long)cds_places_shards_for(1001, 100), 11, "one more");
  for (size_t feeds = 1; feeds <= 60; feeds++)
    for (size_t each = 1; each <= feeds; each++) {
      size_t shards = cds_places_shards_for(feeds, each), sizes[60] = {0}, least = feeds, most = 0;
      for (size_t i = 0; i < feeds; i++) sizes[cds_places_shard_of(i, feeds, shards)]++;
      for (size_t i = 0; i < shards; i++) {
        least = sizes[i] < least ? sizes[i] : least;
        most = sizes[i] > most ? sizes[i] : most;
      }
      if (most > each || most - least > 1) ok(false, "%zu feeds, %zu each: from %zu to %zu", feeds, each, least, most);
    }
  ok(cds_fleet_check(1000, 100, 2, &err) == CDS_OK, "twenty connections are allowed");
  is_number(cds_fleet_check(1200, 100, 2, &err), CDS_E_CONFIG, "more are not");
  is_string(err.message,
            "1200 feeds / 100 per connection x 2 origins = 24 connections; an account may hold 20: raise "
            "feeds_per_connection",
            "and the arithmetic is shown");
}

static void test_limits(void) {
  struct fixture fixture;
  struct cds_error err = {0};
  struct cds_stream *stream;
  struct cds_feed_id feeds[50];
  for (unsigned i = 0; i < 50; i++) feeds[i] = feed_number(i + 1);
  begin(&fixture, NULL, NULL);
  add_origin(&fixture, "127.0.0.1", 1, "");
  struct cds_stream_config config = fixture.config.stream;
  config.feeds_per_connection = 2;
  ok(cds_client_new(&fixture.client, &fixture.config, &err) == CDS_OK, "a client");
  is_number(cds_stream_open(&stream, fixture.client, feeds, 50, &config, &err), CDS_E_CONFIG, "25 connections");
  ok(stream == NULL && strstr(err.message, "= 25 connections") != NULL, "are refused: %s", err.message);
  finish(&fixture);
}

int main(void) {
  test_two_origins();
  test_one_origin("HTTP/1.1 200 OK\r\nX-Cll-Available-Origins: solo\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                  "one origin");
  test_one_origin("HTTP/1.1 200 OK\r\nX-Cll-Available-Origins: }\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                  "no origin");
  test_one_origin("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                  "origins are not known");
  test_hosts();
  test_refused();
  test_gives_up();
  test_moved();
  test_shards();
  test_arithmetic();
  test_limits();
  return done();
}
