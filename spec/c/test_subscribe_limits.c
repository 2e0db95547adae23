/* SPDX-License-Identifier: MIT
 * What a stream's feeds may become: how many, over how many connections, and that what is refused changes nothing. */
#include "stream_fixture.h"
#include "ws_parallel.h"

struct service {
  const char *origins;   /* what HEAD names; NULL: it is never answered */
  atomic_int unanswered; /* questions under way */
};

static void serve(struct ws_server *view, int number, int fd) {
  struct service *service = view->context;
  (void)number;
  if (!ws_read_request(view, fd)) return;
  if (strncmp(view->request, "HEAD ", 5) == 0) {
    char answer[256];
    if (service->origins == NULL) {
      atomic_fetch_add(&service->unanswered, 1);
      ws_wait_end(fd);
      atomic_fetch_sub(&service->unanswered, 1);
    }
    snprintf(answer, sizeof answer,
             "HTTP/1.1 200 OK\r\nX-Cll-Available-Origins: {%s}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
             service->origins != NULL ? service->origins : "");
    ws_send_text_raw(fd, answer);
    return;
  }
  if (ws_upgrade(view, fd, "")) ws_attend(fd);
}

static struct ws_parallel *begin_with(struct fixture *fixture, struct service *service, size_t per_connection) {
  struct ws_parallel *host = ws_parallel_start(serve, service);
  begin(fixture, NULL, NULL);
  add_origin(fixture, "127.0.0.1", host->port, "");
  fixture->config.stream.feeds_per_connection = per_connection;
  return host;
}

static void end_with(struct fixture *fixture, struct ws_parallel *host) {
  finish(fixture);
  ws_parallel_stop(host);
}

typedef enum cds_status change_feeds(struct cds_stream *stream, const struct cds_feed_id *feeds, size_t count,
                                     struct cds_error *err);

/* Changes the feeds first to last; what came of it, with the error's words. */
static enum cds_status try(struct fixture *fixture, change_feeds *change, unsigned first, unsigned last,
                           char words[384]) {
  static struct cds_feed_id feeds[CDS_MAX_FEEDS + 8];
  struct cds_error err = {0};
  size_t count = 0;
  for (unsigned feed = first; feed <= last; feed++) feeds[count++] = feed_number(feed);
  enum cds_status status = change(fixture->stream, feeds, count, &err);
  if (words != NULL) snprintf(words, 384, "%s", err.message);
  return status;
}

static void refused(struct fixture *fixture, change_feeds *change, unsigned first, unsigned last, const char *words) {
  char got[384];
  uint64_t before = stats_of(fixture).feeds;
  is_number(try(fixture, change, first, last, got), CDS_E_CONFIG, "refused");
  is_string(got, words, words);
  is_number((long long)stats_of(fixture).feeds, (long long)before, "and nothing changed");
}

static void done_so(struct fixture *fixture, change_feeds *change, unsigned first, unsigned last, long long feeds) {
  char got[384];
  if (!ok(try(fixture, change, first, last, got) == CDS_OK, "%s %u to %u",
          change == cds_stream_subscribe ? "add" : "take out", first, last))
    printf("# %s\n", got);
  is_number((long long)stats_of(fixture).feeds, feeds, "the feeds there are now");
}

static void test_feeds(void) {
  struct service service = {0};
  struct fixture fixture;
  struct ws_parallel *host = begin_with(&fixture, &service, 500);
  open_stream(&fixture, CDS_MAX_FEEDS - 1);
  refused(&fixture, cds_stream_subscribe, 1000, 1001, "a stream may have 1000 feeds, this would make 1001");
  done_so(&fixture, cds_stream_subscribe, 1, 999, 999);
  done_so(&fixture, cds_stream_subscribe, 999, 1000, 1000);
  refused(&fixture, cds_stream_subscribe, 1001, 1001, "a stream may have 1000 feeds, this would make 1001");
  done_so(&fixture, cds_stream_unsubscribe, 5, 6, 998);
  done_so(&fixture, cds_stream_subscribe, 1001, 1002, 1000);
  refused(&fixture, cds_stream_subscribe, 5, 5, "a stream may have 1000 feeds, this would make 1001");
  done_so(&fixture, cds_stream_subscribe, 1, 0, 1000); /* none */
  end_with(&fixture, host);
}

static void test_last_feed(void) {
  static const char words[] = "a stream needs a feed: close it rather than unsubscribe from all";
  struct service service = {0};
  struct fixture fixture;
  struct ws_parallel *host = begin_with(&fixture, &service, 500);
  open_stream(&fixture, 3);
  refused(&fixture, cds_stream_unsubscribe, 1, 3, words);
  refused(&fixture, cds_stream_unsubscribe, 1, 9, words);
  done_so(&fixture, cds_stream_unsubscribe, 7, 9, 3); /* it has none of these */
  done_so(&fixture, cds_stream_unsubscribe, 1, 2, 1);
  refused(&fixture, cds_stream_unsubscribe, 3, 3, words);
  done_so(&fixture, cds_stream_subscribe, 4, 4, 2);
  done_so(&fixture, cds_stream_unsubscribe, 3, 3, 1);
  end_with(&fixture, host);
}

