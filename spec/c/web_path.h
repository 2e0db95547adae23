/* SPDX-License-Identifier: MIT
 * A server at the socket of a path, whose connections take little at a time, and how it is asked there. The clock stands
 * until the test sets it ahead: nothing ends because a machine is busy. What goes out may fail, or be taken in part. */
#ifndef WEB_PATH_H
#define WEB_PATH_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "entries.h"
#include "system_faults.h"
#include "tap.h"
#include "web/gate.h"
#include "web/server.h"

#define FEED "0x0003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TURNS 100000 /* a bound for a hang */

static atomic_llong now_s = 1700000000;
static struct system_fault of_send;
static size_t most_sent = SIZE_MAX; /* at a time */

/* These come before the C library's: libwebsockets asks here too. */
SYSTEM_CALL int clock_gettime(clockid_t id, struct timespec *out) {
  (void)id;
  *out = (struct timespec){.tv_sec = (time_t)atomic_load(&now_s)};
  return 0;
}

SYSTEM_CALL ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  if (system_fails(&of_send)) return -1;
  return syscall(SYS_sendto, fd, bytes, length < most_sent ? length : most_sent, flags, NULL, 0);
}

static struct cds_web_server *server;
static char web_folder[32], web_path[64];

/* A gate of the feeds FEED and, with other digits at its end, as many more. */
__attribute__((unused)) static struct cds_web_gate *new_gate(const char *key, int more) {
  struct cds_web_gate *gate;
  struct cds_error err;
  char feed[] = FEED;
  if (cds_web_gate_new(&gate, key, key != NULL ? "secret" : NULL, &err) != CDS_OK) exit(1);
  for (int i = 0; i <= more; i++) {
    if (cds_web_gate_add(gate, feed, &err) != CDS_OK) exit(1);
    feed[strlen(feed) - 1] = (char)('0' + i);
  }
  return gate;
}

static void begin(struct cds_web_gate *gate) {
  struct cds_error err;
  strcpy(web_folder, "/tmp/cds-web-XXXXXX");
  if (mkdtemp(web_folder) == NULL) exit(1);
  snprintf(web_path, sizeof web_path, "%s/socket", web_folder);
  if (!ok(cds_web_server_new(&server, web_path, CDS_WEB_LOCAL, gate, &err) == CDS_OK, "a server listens")) exit(done());
}

static void end(void) {
  of_send = (struct system_fault){0};
  most_sent = SIZE_MAX;
  cds_web_server_free(server);
  ok(rmdir(web_folder) == 0, "it leaves nothing");
}

static void steps(int count) {
  bool ready;
  for (int i = 0; i < count; i++)
    if (cds_web_step(server, NULL, 0, 0, &ready, NULL) != CDS_OK) ok(false, "a step");
}

/* Seconds go by, and everything that is due is done. */
__attribute__((unused)) static void pass(int seconds) {
  atomic_fetch_add(&now_s, seconds);
  steps(20);
}

static int connect_to_server(void) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  strcpy(to.sun_path, web_path);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) ok(false, "a connection");
  return fd;
}

static int say(const char *text) {
  int fd = connect_to_server();
  if (write(fd, text, strlen(text)) != (ssize_t)strlen(text)) ok(false, "a request is sent");
  return fd;
}

/* What is there, at most so many bytes. */
static size_t take(int fd, char *out, size_t most) {
  ssize_t got = recv(fd, out, most, MSG_DONTWAIT);
  return got > 0 ? (size_t)got : 0;
}

/* How many descriptors are open: one less when the server has ended a connection, whatever its peer has read. */
static int open_now(void) {
  return count_entries("/proc/self/fd");
}

#endif
