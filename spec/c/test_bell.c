/* SPDX-License-Identifier: MIT
 * The doorbell: what connects is told of descriptors and rings; nothing is left of it on the disk. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "context/bell.h"
#include "context/notify.h"
#include "entries.h"
#include "tap.h"

#define LONG_MS 60000 /* for a hang */

static char folder[] = "/tmp/bell-XXXXXX";

static int visit_by(int fd, const struct cds_bell *bell, const char *line) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  snprintf(at.sun_path, sizeof at.sun_path, "%s", cds_bell_address(bell));
  if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
      send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line))
    return fd;
  close(fd);
  return -1;
}

static int visit(const struct cds_bell *bell, const char *line) {
  return visit_by(socket(AF_UNIX, SOCK_STREAM, 0), bell, line);
}

static bool comes(int fd, int ms) {
  struct pollfd at = {.fd = fd, .events = POLLIN};
  return poll(&at, 1, ms) == 1;
}

/* A byte: 1; the end: 0; nothing within the time: -1. */
static int hears(int fd) {
  char byte;
  return comes(fd, LONG_MS) ? (int)recv(fd, &byte, 1, 0) : -1;
}

static bool is_back_at(int open) {
  for (int64_t until_ms = cds_clock_mono_ms() + LONG_MS; cds_clock_mono_ms() < until_ms; poll(NULL, 0, 1))
    if (count_entries("/proc/self/fd") <= open) return true;
  return false;
}

static void test_wait(struct cds_bell *bell) {
  struct cds_notify notify;
  char line[64];
  int kept = dup(0);
  close(0); /* its number is one like others */
  if (!ok(cds_notify_init(&notify, NULL) == CDS_OK && notify.read_fd == 0, "something to wait for")) return;
  snprintf(line, sizeof line, "wait %d -1\n", notify.read_fd);
  int first = visit(bell, line), second = visit(bell, line);
  ok(first >= 0 && second >= 0, "two wait for it");
  ok(!comes(first, 0) && !comes(second, 0), "which is not readable yet");
  cds_notify_raise(&notify);
  is_number(hears(first), 1, "it is: the first is told");
  is_number(hears(second), 1, "and the second");
  ok(!comes(first, 20), "once, while it stays readable");
  ok(send(first, line, strlen(line), 0) > 0 && hears(first) == 1, "asked again, it tells at once");
  cds_notify_clear(&notify);
  snprintf(line, sizeof line, "wait %d 10\n", notify.read_fd);
  ok(send(first, line, strlen(line), 0) > 0 && hears(first) == 1, "a time limit ends a wait");
  snprintf(line, sizeof line, "wait %d 0\n", notify.read_fd);
  ok(send(first, line, strlen(line), 0) > 0 && hears(first) == 1, "even one of no time");
  ok(send(second, line, 1, 0) == 1 && send(first, line, strlen(line), 0) > 0 && hears(first) == 1, "one begins a line");
  ok(send(second, line + 1, strlen(line) - 1, 0) > 0 && hears(second) == 1, "and it may come in pieces");
  snprintf(line, sizeof line, "wait %d %d\n", notify.read_fd, LONG_MS);
  ok(send(first, line, strlen(line), 0) > 0 && !comes(first, 20), "a long time is not over at once");
  cds_notify_raise(&notify);
  is_number(hears(first), 1, "and what is waited for ends it");
  close(first);
  close(second);
  cds_notify_close(&notify);
  dup2(kept, 0);
  close(kept);
}

static int count_inherited(void) {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++) count += fcntl(fd, F_GETFD) == 0;
  return count;
}

/* The bell's end of a connection is the lowest number, as it is made the last. */
static void test_lowest(struct cds_bell *bell) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0), kept = dup(0);
  int64_t until_ms = cds_clock_mono_ms() + LONG_MS;
  close(0);
  ok(visit_by(fd, bell, "listen\n") == fd && hears(fd) == 1, "a visitor may have the lowest descriptor");
  ok(fcntl(0, F_GETFD) >= 0, "which is this one");
  close(fd);
  while (fcntl(0, F_GETFD) >= 0 && cds_clock_mono_ms() < until_ms) poll(NULL, 0, 1);
  ok(fcntl(0, F_GETFD) < 0, "and is closed when that has gone");
  dup2(kept, 0);
  close(kept);
}

static void test_listen(struct cds_bell *bell) {
  int fds[40], open = count_entries("/proc/self/fd"), inherited = count_inherited();
  bool good = true;
  for (int i = 0; i < 40; i++) fds[i] = visit(bell, "listen\n");
  for (int i = 0; i < 40; i++) good = good && fds[i] >= 0 && hears(fds[i]) == 1;
  ok(good, "forty listen, and are greeted");
  is_number(count_inherited() - inherited, 40, "no program that is started has the bell's end");
  cds_bell_ring(bell);
  for (int i = 0; i < 40; i++) good = good && hears(fds[i]) == 1;
  ok(good, "a ring reaches each");
  for (int i = 0; i < 3000; i++) cds_bell_ring(bell);
  ok(true, "those that never read are not waited for");
  for (int i = 0; i < 40; i++) close(fds[i]);
  ok(is_back_at(open), "nothing is kept of those that have gone");
}

