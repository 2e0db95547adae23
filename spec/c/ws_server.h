/* SPDX-License-Identifier: MIT
 * A WebSocket server on plain sockets, one connection after another, each handled by the test's own function: so that
 * a test decides about every byte. Frames and the handshake are written out here, without a library. */
#ifndef WS_SERVER_H
#define WS_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define WS_MAX_REQUEST (128 * 1024)
#define WS_IO_TIMEOUT_MS 90000 /* a bound for a hang, not a measure */

enum { WS_CONTINUATION, WS_TEXT, WS_BINARY, WS_CLOSE = 8, WS_PING, WS_PONG };

struct ws_server;
typedef void ws_serve(struct ws_server *server, int number, int fd); /* number: 1 for the first connection */

struct ws_server {
  int listener;
  uint16_t port;
  pthread_t thread;
  ws_serve *serve;
  void *context;
  atomic_int connections;
  atomic_int current; /* descriptor being served, -1 for none */
  atomic_bool stopping;
  char request[WS_MAX_REQUEST]; /* of the connection being served */
};

struct ws_frame {
  int opcode;
  bool fin, masked;
  size_t length;
  uint8_t payload[1024];
};

__attribute__((unused)) static bool ws_wait_readable(int fd) {
  struct pollfd at = {.fd = fd, .events = POLLIN};
  return poll(&at, 1, WS_IO_TIMEOUT_MS) == 1;
}

__attribute__((unused)) static bool ws_read(int fd, void *out, size_t length) {
  for (size_t got = 0; got < length;) {
    ssize_t n = ws_wait_readable(fd) ? recv(fd, (char *)out + got, length - got, 0) : -1;
    if (n <= 0) return false;
    got += (size_t)n;
  }
  return true;
}

/* Waits until the client has ended the connection. */
__attribute__((unused)) static void ws_wait_end(int fd) {
  char ignored[4096];
  while (ws_wait_readable(fd) && recv(fd, ignored, sizeof ignored, 0) > 0) {}
}

