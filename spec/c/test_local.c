/* SPDX-License-Identifier: MIT
 * The socket of a path, where somebody listens and lets nobody in, how many may wait there, which descriptors it takes, and
 * what the system refuses. */
#include "web/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entries.h"
#include "system_faults.h"
#include "tap.h"

#define BACKLOG 64
#define MOST 1000
#define LIMIT_SECONDS 60 /* for a hang */

static struct system_fault of_socket, of_unlink, of_chmod, of_listen;

SYSTEM_CALL int socket(int domain, int type, int protocol) {
  return system_fails(&of_socket) ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}

SYSTEM_CALL int unlink(const char *name) {
  return system_fails(&of_unlink) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}

SYSTEM_CALL int chmod(const char *name, mode_t mode) {
  return system_fails(&of_chmod) ? -1 : (int)syscall(SYS_fchmodat, AT_FDCWD, name, mode);
}

SYSTEM_CALL int listen(int fd, int backlog) {
  return system_fails(&of_listen) ? -1 : (int)syscall(SYS_listen, fd, backlog);
}

static struct cds_web_local local;
static struct cds_error err;
static char path[64];

static struct sockaddr_un address(void) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  strcpy(at.sun_path, path);
  return at;
}

static int listen_plainly(int backlog) {
  const struct sockaddr_un at = address();
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 || (backlog > 0 && listen(fd, backlog) != 0))
    ok(false, "a socket of the test's own");
  return fd;
}

/* Comes in without waiting; -1: there is no room. */
static int come(void) {
  const struct sockaddr_un to = address();
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

/* As many as there is room for; fds may be NULL: they go again. */
static int come_all(int *fds) {
  int own[MOST], *taken = fds != NULL ? fds : own, count = 0;
  while (count < MOST && (taken[count] = come()) >= 0) count++;
  for (int i = 0; fds == NULL && i < count; i++) close(own[i]);
  return count;
}

static void is_taken(const char *words) {
  int open = count_entries("/proc/self/fd");
  struct cds_web_local other;
  struct stat found;
  errno = ECONNREFUSED; /* of something else, before */
  is_number(cds_web_local_open(&other, path, &err), CDS_E_NETWORK, words);
  ok(strstr(err.message, "another process listens there") != NULL, "which is told: %s", err.message);
  ok(lstat(path, &found) == 0, "and its socket stays");
  is_number(count_entries("/proc/self/fd"), open, "no descriptor is left");
}

static void test_waiting(void) {
  static int fds[MOST];
  int plain = listen_plainly(BACKLOG), room = come_all(NULL);
  close(plain);
  is_number(cds_web_local_open(&local, path, &err), CDS_OK, "a socket");
  is_taken("where somebody listens no other can");
  for (int fd; (fd = cds_web_local_accept(&local)) >= 0;) close(fd); /* who tried has gone */
  int count = come_all(fds);
  is_number(count, room, "as many may wait as may with such a backlog");
  ok(count < MOST, "and no more");
  is_taken("nor where nobody else is let in");
  int accepted = cds_web_local_accept(&local), late = come();
  ok(accepted >= 0 && late >= 0, "when one is let in, another may come");
  close(accepted);
  close(late);
  for (int i = 0; i < count; i++) close(fds[i]);
  cds_web_local_close(&local);
}

/* The one that tries whether somebody listens may be the first descriptor, and so may the socket itself. */
static void test_first_descriptor(void) {
  struct stat found;
  int input = dup(0);
  close(listen_plainly(0));
  close(0);
  is_number(cds_web_local_open(&local, path, &err), CDS_OK, "what was left behind is replaced");
  is_number(local.fd, 0, "by the first descriptor");
  cds_web_local_close(&local);
  ok(fcntl(0, F_GETFD) < 0 && lstat(path, &found) != 0, "which is closed");
  dup2(input, 0);
  close(input);
}

static void test_closed_twice(void) {
  is_number(cds_web_local_open(&local, path, &err), CDS_OK, "a socket");
  cds_web_local_close(&local);
  is_number(local.fd, -1, "which is none when it is closed");
  int input = fcntl(0, F_GETFD);
  cds_web_local_close(&local);
  is_number(fcntl(0, F_GETFD), input, "and closes nothing else then");
}

static void test_faults(void) {
  static const struct {
    struct system_fault *fault;
    const char *words;
    bool is_left; /* what was there before */
  } rows[] = {{&of_unlink, "Permission denied", true},
              {&of_socket, "Permission denied", false},
              {&of_chmod, "Permission denied", false},
              {&of_listen, "Permission denied", false},
              {&of_socket, "another process listens there", true}}; /* that cannot be told */
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char words[200];
    struct stat found;
    if (rows[i].is_left) close(listen_plainly(0));
    int open = count_entries("/proc/self/fd");
    *rows[i].fault = (struct system_fault){.times = 1, .reason = EACCES};
    is_number(cds_web_local_open(&local, path, &err), CDS_E_NETWORK, "no socket");
    is_number(rows[i].fault->times, 0, "as the system refuses it");
    snprintf(words, sizeof words, "cannot listen on %s: %s", path, rows[i].words);
    is_string(err.message, words, "which is told");
    is_number(local.fd, -1, "there is none");
    is_number(count_entries("/proc/self/fd"), open, "and no descriptor");
    is_number(lstat(path, &found) == 0, rows[i].is_left, "what was not there before is not left there");
    if (rows[i].is_left) unlink(path);
  }
}

int main(void) {
  char folder[] = "/tmp/cds-local-XXXXXX";
  alarm(LIMIT_SECONDS);
  if (!ok(mkdtemp(folder) != NULL, "a folder")) return done();
  snprintf(path, sizeof path, "%s/socket", folder);
  test_waiting();
  test_first_descriptor();
  test_closed_twice();
  test_faults();
  ok(rmdir(folder) == 0, "nothing is left in it");
  return done();
}
