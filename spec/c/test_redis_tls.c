/* SPDX-License-Identifier: MIT
 * A connection to Redis by TLS, against OpenSSL's own server in this thread: nothing goes out before the handshake is
 * done, what is waited for, and each end. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4, RTLD_NEXT */
#endif

#include "relay/redis.h"
#include "relay/secure.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "system_faults.h"
#include "tap.h"
#include "tls_peer.h"

#define WAIT_MS 60000

static struct system_fault of_send;
static bool sends_slowly; /* a byte at a time */

SYSTEM_CALL ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  if (system_fails(&of_send)) return -1;
  return syscall(SYS_sendto, fd, bytes, sends_slowly ? 1 : length, flags, NULL, 0);
}

/* OpenSSL may want to write where it is to read, which no peer here makes it do. */
static struct system_fault of_reading;

SYSTEM_CALL int SSL_get_error(const SSL *ssl, int result) {
  int (*next)(const SSL *, int);
  *(void **)&next = dlsym(RTLD_NEXT, "SSL_get_error");
  return system_fails(&of_reading) ? SSL_ERROR_WANT_WRITE : next(ssl, result);
}

/* ---- both ends ---- */

static struct cds_error err;
static struct cds_poller *poller;
static struct cds_security *security;
static int listener, port, end_fd; /* end_fd: the peer's */
static SSL *peer;

static void listen_here(void) {
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof place;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&place, size) != 0 || listen(listener, 50) != 0 ||
      getsockname(listener, (struct sockaddr *)&place, &size) != 0)
    abort();
  port = ntohs(place.sin_port);
}

static bool waits(int fd, short events, int ms) {
  struct pollfd entry = {.fd = fd, .events = events};
  return poll(&entry, 1, ms) == 1;
}

static struct cds_redis *begin(void) {
  struct cds_redis *link = NULL;
  cds_error_clear(&err);
  if (cds_redis_open(&link, poller, "127.0.0.1", port, security, &err) != CDS_OK) abort();
  end_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (end_fd < 0 || !waits(cds_redis_fd(link), POLLOUT, WAIT_MS)) abort();
  peer = peer_new(end_fd);
  return link;
}

static void end(struct cds_redis *link) {
  cds_redis_free(link);
  SSL_free(peer);
  close(end_fd);
}

static enum cds_status work(struct cds_redis *link) {
  cds_error_clear(&err);
  return cds_redis_work(link, &err);
}

static enum cds_status ask(struct cds_redis *link, const char *word) {
  const char *words[] = {"ECHO", word};
  const size_t lengths[] = {4, strlen(word)};
  cds_error_clear(&err);
  return cds_redis_send(link, 2, words, lengths, &err);
}

#define QUESTION "*2\r\n$4\r\nECHO\r\n$4\r\nword\r\n"

static bool is_ready(void) {
  int fd;
  return cds_poller_ready(&fd, 1, poller) == 1;
}

/* Both take steps until the peer has read the question. */
static bool is_asked(struct cds_redis *link) {
  char bytes[256];
  size_t length = 0;
  for (int i = 0; i < 100 && length == 0; i++) {
    if (work(link) != CDS_OK) return false;
    waits(end_fd, POLLIN, i < 5 ? WAIT_MS : 10);
    peer_step(peer);
    length = peer_read(peer, bytes, sizeof bytes);
  }
  return length == sizeof QUESTION - 1 && memcmp(bytes, QUESTION, length) == 0;
}

/* Works until an answer has come that is this. */
static bool is_answered(struct cds_redis *link, const char *expected) {
  redisReply *reply = NULL;
  for (int i = 0; i < 100 && !reply; i++) {
    waits(cds_redis_fd(link), POLLIN, WAIT_MS);
    if (work(link) != CDS_OK || cds_redis_reply(&reply, link, &err) != CDS_OK) return false;
  }
  bool is_it = reply && reply->str && strcmp(reply->str, expected) == 0;
  freeReplyObject(reply);
  return is_it;
}

static struct cds_redis *met(void) {
  struct cds_redis *link = begin();
  if (ask(link, "word") != CDS_OK || !is_asked(link)) abort();
  peer_write(peer, "+met\r\n");
  if (!is_answered(link, "met")) abort();
  return link;
}

/* The same until it fails. */
static enum cds_status ending(struct cds_redis *link) {
  enum cds_status status = CDS_OK;
  for (int i = 0; i < 100 && status == CDS_OK; i++) {
    waits(cds_redis_fd(link), POLLIN, WAIT_MS);
    status = work(link);
  }
  return status;
}

/* ---- tests ---- */

static void test_words(void) {
  char bytes[2048];
  struct cds_redis *link = begin();
  ok(ask(link, "word") == CDS_OK && work(link) == CDS_OK && waits(end_fd, POLLIN, WAIT_MS), "something goes out");
  ssize_t length = recv(end_fd, bytes, sizeof bytes, MSG_PEEK);
  ok(length > 5 && bytes[0] == 22 && !memmem(bytes, (size_t)length, "word", 4), "which is a greeting");
  ok(work(link) == CDS_OK && !is_ready(), "that is waited for to be answered");
  ok(is_asked(link), "the question follows");
  peer_write(peer, "+an answer\r\n");
  ok(is_answered(link, "an answer"), "an answer comes");
  ok(work(link) == CDS_OK && !is_ready(), "nothing more is waited for");
  end(link);
}

