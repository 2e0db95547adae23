/* SPDX-License-Identifier: MIT
 * A report that is being read while its feed is unsubscribed, or while another feed has got its place. */
#include "stream/parts.h"
#include "stream_fixture.h"

/* The next thread that asks for the time of day without the stream's lock waits there: the connection's, between
 * finding a report's feed and putting the report in its place. The program's definition comes before the C library's. */
#include <sys/syscall.h>

enum { FREE, ARMED, HELD };
static atomic_int hold;
static struct cds_stream *held; /* set before it is armed */

static bool has_lock(void) {
  if (pthread_mutex_trylock(&held->core.mu) != 0) return true;
  pthread_mutex_unlock(&held->core.mu);
  return false;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *out) {
  int armed = ARMED;
  if (id == CLOCK_REALTIME && atomic_load(&hold) == ARMED && !has_lock() &&
      atomic_compare_exchange_strong(&hold, &armed, HELD))
    while (atomic_load(&hold) == HELD) poll(NULL, 0, 1);
  return (int)syscall(SYS_clock_gettime, id, out);
}

static void serve(struct ws_server *server, int number, int fd) {
  atomic_bool *is_wanted = server->context;
  (void)number;
  if (!ws_accept(server, fd)) return;
  while (!atomic_load(is_wanted) && !atomic_load(&server->stopping)) poll(NULL, 0, 1);
  ws_send_message(fd, next_message(2, 1));
  ws_send_message(fd, next_message(1, 1));
  ws_attend(fd);
}

static void test_unsubscribed(void) {
  struct fixture fixture;
  struct seen_events seen = {0};
  struct cds_error err = {0};
  struct cds_feed_id feed = feed_number(2);
  atomic_bool is_wanted = false;
  begin(&fixture, serve, &is_wanted);
  open_stream(&fixture, 2);
  WAIT_FOR(&fixture, &seen, stats.active_connections == 1);
  held = fixture.stream;
  atomic_store(&hold, ARMED);
  atomic_store(&is_wanted, true);
  WAIT_FOR(&fixture, &seen, atomic_load(&hold) == HELD);
  is_number(cds_stream_unsubscribe(fixture.stream, &feed, 1, &err), CDS_OK, "unsubscribed while its report is read");
  atomic_store(&hold, FREE);
  struct cds_report *report = next_report(&fixture, &seen, &err);
  ok(report != NULL && report->feed_id.bytes[31] == 1, "the first report is another feed's");
  cds_report_unref(report);
  ok(cds_stream_latest(fixture.stream, &feed) == NULL, "and none of it is kept");
  finish(&fixture);
}

static void test_place(void) {
  static struct cds_stream stream;
  const struct cds_feed_id feeds[] = {feed_number(1), feed_number(2)}, other = feed_number(3);
  ok(cds_places_init(&stream, feeds, 2), "two places");
  cds_places_spread(&stream, 1);
  size_t slot = cds_places_find(&stream, &feeds[1]);
  ok(cds_places_is_home(&stream, slot, &feeds[1]), "the place of a feed");
  ok(!cds_places_is_home(&stream, slot, &feeds[0]), "is no other's");
  cds_places_unwant(&stream, slot);
  ok(!cds_places_is_home(&stream, slot, &feeds[1]), "nor its own when it is not wanted");
  stream.places.of[slot].is_served = false;
  cds_places_want(&stream, &other);
  ok(!cds_places_is_home(&stream, slot, &feeds[1]), "nor when another feed has got it");
  ok(cds_places_is_home(&stream, slot, &other), "whose it is then");
  cds_places_clear(&stream);
}

int main(void) {
  test_place();
  test_unsubscribed();
  return done();
}
