/* SPDX-License-Identifier: MIT
 * A process that stands still, as when the computer sleeps or has too much to do, for longer than a new connection has
 * to be up before it takes over whatever it has brought: what the old one has yet to read is not passed over. */
#include <signal.h>
#include <sys/wait.h>

#include "stream/connections.h"
#include "stream_fixture.h"
#include "ws_parallel.h"

#define STALL_MS (CDS_TRIAL_PROOF_MS + 300)

/* ---- standing still ---- */

static int to_parent[2], from_parent[2];

static void stand_still(void) {
  char byte = 0;
  ok(write(to_parent[1], &byte, 1) == 1 && read(from_parent[0], &byte, 1) == 1, "the process stood still");
}

/* The parent's part: stops the child as often as it asks for that. */
static int attend_child(pid_t child) {
  int status = 0;
  char byte;
  close(to_parent[1]);
  while (read(to_parent[0], &byte, 1) == 1) {
    kill(child, SIGSTOP);
    poll(NULL, 0, STALL_MS);
    kill(child, SIGCONT);
    if (write(from_parent[1], &byte, 1) != 1) break;
  }
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The first connection is late. */
struct service {
  atomic_int sent; /* by the first connection: its feed's reports up to this one */
  atomic_int up;
};

static void serve(struct ws_server *view, int number, int fd) {
  struct service *service = view->context;
  if (!ws_accept(view, fd)) return;
  atomic_fetch_add(&service->up, 1);
  if (number > 1) ws_send_message(fd, next_message(1, 4));
  for (int next = 1; number == 1 && next <= 4;)
    if (next > atomic_load(&service->sent)) poll(NULL, 0, 20);
    else if (!ws_send_message(fd, next_message(1, (uint32_t)next++))) break;
  ws_attend(fd);
  atomic_fetch_sub(&service->up, 1);
}

static void test_stall(void) {
  static struct service service = {.sent = 1};
  struct fixture fixture;
  struct seen_events seen = {0};
  struct cds_error err = {0};
  struct cds_feed_id more = feed_number(2);
  struct ws_parallel *host = ws_parallel_start(serve, &service);
  begin(&fixture, NULL, NULL);
  add_origin(&fixture, "127.0.0.1", host->port, "");
  open_stream(&fixture, 1);
  is_number(take_in_order(&fixture, &seen, 1, 1), 1, "the first report");
  is_number(cds_stream_subscribe(fixture.stream, &more, 1, &err), CDS_OK, "one more feed");
  WAIT_FOR(&fixture, &seen, stats.total_received == 2);
  stand_still();
  atomic_store(&service.sent, 4);
  is_number(take_in_order(&fixture, &seen, 2, 3), 3, "what the old connection brings late is not passed over");
  WAIT_FOR(&fixture, &seen, atomic_load(&service.up) == 1 && cds_stream_is_subscribed(fixture.stream));
  is_number((long long)stats_of(&fixture).lost, 0, "nothing is lost");
  finish(&fixture);
  ws_parallel_stop(host);
}

int main(void) {
  if (pipe(to_parent) != 0 || pipe(from_parent) != 0) abort();
  pid_t child = fork();
  if (child < 0) abort();
  if (child > 0) return attend_child(child);
  close(to_parent[0]);
  test_stall();
  return done();
}
