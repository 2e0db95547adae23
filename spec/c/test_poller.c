/* SPDX-License-Identifier: MIT
 * Pollers: descriptors and a timer behind one descriptor, how many owners they have, and each failure. */
#include "relay/poller.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "base/alloc.h"
#include "system_faults.h"
#include "tap.h"

#define MANY 70

static struct system_fault of_timer, of_epoll, of_control;
static struct itimerspec set; /* what the timer was set to last */
static int timer_at;          /* the lowest number for it, 0: any */

SYSTEM_CALL int timerfd_create(clockid_t clock, int flags) {
  if (system_fails(&of_timer)) return -1;
  int fd = (int)syscall(SYS_timerfd_create, clock, flags);
  if (timer_at == 0) return fd;
  int other = fcntl(fd, F_DUPFD_CLOEXEC, timer_at);
  close(fd);
  return other;
}

SYSTEM_CALL int timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *before) {
  set = *when;
  return (int)syscall(SYS_timerfd_settime, fd, flags, when, before);
}

SYSTEM_CALL int epoll_create1(int flags) {
  return system_fails(&of_epoll) ? -1 : (int)syscall(SYS_epoll_create1, flags);
}

SYSTEM_CALL int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
  return system_fails(&of_control) ? -1 : (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static int waited_ms; /* by the last look */

SYSTEM_CALL int epoll_wait(int epoll, struct epoll_event *events, int most, int wait_ms) {
  waited_ms = wait_ms;
  return (int)syscall(SYS_epoll_pwait, epoll, events, most, wait_ms, NULL, 0);
}

static struct cds_error err;

static struct cds_poller *open_one(void) {
  struct cds_poller *poller = (struct cds_poller *)&err;
  cds_error_clear(&err);
  enum cds_status status = cds_poller_open(&poller, &err);
  if ((status == CDS_OK) != (poller != NULL) || err.status != status) abort();
  return poller;
}

static bool is_readable(const struct cds_poller *poller, int wait_ms) {
  struct pollfd entry = {.fd = cds_poller_fd(poller), .events = POLLIN};
  return poll(&entry, 1, wait_ms) == 1 && entry.revents == POLLIN;
}

static void test_timer(void) {
  static const struct {
    double seconds;
    time_t whole;
    long ns;
  } times[] = {
    {2.5, 2, 500000000}, {0, 0, 1},      {1e-12, 0, 1},        {0.25, 0, 250000000},     {1, 1, 0},
    {-1, 0, 0},          {-0.001, 0, 0}, {1e9, 1000000000, 0}, {1e9 + 1, 1000000000, 0}, {1e300, 1000000000, 0}};
  size_t before = system_open_files();
  struct cds_poller *poller = open_one();
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    cds_poller_arm(poller, times[i].seconds);
    ok(set.it_value.tv_sec == times[i].whole && set.it_value.tv_nsec == times[i].ns && set.it_interval.tv_sec == 0 &&
         set.it_interval.tv_nsec == 0,
       "%g seconds are set as %lld and %ld, once", times[i].seconds, (long long)set.it_value.tv_sec,
       set.it_value.tv_nsec);
  }
  cds_poller_arm(poller, 3600);
  ok(!is_readable(poller, 0), "it is not readable before its time");
  cds_poller_arm(poller, 0.001);
  ok(is_readable(poller, 60000) && is_readable(poller, 0), "it is then, and stays so");
  cds_poller_arm(poller, -1);
  ok(!is_readable(poller, 0), "until it is set to never");
  cds_poller_arm(poller, 0);
  ok(is_readable(poller, 60000), "or to at once");
  cds_poller_unref(poller);
  is_number(system_open_files(), before, "it closes what it opened");
}

static void test_descriptors(void) {
  int pair[2], fds[4] = {0};
  struct cds_poller *poller = open_one();
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) abort();
  ok(!cds_poller_change(poller, pair[0], true), "what was not added cannot be changed");
  ok(cds_poller_add(poller, pair[0], false), "a descriptor is added");
  ok(!cds_poller_add(poller, pair[0], false), "once");
  ok(!is_readable(poller, 0) && cds_poller_ready(fds, 4, poller) == 0, "it has nothing to do");
  ok(cds_poller_change(poller, pair[0], true), "it is to write");
  ok(is_readable(poller, 0) && cds_poller_ready(fds, 4, poller) == 1 && fds[0] == pair[0], "which it can");
  ok(cds_poller_change(poller, pair[0], false) && !is_readable(poller, 0), "it is not to any more");
  if (write(pair[1], "x", 1) != 1) abort();
  ok(is_readable(poller, 60000) && cds_poller_ready(fds, 4, poller) == 1 && fds[0] == pair[0], "something can be read");
  cds_poller_arm(poller, 0);
  ok(is_readable(poller, 60000) && cds_poller_ready(fds, 4, poller) == 2, "the timer is one more");
  cds_poller_arm(poller, -1);
  close(pair[0]);
  ok(!is_readable(poller, 0), "what is closed is forgotten");
  close(pair[1]);
  cds_poller_unref(poller);
}