__attribute__((unused)) static bool ws_send_raw(int fd, const void *data, size_t length) {
  for (size_t sent = 0; sent < length;) {
    ssize_t n = send(fd, (const char *)data + sent, length - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += (size_t)n;
  }
  return true;
}

__attribute__((unused)) static bool ws_send_text_raw(int fd, const char *text) {
  return ws_send_raw(fd, text, strlen(text));
}

/* The request's head, into server->request. */
__attribute__((unused)) static bool ws_read_request(struct ws_server *server, int fd) {
  size_t used = 0;
  while (used < sizeof server->request - 1) {
    ssize_t n = ws_wait_readable(fd) ? recv(fd, server->request + used, 1, 0) : -1;
    if (n <= 0) return false;
    server->request[++used] = 0;
    if (used >= 4 && memcmp(server->request + used - 4, "\r\n\r\n", 4) == 0) return true;
  }
  return false;
}

/* Copies a header's value of the request; "" when absent. */
__attribute__((unused)) static const char *ws_header(const struct ws_server *server, const char *name, char *out,
                                                     size_t size) {
  size_t length = strlen(name);
  out[0] = 0;
  for (const char *line = strstr(server->request, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
    line += 2;
    if (strncasecmp(line, name, length) == 0 && line[length] == ':')
      snprintf(out, size, "%.*s", (int)strcspn(line + length + 2, "\r"), line + length + 2);
  }
  return out;
}

/* The request's target. */
__attribute__((unused)) static size_t ws_target(const struct ws_server *server, const char **target) {
  const char *start = strchr(server->request, ' ');
  *target = start != NULL ? start + 1 : "";
  return strcspn(*target, " \r");
}

/* The answer 101 to the request that was read, into out; its length. Extra lines end in \r\n. */
__attribute__((unused)) static size_t ws_answer(char *out, size_t size, const struct ws_server *server,
                                                const char *extra) {
  char key[64], joined[128], accept[64];
  unsigned char digest[20];
  ws_header(server, "Sec-WebSocket-Key", key, sizeof key);
  snprintf(joined, sizeof joined, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  SHA1((const unsigned char *)joined, strlen(joined), digest);
  EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
  return (size_t)snprintf(out, size,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                          accept, extra);
}

__attribute__((unused)) static bool ws_upgrade(struct ws_server *server, int fd, const char *extra) {
  char answer[512];
  return ws_send_raw(fd, answer, ws_answer(answer, sizeof answer, server, extra));
}

__attribute__((unused)) static bool ws_accept(struct ws_server *server, int fd) {
  return ws_read_request(server, fd) && ws_upgrade(server, fd, "");
}

#define WS_HEAD_MAX 10

/* A frame's first bytes, before a payload of that length; how many. */
__attribute__((unused)) static size_t ws_head(uint8_t head[WS_HEAD_MAX], int opcode, bool fin, size_t length) {
  size_t used = 2;
  head[0] = (uint8_t)((fin ? 0x80 : 0) | opcode);
  head[1] = (uint8_t)length;
  if (length > 65535) {
    head[1] = 127;
    for (int i = 0; i < 8; i++) head[used++] = (uint8_t)((uint64_t)length >> 8 * (7 - i));
  } else if (length > 125) {
    head[1] = 126;
    head[used++] = (uint8_t)(length >> 8);
    head[used++] = (uint8_t)length;
  }
  return used;
}

__attribute__((unused)) static bool ws_send(int fd, int opcode, bool fin, const void *payload, size_t length) {
  uint8_t head[WS_HEAD_MAX];
  return ws_send_raw(fd, head, ws_head(head, opcode, fin, length)) && ws_send_raw(fd, payload, length);
}

__attribute__((unused)) static bool ws_send_message(int fd, const char *text) {
  return ws_send(fd, WS_TEXT, true, text, strlen(text));
}

/* A frame of the client, unmasked; false at the end of the connection or past the payload's room. */
__attribute__((unused)) static bool ws_read_frame(int fd, struct ws_frame *frame) {
  uint8_t head[2], mask[4] = {0};
  if (!ws_read(fd, head, 2)) return false;
  frame->fin = (head[0] & 0x80) != 0;
  frame->opcode = head[0] & 15;
  frame->masked = (head[1] & 0x80) != 0;
  frame->length = head[1] & 127;
  if (frame->length > 125 || (frame->masked && !ws_read(fd, mask, 4)) || !ws_read(fd, frame->payload, frame->length))
    return false;
  for (size_t i = 0; i < frame->length; i++) frame->payload[i] ^= mask[i & 3];
  return true;
}

/* Answers pings until the client closes or ends; returns its close code, 0 when it just ended. */
__attribute__((unused)) static int ws_attend(int fd) {
  struct ws_frame frame;
  while (ws_read_frame(fd, &frame)) {
    if (frame.opcode == WS_PING) ws_send(fd, WS_PONG, true, frame.payload, frame.length);
    if (frame.opcode == WS_CLOSE) return frame.length >= 2 ? frame.payload[0] << 8 | frame.payload[1] : 1005;
  }
  return 0;
}

/* Ends the connection with a TCP reset. */
__attribute__((unused)) static void ws_reset(int fd) {
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

__attribute__((unused)) static void *ws_run(void *argument) {
  struct ws_server *server = argument;
  while (!atomic_load(&server->stopping)) {
    int fd = accept(server->listener, NULL, NULL), on = 1;
    if (fd < 0) continue;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    atomic_store(&server->current, fd);
    if (!atomic_load(&server->stopping)) server->serve(server, atomic_fetch_add(&server->connections, 1) + 1, fd);
    atomic_store(&server->current, -1);
    close(fd);
  }
  return NULL;
}

__attribute__((unused)) static struct ws_server *ws_start(ws_serve *serve, void *context) {
  struct ws_server *server = calloc(1, sizeof *server);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  if (server == NULL) abort();
  server->serve = serve;
  server->context = context;
  atomic_init(&server->current, -1);
  server->listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server->listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(server->listener, 16) != 0 ||
      getsockname(server->listener, (struct sockaddr *)&at, &length) != 0)
    abort();
  server->port = ntohs(at.sin_port);
  if (pthread_create(&server->thread, NULL, ws_run, server) != 0) abort();
  return server;
}

__attribute__((unused)) static void ws_stop(struct ws_server *server) {
  atomic_store(&server->stopping, true);
  shutdown(server->listener, SHUT_RDWR);
  int fd = atomic_load(&server->current);
  if (fd >= 0) shutdown(fd, SHUT_RDWR);
  pthread_join(server->thread, NULL);
  close(server->listener);
  free(server);
}

#endif