static void test_connections(void) {
  struct service service = {0};
  struct fixture fixture;
  struct ws_parallel *host = begin_with(&fixture, &service, 2);
  open_stream(&fixture, 39);
  done_so(&fixture, cds_stream_subscribe, 40, 40, 40);
  refused(&fixture, cds_stream_subscribe, 41, 41,
          "41 feeds / 2 per connection x 1 origin = 21 connections; an account may hold 20: raise "
          "feeds_per_connection");
  done_so(&fixture, cds_stream_unsubscribe, 1, 1, 39);
  done_so(&fixture, cds_stream_subscribe, 41, 41, 40);
  end_with(&fixture, host);
}

/* As long as the service has not told its origins, two are counted on. */
static void test_unknown_origins(void) {
  struct service service = {0};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_with(&fixture, &service, 1);
  fixture.config.stream.ha = true;
  open_stream(&fixture, 9);
  done_so(&fixture, cds_stream_subscribe, 10, 10, 10);
  refused(&fixture, cds_stream_subscribe, 11, 11,
          "11 feeds / 1 per connection x 2 origins = 22 connections; an account may hold 20: raise "
          "feeds_per_connection");
  is_number((long long)stats_of(&fixture).active_connections, 0, "there is no connection yet");
  WAIT_FOR(&fixture, &seen, atomic_load(&service.unanswered) == 1);
  int64_t before = cds_clock_mono_ms();
  cds_stream_close(fixture.stream);
  ok(cds_clock_mono_ms() - before < WAIT_MS / 3, "closing does not wait for the answer");
  WAIT_FOR(&fixture, &seen, atomic_load(&service.unanswered) == 0);
  end_with(&fixture, host);
}

static struct ws_parallel *begin_ha(struct fixture *fixture, struct service *service, struct seen_events *seen,
                                    size_t feeds, size_t connections) {
  struct ws_parallel *host = begin_with(fixture, service, 1);
  fixture->config.stream.ha = true;
  open_stream(fixture, feeds);
  WAIT_FOR(fixture, seen, stats.active_connections == connections);
  return host;
}

static void test_known_origins(void) {
  struct service service = {.origins = "one,two,three"};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_ha(&fixture, &service, &seen, 6, 18);
  refused(&fixture, cds_stream_subscribe, 7, 9,
          "9 feeds / 1 per connection x 3 origins = 27 connections; an account may hold 20: raise "
          "feeds_per_connection");
  end_with(&fixture, host);
}

static void test_too_many_origins(void) {
  struct service service = {.origins = "one,two,three"};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_ha(&fixture, &service, &seen, 10, 20);
  static const char words[] = "ha: 2 of the service's 3 origins are used: an account may hold 20 connections";
  ok(strstr(seen.all_text, words) != NULL, "one of three origins is left alone, with a warning");
  is_number((long long)stats_of(&fixture).configured_connections, 20, "there are twenty connections");
  end_with(&fixture, host);
}

static void test_memory(void) {
  struct service service = {0};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct ws_parallel *host = begin_with(&fixture, &service, 500);
  fixture.config.stream.overflow = CDS_OVERFLOW_LATEST;
  fixture.config.stream.ha = true; /* whose question is not answered: no connection's thread needs memory meanwhile */
  open_stream(&fixture, 2);
  WAIT_FOR(&fixture, &seen, atomic_load(&service.unanswered) == 1);
  enum cds_status status = CDS_E_MEMORY;
  long after = 0;
  for (; status == CDS_E_MEMORY && after < 100; after++) {
    cds_alloc_fail_after(after);
    status = try(&fixture, cds_stream_subscribe, 3, 20, NULL);
    cds_alloc_fail_after(-1);
    if (stats_of(&fixture).feeds != (status == CDS_OK ? 20 : 2)) break;
  }
  ok(status == CDS_OK && after > 4, "all feeds or none, whichever of %ld allocations fails", after - 1);
  cds_alloc_fail_after(0);
  status = try(&fixture, cds_stream_unsubscribe, 1, 1, NULL);
  cds_alloc_fail_after(-1);
  is_number(status, CDS_E_MEMORY, "none is taken out without memory");
  is_number((long long)stats_of(&fixture).feeds, 20, "so that all are left");
  end_with(&fixture, host);
}

static void refuse(struct ws_server *view, int number, int fd) {
  (void)number;
  if (ws_read_request(view, fd)) ws_send_text_raw(fd, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
}

static void test_after_the_end(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  char words[384];
  begin(&fixture, refuse, NULL);
  open_stream(&fixture, 2);
  struct cds_error end = wait_end(&fixture, &seen);
  is_number(end.status, CDS_E_AUTH, "a stream that has ended");
  is_number(try(&fixture, cds_stream_subscribe, 3, 3, words), CDS_E_AUTH, "takes no more feeds");
  is_string(words, end.message, "and tells why it ended");
  is_number(try(&fixture, cds_stream_unsubscribe, 1, 1, NULL), CDS_E_AUTH, "nor are any taken out");
  cds_client_close(fixture.client);
  is_number(try(&fixture, cds_stream_subscribe, 3, 3, NULL), CDS_E_CLOSED, "the client is closed");
  finish(&fixture);
}

int main(void) {
  test_feeds();
  test_last_feed();
  test_connections();
  test_unknown_origins();
  test_known_origins();
  test_too_many_origins();
  test_memory();
  test_after_the_end();
  return done();
}
