/* SPDX-License-Identifier: MIT
 * eventfd on Linux, a pipe elsewhere. At most one token is ever inside, so neither can fill up. */
#define _GNU_SOURCE
#include "context/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
typedef uint64_t token;

static bool open_pair(struct cds_notify *notify) {
  notify->read_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  notify->write_fd = notify->read_fd;
  return notify->read_fd >= 0;
}

static void close_pair(const struct cds_notify *notify) {
  if (notify->read_fd >= 0) close(notify->read_fd);
}
#else
typedef char token;

static bool prepare(int fd) {
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

static bool open_pair(struct cds_notify *notify) {
  int fds[2];
  if (pipe(fds) != 0) return false;
  notify->read_fd = fds[0];
  notify->write_fd = fds[1];
  return prepare(fds[0]) && prepare(fds[1]);
}

static void close_pair(const struct cds_notify *notify) {
  if (notify->write_fd >= 0) close(notify->write_fd);
  if (notify->read_fd >= 0) close(notify->read_fd);
}
#endif

enum cds_status cds_notify_init(struct cds_notify *notify, struct cds_error *err) {
  *notify = (struct cds_notify){.read_fd = -1, .write_fd = -1};
  if (open_pair(notify)) return CDS_OK;
  int reason = errno;
  cds_notify_close(notify);
  return cds_error_set(err, CDS_E_MEMORY, "no descriptor for notifications: %s", strerror(reason));
}

/* There is always room for it, as a token is written only when none is inside. Like reading, it never waits, so that no
 * signal interrupts it. */
static void put_token(int fd) {
  token one = 1;
  (void)!write(fd, &one, sizeof one);
}

void cds_notify_raise(struct cds_notify *notify) {
  if (notify->raised || notify->write_fd < 0) return;
  put_token(notify->write_fd);
  notify->raised = true;
}

void cds_notify_promise(struct cds_notify *notify) {
  if (notify->raised || notify->write_fd < 0) return;
  notify->raised = notify->is_due = true;
}

int cds_notify_take(struct cds_notify *notify) {
  if (!notify->is_due) return -1;
  notify->is_due = false;
  atomic_fetch_add(&notify->writers, 1);
  return notify->write_fd;
}

void cds_notify_write(struct cds_notify *notify, int fd) {
  put_token(fd);
  atomic_fetch_sub(&notify->writers, 1);
}

void cds_notify_wait_written(const struct cds_notify *notify) {
  while (atomic_load(&notify->writers) > 0) sched_yield(); /* one system call that does not block */
}

static bool take_token(int fd) {
  token taken;
  return read(fd, &taken, sizeof taken) == (ssize_t)sizeof taken;
}

void cds_notify_clear(struct cds_notify *notify) {
  if (!notify->raised) return;
  if (!notify->is_due && !take_token(notify->read_fd)) return;
  notify->raised = notify->is_due = false;
}

void cds_notify_close(struct cds_notify *notify) {
  close_pair(notify);
  *notify = (struct cds_notify){.read_fd = -1, .write_fd = -1};
}
