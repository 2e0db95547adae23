/* SPDX-License-Identifier: MIT
 * The scripted WebSocket server with any number of connections at once, each handled by the test's function in a
 * thread and with a struct ws_server of its own (for its request); `context` is shared. */
#ifndef WS_PARALLEL_H
#define WS_PARALLEL_H

#include "ws_server.h"

#define WS_PARALLEL_MAX 256

struct ws_parallel;

struct ws_guest {
  struct ws_server view;
  struct ws_parallel *host;
  pthread_t thread;
  int fd, number;
};

struct ws_parallel {
  int listener;
  uint16_t port;
  pthread_t thread;
  ws_serve *serve;
  void *context;
  atomic_bool stopping;
  atomic_int connections;
  pthread_mutex_t mu;
  struct ws_guest *guests[WS_PARALLEL_MAX]; /* guarded by mu */
};

static void *ws_guest_run(void *argument) {
  struct ws_guest *guest = argument;
  guest->host->serve(&guest->view, guest->number, guest->fd);
  shutdown(guest->fd, SHUT_RDWR);
  return NULL;
}

static void ws_parallel_add(struct ws_parallel *host, int fd) {
  struct ws_guest *guest = calloc(1, sizeof *guest);
  int number = atomic_fetch_add(&host->connections, 1), on = 1;
  if (guest == NULL || number >= WS_PARALLEL_MAX) abort();
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  guest->view.context = host->context;
  guest->host = host;
  guest->fd = fd;
  guest->number = number + 1;
  pthread_mutex_lock(&host->mu);
  host->guests[number] = guest;
  if (pthread_create(&guest->thread, NULL, ws_guest_run, guest) != 0) abort();
  pthread_mutex_unlock(&host->mu);
}

static void *ws_parallel_run(void *argument) {
  struct ws_parallel *host = argument;
  while (!atomic_load(&host->stopping)) {
    int fd = accept(host->listener, NULL, NULL);
    if (fd >= 0) ws_parallel_add(host, fd);
  }
  return NULL;
}

__attribute__((unused)) static struct ws_parallel *ws_parallel_start(ws_serve *serve, void *context) {
  struct ws_parallel *host = calloc(1, sizeof *host);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  if (host == NULL) abort();
  host->serve = serve;
  host->context = context;
  pthread_mutex_init(&host->mu, NULL);
  host->listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(host->listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(host->listener, 64) != 0 ||
      getsockname(host->listener, (struct sockaddr *)&at, &length) != 0)
    abort();
  host->port = ntohs(at.sin_port);
  if (pthread_create(&host->thread, NULL, ws_parallel_run, host) != 0) abort();
  return host;
}

/* Ends every connection that the test's function still serves. */
__attribute__((unused)) static void ws_parallel_drop(struct ws_parallel *host) {
  pthread_mutex_lock(&host->mu);
  for (size_t i = 0; i < WS_PARALLEL_MAX; i++)
    if (host->guests[i] != NULL) shutdown(host->guests[i]->fd, SHUT_RDWR);
  pthread_mutex_unlock(&host->mu);
}

__attribute__((unused)) static void ws_parallel_stop(struct ws_parallel *host) {
  atomic_store(&host->stopping, true);
  shutdown(host->listener, SHUT_RDWR);
  pthread_join(host->thread, NULL);
  ws_parallel_drop(host);
  for (size_t i = 0; i < WS_PARALLEL_MAX; i++) {
    if (host->guests[i] == NULL) continue;
    pthread_join(host->guests[i]->thread, NULL);
    close(host->guests[i]->fd);
    free(host->guests[i]);
  }
  close(host->listener);
  pthread_mutex_destroy(&host->mu);
  free(host);
}

#endif
