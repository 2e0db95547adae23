/* SPDX-License-Identifier: MIT
 * The command line's HTTP server where the system refuses it something, what it gives back then, and what it takes of many
 * descriptors. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "entries.h"
#include "system_faults.h"
#include "tap.h"
#include "web/gate.h"
#include "web/server.h"

#define LIMIT_MS 60000 /* for a hang */

static struct system_fault of_listen, of_copy, of_eventfd;
static int lists; /* of addresses that are to be freed */

SYSTEM_CALL int listen(int fd, int backlog) {
  return system_fails(&of_listen) ? -1 : (int)syscall(SYS_listen, fd, backlog);
}

SYSTEM_CALL int eventfd(unsigned count, int flags) {
  return system_fails(&of_eventfd) ? -1 : (int)syscall(SYS_eventfd2, count, flags);
}

SYSTEM_CALL int fcntl(int fd, int command, ...) {
  va_list more;
  va_start(more, command);
  long argument = va_arg(more, long);
  va_end(more);
  if (command == F_DUPFD_CLOEXEC && system_fails(&of_copy)) return -1;
  return (int)syscall(SYS_fcntl, fd, command, argument);
}

SYSTEM_CALL int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                            struct addrinfo **found) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  int status = real(host, service, hints, found);
  lists += status == 0;
  return status;
}

SYSTEM_CALL void freeaddrinfo(struct addrinfo *list) {
  void (*real)(struct addrinfo *);
  *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
  lists--;
  real(list);
}

static struct cds_web_server *server;
static char folder[] = "/tmp/cds-web-XXXXXX", path[64];

static struct cds_web_gate *new_gate(void) {
  struct cds_web_gate *gate;
  struct cds_error err;
  if (cds_web_gate_new(&gate, "key", "secret", &err) != CDS_OK) exit(1);
  return gate;
}

static void refused(const char *host, int port, enum cds_status expected, const char *words) {
  struct cds_error err = {0};
  struct stat found;
  int open = count_entries("/proc/self/fd");
  is_number(cds_web_server_new(&server, host, port, new_gate(), &err), expected, "no server there");
  is_string(err.message, words, "and why");
  cds_web_server_free(server);
  is_number(count_entries("/proc/self/fd"), open, "no descriptor is left of it");
  is_number(lists, 0, "no address");
  ok(lstat(path, &found) != 0, "and no socket");
}

static void begin(const char *host, int port) {
  struct cds_error err;
  if (!ok(cds_web_server_new(&server, host, port, NULL, &err) == CDS_OK, "a server listens")) exit(done());
}

static void test_listening(void) {
  begin("127.0.0.1", 0);
  is_number(lists, 0, "no address is kept");
  is_number(cds_web_feeds(server), 0, "without a gate it has no feeds");
  cds_web_server_free(server); /* libwebsockets 4.5 keeps what its first context has: docs/internals.md */
  of_listen = (struct system_fault){.times = 1, .reason = EADDRINUSE};
  refused("127.0.0.1", 0, CDS_E_NETWORK, "cannot listen on 127.0.0.1, port 0: Address already in use");
  of_eventfd = (struct system_fault){.times = 1, .reason = EMFILE};
  refused("127.0.0.1", 0, CDS_E_MEMORY, "cannot start libwebsockets");
  of_eventfd = (struct system_fault){.times = 1, .reason = EMFILE};
  refused(path, CDS_WEB_LOCAL, CDS_E_MEMORY, "cannot start libwebsockets");
  of_copy = (struct system_fault){.times = 1, .reason = EMFILE};
  refused(path, CDS_WEB_LOCAL, CDS_E_MEMORY, "no descriptor is left to listen with");
}

/* It has no socket of its own there, whose number would be the first. */
static void test_end(void) {
  int input = fcntl(0, F_GETFD);
  begin("127.0.0.1", 0);
  cds_web_server_free(server);
  is_number(fcntl(0, F_GETFD), input, "the end of a server ends nothing else");
}

/* ---- many descriptors ---- */

static bool is_ready(const int *fds, size_t count) {
  struct cds_error err;
  bool ready = false, ever = false;
  for (int i = 0; i < 20; i++) {
    if (cds_web_step(server, fds, count, 0, &ready, &err) != CDS_OK) ok(false, "a step: %s", err.message);
    ever = ever || ready;
  }
  return ever;
}

static void test_many(void) {
  enum { MANY = CDS_WEB_MAX_WATCHED + 2 };
  int silent[2], ready[2], fds[MANY], open = 0;
  if (!ok(pipe(silent) == 0 && pipe(ready) == 0 && write(ready[1], "x", 1) == 1, "pipes")) return;
  begin("127.0.0.1", 0);
  open = count_entries("/proc/self/fd");
  for (int i = 0; i < MANY; i++) fds[i] = silent[0];
  ok(!is_ready(fds, MANY), "of many descriptors none is readable");
  for (int at = 0; at < MANY; at++) {
    fds[at] = ready[0];
    if (is_ready(fds, MANY) != (at < CDS_WEB_MAX_WATCHED)) ok(false, "number %d", at);
    fds[at] = silent[0];
  }
  is_number(count_entries("/proc/self/fd"), open, "no copy is left of those that are looked at");
  bool any;
  struct cds_error err;
  fds[1] = 1000000;
  is_number(cds_web_step(server, fds, 2, 0, &any, &err), CDS_E_MEMORY, "what is no descriptor cannot be watched");
  is_number(count_entries("/proc/self/fd"), open, "nor is one before it");
  cds_web_server_free(server);
  for (int i = 0; i < 2; i++) {
    close(silent[i]);
    close(ready[i]);
  }
}

/* ---- the first descriptor ---- */

static void test_first_descriptor(void) {
  static const char text[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  struct cds_web_request request;
  bool ready, there = false;
  struct cds_error err;
  begin(path, CDS_WEB_LOCAL);
  strcpy(to.sun_path, path);
  int input = dup(0), fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  close(0);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || write(fd, text, sizeof text - 1) <= 0) ok(false, "asked");
  for (int64_t until_ms = cds_clock_mono_ms() + LIMIT_MS; !there && cds_clock_mono_ms() < until_ms;) {
    if (cds_web_step(server, NULL, 0, 20, &ready, &err) != CDS_OK) ok(false, "a step");
    there = cds_web_take(server, &request);
  }
  ok(there && fcntl(0, F_GETFD) >= 0, "a connection may be the first descriptor");
  close(fd);
  cds_web_server_free(server);
  ok(fcntl(0, F_GETFD) < 0, "which is free in the end");
  dup2(input, 0);
  close(input);
}

int main(void) {
  if (!ok(mkdtemp(folder) != NULL, "a folder")) return done();
  snprintf(path, sizeof path, "%s/socket", folder);
  test_listening();
  test_end();
  test_many();
  test_first_descriptor();
  ok(rmdir(folder) == 0, "nothing is left in it");
  return done();
}
