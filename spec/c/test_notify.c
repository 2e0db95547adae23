/* SPDX-License-Identifier: MIT
 * The notification descriptor: level-triggered, one token, close-on-exec. */
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "context/notify.h"
#include "tap.h"

static bool readable(const struct cds_notify *notify) {
  struct pollfd at = {.fd = notify->read_fd, .events = POLLIN};
  return poll(&at, 1, 0) == 1 && (at.revents & POLLIN) != 0;
}

static void test_level(void) {
  struct cds_notify notify;
  ok(cds_notify_init(&notify, NULL) == CDS_OK, "a descriptor is made");
  ok(!readable(&notify), "it is quiet at first");
  cds_notify_clear(&notify);
  ok(!readable(&notify), "clearing a quiet one changes nothing");
  for (int i = 0; i < 100000; i++) cds_notify_raise(&notify);
  ok(readable(&notify), "raised 100000 times it is readable");
  ok(readable(&notify), "and still is when asked again");
  cds_notify_clear(&notify);
  ok(!readable(&notify), "one clear makes it quiet");
  cds_notify_raise(&notify);
  ok(readable(&notify), "and it can be raised again");
  cds_notify_close(&notify);
  is_number(notify.read_fd, -1, "closed, it has no descriptor");
  cds_notify_close(&notify);
  cds_notify_raise(&notify);
  ok(!notify.raised, "raising a closed one does nothing");
}

static void test_promise(void) {
  struct cds_notify notify;
  ok(cds_notify_init(&notify, NULL) == CDS_OK, "a descriptor for promises");
  is_number(cds_notify_take(&notify), -1, "nothing was promised");
  cds_notify_promise(&notify);
  ok(notify.raised && !readable(&notify), "a promise alone is not seen");
  int fd = cds_notify_take(&notify);
  is_number(fd, notify.write_fd, "it is taken");
  is_number(cds_notify_take(&notify), -1, "once");
  cds_notify_write(&notify, fd);
  ok(readable(&notify), "and seen when it is written");
  cds_notify_wait_written(&notify);
  cds_notify_promise(&notify);
  is_number(cds_notify_take(&notify), -1, "what is raised needs no other token");
  cds_notify_clear(&notify);
  ok(!notify.raised && !readable(&notify), "one clear makes it quiet");

  cds_notify_promise(&notify);
  cds_notify_clear(&notify);
  ok(!notify.raised && cds_notify_take(&notify) == -1, "a promise cleared before it is taken costs nothing");

  cds_notify_promise(&notify);
  fd = cds_notify_take(&notify);
  cds_notify_clear(&notify);
  ok(fd >= 0 && notify.raised, "a token that is under way stays announced");
  cds_notify_write(&notify, fd);
  ok(readable(&notify), "it comes");
  cds_notify_clear(&notify);
  ok(!notify.raised && !readable(&notify), "and the next clear takes it");
  cds_notify_promise(&notify);
  is_number(cds_notify_take(&notify), fd, "so that the next promise has one of its own");
  cds_notify_write(&notify, fd);
  cds_notify_close(&notify);
  cds_notify_promise(&notify);
  ok(!notify.raised && cds_notify_take(&notify) == -1, "a closed one promises nothing");
}

static void test_flags(void) {
  struct cds_notify notify;
  ok(cds_notify_init(&notify, NULL) == CDS_OK, "a second one");
  ok((fcntl(notify.read_fd, F_GETFD) & FD_CLOEXEC) != 0, "the reading end is close-on-exec");
  ok((fcntl(notify.write_fd, F_GETFD) & FD_CLOEXEC) != 0, "the writing end is close-on-exec");
  ok((fcntl(notify.read_fd, F_GETFL) & O_NONBLOCK) != 0, "reading never blocks");
  cds_notify_close(&notify);
}

static void test_closing(void) {
  struct cds_notify notify;
  ok(cds_notify_init(&notify, NULL) == CDS_OK, "a third one");
  int reading = notify.read_fd, writing = notify.write_fd;
  cds_notify_close(&notify);
  ok(fcntl(reading, F_GETFD) < 0 && fcntl(writing, F_GETFD) < 0, "closed, its descriptors are");
  ok(notify.read_fd == -1 && notify.write_fd == -1, "and forgotten");
  struct rlimit before, none = {0, 0};
  struct cds_error err = {0};
  if (!ok(getrlimit(RLIMIT_NOFILE, &before) == 0, "there is a limit of descriptors")) return;
  none.rlim_max = before.rlim_max;
  bool limited = setrlimit(RLIMIT_NOFILE, &none) == 0;
  enum cds_status status = cds_notify_init(&notify, &err);
  ok(limited && setrlimit(RLIMIT_NOFILE, &before) == 0, "without a descriptor to have");
  is_number(status, CDS_E_MEMORY, "that is said");
  ok(strstr(err.message, "no descriptor") != NULL && notify.read_fd == -1, "and why: %s", err.message);
}

/* It is free where the host has closed its standard input. */
static void test_descriptor_0(void) {
  struct cds_notify notify;
  int kept = dup(0);
  close(0);
  ok(cds_notify_init(&notify, NULL) == CDS_OK && notify.read_fd == 0, "descriptor 0 is had");
  cds_notify_raise(&notify);
  ok(readable(&notify), "and raised like any");
  cds_notify_clear(&notify);
  cds_notify_promise(&notify);
  is_number(cds_notify_take(&notify), 0, "promised");
  cds_notify_write(&notify, 0);
  ok(readable(&notify), "written");
  cds_notify_close(&notify);
  ok(fcntl(0, F_GETFD) < 0, "and closed");
  dup2(kept, 0);
  close(kept);
}

int main(void) {
  test_closing();
  test_level();
  test_promise();
  test_flags();
  test_descriptor_0();
  return done();
}