/* What cannot be written is gone on with as soon as it can, and only then. */
static void test_parts(void) {
  struct cds_redis *link = begin();
  of_send = (struct system_fault){.times = 1, .reason = EAGAIN};
  ok(ask(link, "word") == CDS_OK && work(link) == CDS_OK && is_ready(), "a greeting waits until it can be written");
  ok(work(link) == CDS_OK && !is_ready(), "it can");
  sends_slowly = true;
  ok(is_asked(link), "however slowly");
  sends_slowly = false;
  peer_write(peer, "+one\r\n");
  ok(is_answered(link, "one"), "it is answered");
  of_send = (struct system_fault){.times = 1, .reason = EAGAIN};
  ok(ask(link, "word") == CDS_OK && work(link) == CDS_OK && is_ready(), "so does a question");
  ok(is_asked(link) && !is_ready(), "which can then be written");
  end(link);
}

static void test_new_keys(void) {
  struct cds_redis *link = met();
  if (SSL_key_update(peer, SSL_KEY_UPDATE_REQUESTED) != 1) abort();
  peer_step(peer);
  ok(waits(cds_redis_fd(link), POLLIN, WAIT_MS) && work(link) == CDS_OK && !is_ready(), "the server wants other keys");
  of_reading = (struct system_fault){.times = 1};
  ok(work(link) == CDS_OK && of_reading.times == 0 && is_ready(), "who reads may wait to write");
  ok(work(link) == CDS_OK && !is_ready(), "and does so");
  ok(ask(link, "word") == CDS_OK && is_asked(link), "a question goes out with other keys");
  peer_write(peer, "+new\r\n");
  ok(is_answered(link, "new"), "and is answered");
  end(link);
}

static void test_ends(void) {
  struct cds_redis *link = met();
  (void)SSL_shutdown(peer);
  ok(ending(link) == CDS_E_NETWORK && err.status == CDS_E_NETWORK &&
       strcmp(err.message, "the server ended the connection") == 0,
     "the server may say that it goes: %s", err.message);
  of_send = (struct system_fault){.times = 1, .reason = EPIPE};
  ok(ask(link, "word") == CDS_OK && work(link) == CDS_E_NETWORK && err.status == CDS_E_NETWORK && err.message[0],
     "then nothing can be written: %s", err.message);
  end(link);

  link = met();
  of_send = (struct system_fault){.times = 1, .reason = ECONNRESET};
  ok(ask(link, "word") == CDS_OK && work(link) == CDS_E_NETWORK && err.status == CDS_E_NETWORK &&
       strcmp(err.message, "the connection by TLS ended: Connection reset by peer") == 0,
     "or be gone: %s", err.message);
  end(link);

  link = met();
  if (write(end_fd, "+what?\r\n", 8) != 8) abort();
  ok(ending(link) == CDS_E_NETWORK && err.status == CDS_E_NETWORK &&
       strncmp(err.message, "the connection by TLS ended: ", 29) == 0,
     "or forget itself: %s", err.message);
  end(link);
}

/* The first answer is no greeting. */
static void is_no_server(const char *bytes, size_t length, const char *words) {
  struct cds_redis *link = begin();
  if (work(link) != CDS_OK || write(end_fd, bytes, length) != (ssize_t)length) abort();
  ok(ending(link) == CDS_E_NETWORK && err.status == CDS_E_NETWORK && strstr(err.message, words), "no server: %s",
     err.message);
  end(link);
}

static void test_no_server(void) {
  is_no_server("-ERR no TLS\r\n", 13, "the connection by TLS ended: ");
  is_no_server("\25\3\3\0\2\1\0", 7, "the server ended the connection"); /* an alert, close_notify */
}

static void test_memory(void) {
  for (long nth = 0; nth < 2; nth++) {
    size_t before = system_open_files();
    struct cds_redis *link = (struct cds_redis *)&err;
    cds_error_clear(&err);
    cds_alloc_fail_one(nth);
    enum cds_status status = cds_redis_open(&link, poller, "127.0.0.1", port, security, &err);
    cds_alloc_fail_one(-1);
    ok(status == CDS_E_MEMORY && !link && err.status == CDS_E_MEMORY &&
         strstr(err.message, nth ? "no memory for TLS" : "no memory for a connection"),
       "no connection: %s", err.message);
    is_number(system_open_files(), before, "nothing stays open");
  }
}

int main(void) {
  peer_setup();
  listen_here();
  const struct cds_tls tls = {.ca_file = peer_ca_file};
  if (cds_poller_open(&poller, &err) != CDS_OK || cds_security_open(&security, &tls, &err) != CDS_OK) abort();
  test_words();
  test_parts();
  test_new_keys();
  test_ends();
  test_no_server();
  test_memory();
  cds_security_unref(security);
  cds_poller_unref(poller);
  close(listener);
  peer_teardown();
  return done();
}
