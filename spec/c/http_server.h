/* SPDX-License-Identifier: MIT
 * A scripted HTTP server on loopback, in a thread: request number n, on whatever connection, meets step n. The last
 * step repeats. It sends bytes as given, so that an answer can be as wrong as a test needs. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HTTP_MAX_STEPS 16
#define HTTP_MAX_REQUESTS 64
#define HTTP_MAX_CONNECTIONS 32
#define HTTP_MAX_REQUEST 8192

enum http_after { HTTP_KEEP, HTTP_CLOSE };

struct http_step {
  const char *bytes; /* NULL: no answer */
  size_t length;
  enum http_after after;
};

struct http_request {
  char text[HTTP_MAX_REQUEST]; /* request line and headers */
  int connection;              /* 0, 1, … in the order they came */
};

struct http_connection {
  int fd, number;
  size_t used;
  char buffer[HTTP_MAX_REQUEST];
};

struct http_server {
  int listener, port, stop_pipe[2];
  pthread_t thread;
  pthread_mutex_t mu;
  struct http_step steps[HTTP_MAX_STEPS];
  size_t step_count;
  struct http_request requests[HTTP_MAX_REQUESTS]; /* guarded by mu, like the count */
  size_t request_count;
  struct http_connection connections[HTTP_MAX_CONNECTIONS]; /* the thread's own */
  size_t connection_count;
  int connections_seen;
};

static void http_check(bool good, const char *what) {
  if (!good) {
    perror(what);
    exit(2);
  }
}

static void http_send(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes += sent;
    length -= (size_t)sent;
  }
}

/* One whole request lies in the buffer. Returns false when the connection is to be closed. */
static bool http_serve(struct http_server *server, struct http_connection *connection) {
  pthread_mutex_lock(&server->mu);
  size_t index = server->request_count;
  http_check(index < HTTP_MAX_REQUESTS, "too many requests");
  struct http_request *request = &server->requests[index];
  memcpy(request->text, connection->buffer, connection->used);
  request->text[connection->used] = 0;
  request->connection = connection->number;
  server->request_count++;
  pthread_mutex_unlock(&server->mu);
  connection->used = 0;
  struct http_step step = server->steps[index < server->step_count ? index : server->step_count - 1];
  if (step.bytes != NULL) http_send(connection->fd, step.bytes, step.length);
  return step.after == HTTP_KEEP;
}

static bool http_read(struct http_server *server, struct http_connection *connection) {
  ssize_t got = recv(connection->fd, connection->buffer + connection->used, HTTP_MAX_REQUEST - 1 - connection->used, 0);
  if (got <= 0) return false;
  connection->used += (size_t)got;
  connection->buffer[connection->used] = 0;
  return strstr(connection->buffer, "\r\n\r\n") == NULL || http_serve(server, connection);
}

static void http_accept(struct http_server *server) {
  http_check(server->connection_count < HTTP_MAX_CONNECTIONS, "too many connections");
  struct http_connection *connection = &server->connections[server->connection_count++];
  connection->fd = accept(server->listener, NULL, NULL);
  connection->number = server->connections_seen++;
  connection->used = 0;
}

static void *http_run(void *context) {
  struct http_server *server = context;
  for (;;) {
    struct pollfd fds[HTTP_MAX_CONNECTIONS + 2] = {{server->stop_pipe[0], POLLIN, 0}, {server->listener, POLLIN, 0}};
    size_t count = server->connection_count;
    for (size_t i = 0; i < count; i++) fds[i + 2] = (struct pollfd){server->connections[i].fd, POLLIN, 0};
    poll(fds, (nfds_t)count + 2, -1);
    if (fds[0].revents != 0) break;
    for (size_t i = count; i-- > 0;)
      if (fds[i + 2].revents != 0 && !http_read(server, &server->connections[i])) {
        close(server->connections[i].fd);
        server->connections[i] = server->connections[--server->connection_count];
      }
    if (fds[1].revents != 0) http_accept(server);
  }
  for (size_t i = 0; i < server->connection_count; i++) close(server->connections[i].fd);
  return NULL;
}

static struct http_server *http_start(const struct http_step *steps, size_t count) {
  struct http_server *server = calloc(1, sizeof *server);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (server == NULL || count > HTTP_MAX_STEPS) exit(2);
  memcpy(server->steps, steps, count * sizeof *steps);
  server->step_count = count;
  server->listener = socket(AF_INET, SOCK_STREAM, 0);
  http_check(bind(server->listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
  http_check(listen(server->listener, 64) == 0, "listen");
  http_check(getsockname(server->listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
  http_check(pipe(server->stop_pipe) == 0, "pipe");
  server->port = ntohs(address.sin_port);
  pthread_mutex_init(&server->mu, NULL);
  http_check(pthread_create(&server->thread, NULL, http_run, server) == 0, "pthread_create");
  return server;
}

__attribute__((unused)) static size_t http_request_count(struct http_server *server) {
  pthread_mutex_lock(&server->mu);
  size_t count = server->request_count;
  pthread_mutex_unlock(&server->mu);
  return count;
}

/* Stops serving; what was received stays readable until http_free. */
static void http_stop(struct http_server *server) {
  http_check(write(server->stop_pipe[1], "x", 1) == 1, "write");
  pthread_join(server->thread, NULL);
  close(server->listener);
  close(server->stop_pipe[0]);
  close(server->stop_pipe[1]);
}

static void http_free(struct http_server *server) {
  pthread_mutex_destroy(&server->mu);
  free(server);
}

#endif
