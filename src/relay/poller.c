/* SPDX-License-Identifier: MIT
 * An epoll descriptor, itself pollable, with a timer in it. */
#include "relay/poller.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/alloc.h"

#define AT_ONCE 64  /* descriptors that epoll is asked for at a time */
#define LONGEST 1e9 /* seconds that the timer is set to */

struct cds_poller {
  unsigned refs;
  int epoll, timer;
};

static bool control(const struct cds_poller *poller, int operation, int fd, bool to_write) {
  struct epoll_event event = {.events = to_write ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.fd = fd};
  return epoll_ctl(poller->epoll, operation, fd, &event) == 0;
}

enum cds_status cds_poller_open(struct cds_poller **out, struct cds_error *err) {
  struct cds_poller *poller = *out = cds_calloc(1, sizeof *poller);
  if (!poller) return cds_error_set(err, CDS_E_MEMORY, "no memory for a poller");
  poller->refs = 1;
  poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  poller->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (poller->timer >= 0 && poller->epoll >= 0 && control(poller, EPOLL_CTL_ADD, poller->timer, false)) return CDS_OK;
  cds_error_set(err, CDS_E_MEMORY, "no descriptor for a poller: %s", strerror(errno));
  cds_poller_unref(poller);
  *out = NULL;
  return CDS_E_MEMORY;
}

struct cds_poller *cds_poller_ref(struct cds_poller *poller) {
  poller->refs++;
  return poller;
}

void cds_poller_unref(struct cds_poller *poller) {
  if (!poller || --poller->refs > 0) return;
  if (poller->timer >= 0) close(poller->timer);
  if (poller->epoll >= 0) close(poller->epoll);
  cds_free(poller);
}

int cds_poller_fd(const struct cds_poller *poller) {
  return poller->epoll;
}

void cds_poller_arm(struct cds_poller *poller, double seconds) {
  struct itimerspec when = {0};
  if (seconds > LONGEST) seconds = LONGEST;
  if (seconds >= 0) {
    when.it_value.tv_sec = (time_t)seconds;
    when.it_value.tv_nsec = (long)((seconds - (double)when.it_value.tv_sec) * 1e9);
    if (when.it_value.tv_sec == 0 && when.it_value.tv_nsec == 0) when.it_value.tv_nsec = 1;
  }
  timerfd_settime(poller->timer, 0, &when, NULL); /* fails for times only that are none */
}

bool cds_poller_add(struct cds_poller *poller, int fd, bool to_write) {
  return control(poller, EPOLL_CTL_ADD, fd, to_write);
}

bool cds_poller_change(struct cds_poller *poller, int fd, bool to_write) {
  return control(poller, EPOLL_CTL_MOD, fd, to_write);
}

size_t cds_poller_ready(int *fds, size_t most, const struct cds_poller *poller) {
  struct epoll_event events[AT_ONCE];
  int count = epoll_wait(poller->epoll, events, most < AT_ONCE ? (int)most : AT_ONCE, 0);
  for (int i = 0; i < count; i++) fds[i] = events[i].data.fd;
  return count > 0 ? (size_t)count : 0;
}