/* There is room for eight at first: two lists grow for the ninth. */
static void test_without_memory(void) {
  struct cds_bell *bell;
  struct cds_error err;
  int fds[8], open = count_entries("/proc/self/fd");
  for (long i = 0; i < 3; i++) {
    cds_alloc_fail_after(i);
    is_number(cds_bell_open(&bell, &err), CDS_E_MEMORY, "without memory there is no bell");
    cds_alloc_fail_after(-1);
    ok(bell == NULL, "which is told");
  }
  is_number(cds_bell_open(&bell, &err), CDS_OK, "with it there is one");
  for (int i = 0; i < 8; i++) fds[i] = visit(bell, "listen\n");
  for (int i = 0; i < 8; i++) ok(hears(fds[i]) == 1, "eight visit it");
  for (long i = 0; i < 2; i++) {
    cds_alloc_fail_after(i);
    int ninth = visit(bell, "listen\n");
    ok(ninth < 0 || (comes(ninth, LONG_MS) && hears(ninth) <= 0), "there is no memory for a ninth");
    cds_alloc_fail_after(-1);
    close(ninth);
  }
  int ninth = visit(bell, "listen\n");
  is_number(hears(ninth), 1, "until there is");
  close(ninth);
  for (int i = 0; i < 8; i++) close(fds[i]);
  cds_bell_close(bell);
  ok(count_entries("/proc/self/fd") <= open, "it leaves no descriptor");
}

static void test_nonsense(struct cds_bell *bell) {
  const char *const lines[] = {"\n",
                               "wait\n",
                               "wait x 1\n",
                               "wait -1 1\n",
                               "wait 1 1 1\n",
                               "listen wait 1\n",
                               "0123456789012345678901234567890123456789"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    int fd = visit(bell, lines[i]);
    ok(fd >= 0 && hears(fd) <= 0, "nonsense %zu ends the connection", i);
    close(fd);
  }
}

static void test_fork(struct cds_bell *bell) {
  int fd = visit(bell, "listen\n"), status = 1;
  ok(hears(fd) == 1, "one listens");
  pid_t child = fork();
  if (child == 0) {
    int open = count_entries("/proc/self/fd");
    cds_bell_close(bell);
    _exit(count_entries("/proc/self/fd") < open ? 0 : 1);
  }
  ok(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child closes what it has of it");
  cds_bell_ring(bell);
  is_number(hears(fd), 1, "and it rings on in the parent");
  close(fd);
}

static void test_without_descriptors(void) {
  struct cds_bell *bell;
  struct cds_error err;
  struct rlimit before, none;
  if (!ok(getrlimit(RLIMIT_NOFILE, &before) == 0, "there is a limit of descriptors")) return;
  for (rlim_t more = 0; more < 3; more++) {
    int next = dup(1);
    close(next);
    none = (struct rlimit){(rlim_t)next + more, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    enum cds_status status = cds_bell_open(&bell, &err);
    setrlimit(RLIMIT_NOFILE, &before);
    ok(status == (more < 2 ? CDS_E_MEMORY : CDS_OK), "%d descriptors are too few, or enough", (int)more);
    cds_bell_close(bell);
    ok(fcntl(0, F_GETFD) >= 0, "no descriptor but its own is closed");
  }
}

int main(void) {
  struct cds_bell *bell;
  struct cds_error err = {0};
  if (mkdtemp(folder) == NULL || setenv("TMPDIR", folder, 1) != 0) return 1;
  int empty = count_entries(folder);
  if (!ok(cds_bell_open(&bell, &err) == CDS_OK, "a bell is made %s", err.message)) return done();
  test_wait(bell);
  test_lowest(bell);
  test_listen(bell);
  test_nonsense(bell);
  test_fork(bell);
  test_without_memory();
  test_without_descriptors();
  is_number(count_entries(folder), empty, "it has no file");
  int left = visit(bell, "listen\n");
  ok(hears(left) == 1, "one is still there at the end");
  cds_bell_close(bell);
  is_number(hears(left), 0, "whose connection ends");
  close(left);
  cds_bell_close(NULL);
  setenv("TMPDIR", "/nonexistent", 1);
  is_number(cds_bell_open(&bell, &err), CDS_E_MEMORY, "without a folder for its socket there is none");
  ok(bell == NULL && strstr(err.message, "no unix socket") != NULL, "and it is said why: %s", err.message);
  rmdir(folder);
  return done();
}