static void test_many(void) {
  int ends[MANY][2], fds[MANY];
  struct cds_poller *poller = open_one();
  for (int i = 0; i < MANY; i++) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]) != 0 || !cds_poller_add(poller, ends[i][0], true)) abort();
  }
  is_number(cds_poller_ready(fds, MANY, poller), 64, "64 are told at once");
  is_number(cds_poller_ready(fds, 64, poller), 64, "as many as there is room for");
  is_number(cds_poller_ready(fds, 63, poller), 63, "or fewer");
  fds[1] = -7;
  ok(cds_poller_ready(fds, 1, poller) == 1 && fds[1] == -7, "or one");
  is_number(waited_ms, 0, "without waiting");
  for (int i = 0; i < MANY; i++) {
    close(ends[i][0]);
    close(ends[i][1]);
  }
  cds_poller_unref(poller);
}

static void test_owners(void) {
  size_t before = system_open_files();
  struct cds_poller *poller = open_one();
  ok(cds_poller_ref(poller) == poller && cds_poller_ref(poller) == poller, "it may have three owners");
  cds_poller_unref(poller);
  cds_poller_unref(poller);
  cds_poller_arm(poller, 0);
  ok(is_readable(poller, 60000), "and lives while it has one");
  cds_poller_unref(poller);
  is_number(system_open_files(), before, "and no longer");
  cds_poller_unref(NULL);
}

/* They go to no other program, and the timer keeps nobody waiting. */
static void test_flags(void) {
  bool was_open[256];
  for (int fd = 0; fd < 256; fd++) was_open[fd] = fcntl(fd, F_GETFD) >= 0;
  struct cds_poller *poller = open_one();
  int count = 0;
  for (int fd = 0; fd < 256; fd++) {
    if (was_open[fd] || fcntl(fd, F_GETFD) < 0) continue;
    count++;
    ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a descriptor goes to no other program");
    if (fd != cds_poller_fd(poller)) ok((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, "the timer's does not wait");
  }
  is_number(count, 2, "there are two");
  cds_poller_unref(poller);
}

static void is_refused(const char *what) {
  size_t before = system_open_files();
  ok(!open_one() && err.status == CDS_E_MEMORY, "%s: %s", what, err.message);
  is_number(system_open_files(), before, "nothing stays open");
}

static void test_failures(void) {
  cds_alloc_fail_after(0);
  is_refused("without memory");
  cds_alloc_fail_after(-1);
  struct system_fault *const faults[] = {&of_timer, &of_epoll, &of_control};
  for (size_t i = 0; i < 3; i++) {
    *faults[i] = (struct system_fault){.times = 1, .reason = EMFILE};
    is_refused("without a descriptor");
    ok(strstr(err.message, "no descriptor for a poller: Too many open files"), "which is told");
  }
}

/* The lowest number is one like others, for either. */
static void test_descriptor_0(void) {
  int saved = dup(STDIN_FILENO);
  for (timer_at = 0; timer_at <= 100; timer_at += 100) {
    close(STDIN_FILENO);
    struct cds_poller *poller = open_one();
    ok(poller && (cds_poller_fd(poller) == 0) == (timer_at != 0), "the timer or all may have number 0");
    if (poller) cds_poller_arm(poller, 0);
    ok(poller && is_readable(poller, 60000), "and it works");
    cds_poller_unref(poller);
    ok(fcntl(STDIN_FILENO, F_GETFD) < 0, "it is closed");
  }
  timer_at = 0;
  dup2(saved, STDIN_FILENO);
  close(saved);
}

int main(void) {
  test_timer();
  test_descriptors();
  test_many();
  test_owners();
  test_flags();
  test_failures();
  test_descriptor_0();
  return done();
}
