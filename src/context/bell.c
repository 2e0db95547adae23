/* SPDX-License-Identifier: MIT
 * The doorbell's thread and its connections. */
#include "context/bell.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "context/bell_socket.h"
#include "context/notify.h"
#include "context/threads.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

#define LINE 32     /* the longest line that is understood */
#define DEAF_MS 100 /* while there is no descriptor for another connection */
#define NEVER INT64_MAX
#define LONGEST_MS 3600000 /* of one poll */

struct visitor {
  int fd;
  int watched;      /* -1: none */
  int64_t until_ms; /* what is watched for is over then; NEVER where there is none */
  bool listens;
  size_t length; /* of the line so far */
  char line[LINE];
};

struct cds_bell {
  struct cds_bell_socket listener;
  struct cds_notify wake; /* raised once, to end the thread */
  pthread_t thread;
  pid_t owner;
  pthread_mutex_t mu;       /* guards the list from cds_bell_ring while the thread changes it */
  struct visitor *visitors; /* count, with room for as many as `room` */
  struct pollfd *polled;    /* two, and two for each visitor */
  size_t count, room;
  int64_t deaf_until_ms; /* no connection is accepted before */
};

/* ---- answers ---- */

/* A visitor that has not read what it was told before needs no more. */
static void ring_one(int fd) {
  (void)send(fd, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void cds_bell_ring(struct cds_bell *bell) {
  pthread_mutex_lock(&bell->mu);
  for (size_t i = 0; i < bell->count; i++)
    if (bell->visitors[i].listens) ring_one(bell->visitors[i].fd);
  pthread_mutex_unlock(&bell->mu);
}

const char *cds_bell_address(const struct cds_bell *bell) {
  return bell->listener.address;
}

/* ---- visitors come and go ---- */

/* mu is held. */
static bool has_room(struct cds_bell *bell) {
  if (bell->count < bell->room) return true;
  size_t room = bell->room * 2;
  struct visitor *visitors = cds_realloc(bell->visitors, room * sizeof *visitors);
  if (visitors == NULL) return false;
  bell->visitors = visitors;
  struct pollfd *polled = cds_realloc(bell->polled, (2 + 2 * room) * sizeof *polled);
  if (polled == NULL) return false;
  bell->polled = polled;
  bell->room = room;
  return true;
}

static void let_in(struct cds_bell *bell) {
  int fd = accept(bell->listener.fd, NULL, NULL);
  bool full = fd < 0; /* there was one, so it is for want of a descriptor */
  if (fd >= 0) {
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    pthread_mutex_lock(&bell->mu);
    full = !has_room(bell);
    if (!full) bell->visitors[bell->count++] = (struct visitor){.fd = fd, .watched = -1, .until_ms = NEVER};
    pthread_mutex_unlock(&bell->mu);
    if (full) close(fd);
  }
  if (full) bell->deaf_until_ms = cds_clock_mono_ms() + DEAF_MS;
}

static void see_out(struct cds_bell *bell, size_t at) {
  int fd = bell->visitors[at].fd;
  pthread_mutex_lock(&bell->mu);
  bell->visitors[at] = bell->visitors[--bell->count];
  pthread_mutex_unlock(&bell->mu);
  close(fd);
}

/* ---- what they say ---- */

static bool obey(struct cds_bell *bell, struct visitor *visitor) {
  int fd, ms;
  char end;
  if (strcmp(visitor->line, "listen") == 0) {
    pthread_mutex_lock(&bell->mu);
    visitor->listens = true;
    pthread_mutex_unlock(&bell->mu);
    ring_one(visitor->fd);
    return true;
  }
  if (sscanf(visitor->line, "wait %9d %9d%c", &fd, &ms, &end) != 2 || fd < 0) return false;
  visitor->watched = fd;
  visitor->until_ms = ms < 0 ? NEVER : cds_clock_mono_ms() + ms;
  return true;
}

static bool hear(struct cds_bell *bell, struct visitor *visitor) {
  char said[LINE];
  ssize_t length = recv(visitor->fd, said, sizeof said, MSG_DONTWAIT);
  for (ssize_t i = 0; i < length; i++) {
    bool is_end = said[i] == '\n';
    if (visitor->length == LINE) return false;
    visitor->line[visitor->length++] = is_end ? '\0' : said[i];
    if (!is_end) continue;
    visitor->length = 0;
    if (!obey(bell, visitor)) return false;
  }
  return length > 0;
}

/* ---- the thread ---- */

static int time_left(const struct cds_bell *bell, int64_t now_ms) {
  int64_t next_ms = bell->deaf_until_ms > now_ms ? bell->deaf_until_ms : now_ms + LONGEST_MS;
  for (size_t i = 0; i < bell->count; i++)
    if (bell->visitors[i].until_ms < next_ms) next_ms = bell->visitors[i].until_ms;
  return next_ms > now_ms ? (int)(next_ms - now_ms) : 0;
}

/* Answers what poll does. A negative descriptor is passed over by it. */
static int wait_for_any(struct cds_bell *bell) {
  int64_t now_ms = cds_clock_mono_ms();
  bool deaf = bell->deaf_until_ms > now_ms;
  struct pollfd *polled = bell->polled;
  polled[0] = (struct pollfd){.fd = bell->wake.read_fd, .events = POLLIN};
  polled[1] = (struct pollfd){.fd = deaf ? -1 : bell->listener.fd, .events = POLLIN};
  for (size_t i = 0; i < bell->count; i++) {
    polled[2 + 2 * i] = (struct pollfd){.fd = bell->visitors[i].fd, .events = POLLIN};
    polled[3 + 2 * i] = (struct pollfd){.fd = bell->visitors[i].watched, .events = POLLIN};
  }
  return poll(polled, (nfds_t)(2 + 2 * bell->count), time_left(bell, now_ms));
}

/* From the last to the first, as the last takes the place of one that leaves. */
static void answer_all(struct cds_bell *bell) {
  int64_t now_ms = cds_clock_mono_ms();
  for (size_t i = bell->count; i-- > 0;) {
    struct visitor *visitor = &bell->visitors[i];
    bool is_over = bell->polled[3 + 2 * i].revents != 0 || visitor->until_ms <= now_ms;
    if (is_over) {
      visitor->watched = -1;
      visitor->until_ms = NEVER;
      ring_one(visitor->fd);
    }
    if (bell->polled[2 + 2 * i].revents != 0 && !hear(bell, visitor)) see_out(bell, i);
  }
}

static void *run(void *argument) {
  struct cds_bell *bell = argument;
  for (;;) {
    if (wait_for_any(bell) < 0) continue;
    if (bell->polled[0].revents != 0) return NULL;
    bool knocks = bell->polled[1].revents != 0;
    answer_all(bell);
    if (knocks) let_in(bell);
  }
}

/* ---- its life ---- */

static void clear(struct cds_bell *bell) {
  cds_bell_socket_close(&bell->listener, true);
  for (size_t i = 0; i < bell->count; i++) close(bell->visitors[i].fd);
  cds_notify_close(&bell->wake);
  pthread_mutex_destroy(&bell->mu);
  cds_free(bell->visitors);
  cds_free(bell->polled);
  cds_free(bell);
}

static enum cds_status start(struct cds_bell *bell, struct cds_error *err) {
  int failed = cds_threads_create(&bell->thread, run, bell);
  if (failed == 0) return CDS_OK;
  return cds_error_set(err, CDS_E_MEMORY, "the doorbell's thread could not be started: %s", strerror(failed));
}

static struct cds_bell *allocate(void) {
  struct cds_bell *bell = cds_calloc(1, sizeof *bell);
  if (bell == NULL) return NULL;
  *bell = (struct cds_bell){.listener = {.fd = -1, .name_fd = -1}};
  bell->owner = getpid();
  bell->room = 8;
  bell->visitors = cds_calloc(bell->room, sizeof *bell->visitors);
  bell->polled = cds_calloc(2 + 2 * bell->room, sizeof *bell->polled);
  if (bell->visitors != NULL && bell->polled != NULL && pthread_mutex_init(&bell->mu, NULL) == 0) return bell;
  cds_free(bell->visitors);
  cds_free(bell->polled);
  cds_free(bell);
  return NULL;
}

enum cds_status cds_bell_open(struct cds_bell **out, struct cds_error *err) {
  *out = NULL;
  struct cds_bell *bell = allocate();
  if (bell == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  enum cds_status status = cds_notify_init(&bell->wake, err);
  if (status == CDS_OK) status = cds_bell_socket_open(&bell->listener, err);
  if (status == CDS_OK) status = start(bell, err);
  if (status == CDS_OK) *out = bell;
  else clear(bell);
  return status;
}

void cds_bell_close(struct cds_bell *bell) {
  if (bell == NULL) return;
  if (bell->owner != getpid()) {
    cds_bell_socket_close(&bell->listener, false);
    return;
  }
  cds_notify_raise(&bell->wake);
  pthread_join(bell->thread, NULL);
  clear(bell);
}
