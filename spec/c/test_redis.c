/* SPDX-License-Identifier: MIT
 * A connection to Redis, against a socket of our own: what goes out and comes in by parts, how much may wait, what a
 * password leaves behind, and each failure. A real server is met by spec/integration/relay_spec.lua. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4, RTLD_NEXT */
#endif

#include "relay/redis.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "system_faults.h"
#include "tap.h"

#define MOST (64u << 20)
#define BLOCK 16384

/* ---- faults ---- */

static struct system_fault of_send, of_recv, of_control;
static size_t most_sent = SIZE_MAX; /* at a time */
static int send_flags, received;    /* calls of recv that asked for a block */
static bool has_no_end;             /* of what comes */

SYSTEM_CALL ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  send_flags = flags;
  return system_fails(&of_send)
           ? -1
           : syscall(SYS_sendto, fd, bytes, length < most_sent ? length : most_sent, flags, NULL, 0);
}

SYSTEM_CALL ssize_t recv(int fd, void *out, size_t size, int flags) {
  received += size == BLOCK;
  if (system_fails(&of_recv)) return -1;
  if (!has_no_end) return syscall(SYS_recvfrom, fd, out, size, flags, NULL, NULL);
  memset(out, 'x', size);
  return (ssize_t)size;
}

SYSTEM_CALL int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
  return system_fails(&of_control) ? -1 : (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

/* The room behind what was written has no value, and is looked at all the same. */
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAS_VALUES(memory, length) VALGRIND_MAKE_MEM_DEFINED(memory, length)
#else
#define HAS_VALUES(memory, length) 0
#endif

/* How much was wiped that had the password. */
static int wiped;

static void wipe(void *memory, size_t length) {
  (void)HAS_VALUES(memory, length);
  static const char word[] = "p4ssword";
  volatile char *byte = memory;
  size_t matched = 0;
  bool had = false;
  for (size_t i = 0; i < length; i++) {
    matched = byte[i] == word[matched] ? matched + 1 : 0;
    if (matched == sizeof word - 1) had = true, matched = 0;
    byte[i] = 0;
  }
  wiped += had;
}

SYSTEM_CALL void explicit_bzero(void *memory, size_t length) {
  wipe(memory, length);
}

/* What a build calls that checks for overflows. */
SYSTEM_CALL void __explicit_bzero_chk(void *memory, size_t length, size_t room);

void __explicit_bzero_chk(void *memory, size_t length, size_t room) {
  if (length > room) abort();
  wipe(memory, length);
}

/* hiredis may have no memory for: */
static struct system_fault of_context, of_reader, of_format, of_feed;

SYSTEM_CALL redisContext *redisConnectUnixNonBlock(const char *place) {
  redisContext *(*next)(const char *);
  *(void **)&next = dlsym(RTLD_NEXT, "redisConnectUnixNonBlock");
  return system_fails(&of_context) ? NULL : next(place);
}

SYSTEM_CALL redisReader *redisReaderCreate(void) {
  redisReader *(*next)(void);
  *(void **)&next = dlsym(RTLD_NEXT, "redisReaderCreate");
  return system_fails(&of_reader) ? NULL : next();
}

SYSTEM_CALL int redisReaderFeed(redisReader *reader, const char *bytes, size_t length) {
  int (*next)(redisReader *, const char *, size_t);
  *(void **)&next = dlsym(RTLD_NEXT, "redisReaderFeed");
  return system_fails(&of_feed) ? REDIS_ERR : next(reader, bytes, length);
}

/* int before version 1.1, long long since */
typedef __typeof__(redisFormatCommandArgv(NULL, 0, NULL, NULL)) length_type;

SYSTEM_CALL length_type redisFormatCommandArgv(char **out, int count, const char **words, const size_t *lengths) {
  length_type (*next)(char **, int, const char **, const size_t *);
  *(void **)&next = dlsym(RTLD_NEXT, "redisFormatCommandArgv");
  return system_fails(&of_format) ? -1 : next(out, count, words, lengths);
}

/* ---- the other end ---- */

static char folder[32], path[64];
static int listener, peer;
static struct cds_error err;
static struct cds_poller *poller;

static void listen_here(void) {
  struct sockaddr_un place = {.sun_family = AF_UNIX};
  strcpy(folder, "/tmp/redis-XXXXXX");
  if (!mkdtemp(folder)) abort();
  snprintf(path, sizeof path, "%s/socket", folder);
  snprintf(place.sun_path, sizeof place.sun_path, "%s", path);
  listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&place, sizeof place) != 0 || listen(listener, 50) != 0)
    abort();
}

static struct cds_redis *try_open(const char *host, int port) {
  struct cds_redis *link = (struct cds_redis *)&err;
  cds_error_clear(&err);
  enum cds_status status = cds_redis_open(&link, poller, host, port, NULL, &err);
  if (status != CDS_OK && (link || status != err.status)) abort();
  return status == CDS_OK ? link : NULL;
}

static struct cds_redis *begin(void) {
  struct cds_redis *link = try_open(path, 0);
  peer = link ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
  if (peer < 0) abort();
  return link;
}

static void end(struct cds_redis *link) {
  cds_redis_free(link);
  if (peer >= 0) close(peer);
  peer = -1;
}

static enum cds_status work(struct cds_redis *link) {
  cds_error_clear(&err);
  return cds_redis_work(link, &err);
}

static bool answer(const char *text) {
  return send(peer, text, strlen(text), 0) == (ssize_t)strlen(text);
}

static bool is_ready(void) {
  int fd;
  return cds_poller_ready(&fd, 1, poller) == 1;
}

static enum cds_status ask(struct cds_redis *link, const char *word) {
  const char *words[] = {"AUTH", word};
  const size_t lengths[] = {4, strlen(word)};
  cds_error_clear(&err);
  return cds_redis_send(link, 2, words, lengths, &err);
}

/* What came at the other end is this. */
static bool came(const char *expected) {
  char text[512] = "";
  ssize_t got = 0;
  for (size_t length = 0; length < strlen(expected) && (got = read(peer, text + length, sizeof text - length)) > 0;)
    length += (size_t)got;
  return strcmp(text, expected) == 0;
}

#define AUTH "*2\r\n$4\r\nAUTH\r\n$8\r\np4ssword\r\n"

/* ---- tests ---- */

static void test_words(void) {
  redisReply *reply = (redisReply *)&err;
  struct cds_redis *link = begin();
  ok((fcntl(cds_redis_fd(link), F_GETFD) & FD_CLOEXEC) != 0, "the connection goes to no other program");
  ok((fcntl(cds_redis_fd(link), F_GETFL) & O_NONBLOCK) != 0, "and does not wait");
  ok(work(link) == CDS_OK && cds_redis_reply(&reply, link, &err) == CDS_OK && !reply, "there is no answer yet");
  ok(ask(link, "p4ssword") == CDS_OK && work(link) == CDS_OK && came(AUTH), "a command goes out");
  ok((send_flags & MSG_NOSIGNAL) != 0 && !is_ready(), "without a signal, and nothing is left to do");
  ok(answer("+OK\r\n:4") && is_ready() && work(link) == CDS_OK, "an answer comes, and a part of one");
  ok(cds_redis_reply(&reply, link, &err) == CDS_OK && reply && reply->type == REDIS_REPLY_STATUS &&
       strcmp(reply->str, "OK") == 0,
     "it is taken");
  freeReplyObject(reply);
  ok(cds_redis_reply(&reply, link, &err) == CDS_OK && !reply, "the next is not whole");
  ok(answer("2\r\n") && work(link) == CDS_OK && cds_redis_reply(&reply, link, &err) == CDS_OK && reply &&
       reply->integer == 42,
     "it is then");
  freeReplyObject(reply);
  ok(answer("what?\r\n") && work(link) == CDS_OK && cds_redis_reply(&reply, link, &err) == CDS_E_DECODE && !reply &&
       strstr(err.message, "this is no answer of Redis: Protocol error"),
     "other words are none: %s", err.message);
  end(link);
}

/* As the socket allows, and only while something waits it is waited for. */
static void test_parts(void) {
  struct cds_redis *link = begin();
  most_sent = 3;
  ok(ask(link, "p4ssword") == CDS_OK, "a command");
  of_send = (struct system_fault){.after = 2, .times = 1, .reason = EAGAIN};
  ok(work(link) == CDS_OK && is_ready(), "of which some went out: it is to be gone on with when it can");
  of_control = (struct system_fault){.times = 1, .reason = EPERM};
  ok(work(link) == CDS_E_NETWORK && err.status == CDS_E_NETWORK &&
       strstr(err.message, "cannot be waited for: Operation not permitted"),
     "which may fail: %s", err.message);
  of_send = (struct system_fault){.times = 1, .reason = EINTR};
  ok(ask(link, "x") == CDS_OK && work(link) == CDS_OK && is_ready(), "an interruption is none");
  of_recv = (struct system_fault){.times = 1, .reason = EINTR};
  ok(work(link) == CDS_OK && !is_ready(), "all went out, nothing is waited for");
  ok(came(AUTH "*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n"), "it came once and in order");
  most_sent = SIZE_MAX;
  end(link);
}

static void test_ends(void) {
  struct cds_redis *link = begin();
  of_send = (struct system_fault){.times = 1, .reason = EPIPE};
  ok(ask(link, "a") == CDS_OK && work(link) == CDS_E_NETWORK && err.status == CDS_E_NETWORK &&
       strcmp(err.message, "the connection ended: Broken pipe") == 0,
     "a connection may end: %s", err.message);
  of_recv = (struct system_fault){.times = 1, .reason = ECONNRESET};
  ok(work(link) == CDS_E_NETWORK && err.status == CDS_E_NETWORK &&
       strcmp(err.message, "the connection ended: Connection reset by peer") == 0,
     "either way: %s", err.message);
  redisReply *reply = NULL;
  ok(came("*2\r\n$4\r\nAUTH\r\n$1\r\na\r\n"), "what had waited came");
  ok(answer("+1\r\n") && close(peer) == 0, "an answer, and the end");
  errno = EAGAIN; /* of something before */
  ok(work(link) == CDS_E_NETWORK && err.status == CDS_E_NETWORK &&
       strcmp(err.message, "the server ended the connection") == 0,
     "or be closed: %s", err.message);
  peer = -1;
  ok(cds_redis_reply(&reply, link, &err) == CDS_OK && reply && strcmp(reply->str, "1") == 0,
     "what came before is there");
  freeReplyObject(reply);
  end(link);
}

static void test_wiping(void) {
  struct cds_redis *link = begin();
  wiped = 0;
  ok(ask(link, "p4ssword") == CDS_OK && wiped == 1, "a command's copy is wiped");
  cds_redis_free(link);
  is_number(wiped, 2, "and what waited");
  end(NULL);
}

/* So many bytes may wait to go out, with those of the protocol. */
static void test_most_out(void) {
  static char value[MOST];
  const char *words[] = {value};
  struct cds_redis *link = begin();
  size_t length = MOST - sizeof "*1\r\n$67108864\r\n\r\n" + 1;
  memset(value, 'x', sizeof value);
  length++;
  cds_error_clear(&err);
  ok(cds_redis_send(link, 1, words, &length, &err) == CDS_E_MEMORY && err.status == CDS_E_MEMORY &&
       strstr(err.message, "too much waits"),
     "a byte more than may wait is refused: %s", err.message);
  length--;
  ok(cds_redis_send(link, 1, words, &length, &err) == CDS_OK, "what may just wait is not");
  end(link);
}

static void fill(size_t length) {
  static char block[1 << 16];
  memset(block, 'x', sizeof block);
  while (length > 0) {
    size_t step = length < sizeof block ? length : sizeof block;
    ssize_t sent = send(peer, block, step, MSG_DONTWAIT);
    if (sent < 0) return;
    length -= (size_t)sent;
  }
}

/* Feeds so many bytes of an answer that is not whole. */
static enum cds_status feed(struct cds_redis *link, size_t length) {
  enum cds_status status = CDS_OK;
  while (length > 0 && status == CDS_OK) {
    size_t step = length < 100000 ? length : 100000;
    fill(step);
    status = work(link);
    length -= step;
  }
  return status;
}

static void test_most_in(void) {
  redisReply *reply = NULL;
  struct cds_redis *link = begin();
  ok(answer("+OK\r\n$100000000\r\n") && work(link) == CDS_OK && cds_redis_reply(&reply, link, &err) == CDS_OK && reply,
     "behind an answer there is a long one");
  freeReplyObject(reply);
  size_t had = sizeof "$100000000\r\n" - 1;
  is_number(feed(link, MOST - had), CDS_OK, "so much of it may wait");
  ok(feed(link, 1) == CDS_E_NETWORK && err.status == CDS_E_NETWORK && strstr(err.message, "longer than 67108864 bytes"),
     "and no more: %s", err.message);
  end(link);
}

/* What came behind the text, of a new connection: an answer, none yet, or a failure. */
static redisReply *reply_to(const char *text) {
  redisReply *reply = (redisReply *)&err;
  struct cds_redis *link = begin();
  cds_error_clear(&err);
  if (!answer(text) || work(link) != CDS_OK || cds_redis_reply(&reply, link, &err) != err.status) abort();
  end(link);
  return reply;
}

static void is_too_large(const char *text, const char *name) {
  ok(!reply_to(text) && err.status == CDS_E_DECODE &&
       strcmp(err.message, "an answer of Redis has more than 7 arrays in each other, or 1048576 elements") == 0,
     "%s are too many: %s", name, err.message);
}

static void is_begun(const char *text, const char *name) {
  ok(!reply_to(text) && err.status == CDS_OK, "%s are not: %s", name, err.message);
}

#define SIX_ARRAYS "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"

static void test_most_of_an_answer(void) {
  is_too_large(SIX_ARRAYS "*1\r\n*0\r\n", "eight arrays in each other");
  redisReply *reply = reply_to(SIX_ARRAYS "*0\r\n");
  ok(reply && reply->element[0]->element[0]->element[0]->element[0]->element[0]->element[0]->elements == 0,
     "seven are not");
  freeReplyObject(reply);
  is_too_large("*1048577\r\n", "a million elements");
  is_begun("*1048576\r\n", "a few less");
  is_too_large("*2\r\n*1\r\n:1\r\n*1048574\r\n", "as many of three arrays");
  is_begun("*2\r\n*1\r\n:1\r\n*1048573\r\n", "a few less of three");
  struct cds_redis *link = begin();
  ok(answer("*1\r\n:1\r\n*1048576\r\n") && work(link) == CDS_OK && cds_redis_reply(&reply, link, &err) == CDS_OK &&
       reply,
     "an answer");
  freeReplyObject(reply);
  ok(cds_redis_reply(&reply, link, &err) == CDS_OK && !reply, "whose elements the next has not");
  end(link);
}

/* Of an answer so many bytes may come, though a part of it was read already. */
static void test_endless(void) {
  redisReply *reply = NULL;
  struct cds_redis *link = begin();
  enum cds_status status = CDS_OK;
  size_t length = sizeof "*9000\r\n" - 1;
  ok(answer("*9000\r\n"), "a long list");
  while (status == CDS_OK && length < 2 * MOST) {
    if (!answer("$65000\r\n")) abort();
    fill(65000);
    if (!answer("\r\n")) abort();
    length += 65010;
    status = work(link);
    if (status == CDS_OK && (cds_redis_reply(&reply, link, &err) != CDS_OK || reply)) abort();
  }
  ok(status == CDS_E_NETWORK && length > MOST && length - 65010 <= MOST && strstr(err.message, "longer than 67108864"),
     "is refused where it is too long: %s", err.message);
  end(link);
}

/* One that never ends does not keep the others waiting. */
static void test_turns(void) {
  struct cds_redis *link = begin();
  received = 0;
  has_no_end = true;
  is_number(work(link), CDS_OK, "what comes without an end");
  is_number(received, 64, "is left after 64 blocks");
  has_no_end = false;
  end(link);
}

static void is_not_open(const char *host, int port, enum cds_status status, const char *words) {
  size_t before = system_open_files();
  struct cds_redis *link = try_open(host, port);
  ok(!link && err.status == status && strstr(err.message, words), "no connection: %s", err.message);
  is_number(system_open_files(), before, "nothing stays open");
  cds_redis_free(link);
}

static void test_refused(void) {
  is_not_open("/nonexistent/socket", 0, CDS_E_NETWORK, "no connection: No such file");
  is_not_open("host..invalid", 6379, CDS_E_NETWORK, "no connection: ");
  cds_alloc_fail_after(0);
  is_not_open(path, 0, CDS_E_MEMORY, "no memory for a connection to Redis");
  cds_alloc_fail_after(-1);
  of_control = (struct system_fault){.times = 1, .reason = ENOSPC};
  is_not_open(path, 0, CDS_E_MEMORY, "no memory for a connection to Redis");
  cds_redis_free(NULL);
}

static void test_memory(void) {
  of_context = (struct system_fault){.times = 1};
  is_not_open(path, 0, CDS_E_MEMORY, "no memory for a connection to Redis");
  of_reader = (struct system_fault){.times = 1};
  is_not_open(path, 0, CDS_E_MEMORY, "no memory for a connection to Redis");
  struct cds_redis *link = try_open(path, 0);
  of_format = (struct system_fault){.times = 1};
  ok(ask(link, "x") == CDS_E_MEMORY && err.status == CDS_E_MEMORY && strstr(err.message, "no memory for a command"),
     "there may be none for a command: %s", err.message);
  ok(ask(link, "x") == CDS_OK, "and then some");
  has_no_end = true;
  of_feed = (struct system_fault){.times = 1};
  ok(work(link) == CDS_E_MEMORY && err.status == CDS_E_MEMORY && strstr(err.message, "no memory for an answer"),
     "or none for an answer: %s", err.message);
  has_no_end = false;
  cds_redis_free(link);
}

static void test_given_back(void) {
  struct mallinfo2 before = mallinfo2();
  for (int i = 0; i < 300; i++) end(begin());
  struct mallinfo2 after = mallinfo2();
  ok(after.uordblks < before.uordblks + 20000, "what was had of hiredis is given back");
}

static void test_port(void) {
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof place;
  int tcp = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(tcp, (struct sockaddr *)&place, size) != 0 || listen(tcp, 1) != 0 ||
      getsockname(tcp, (struct sockaddr *)&place, &size) != 0)
    abort();
  struct cds_redis *link = try_open("127.0.0.1", ntohs(place.sin_port));
  peer = accept(tcp, NULL, NULL);
  struct pollfd entry = {.fd = cds_redis_fd(link), .events = POLLOUT};
  ok(peer >= 0 && poll(&entry, 1, 60000) == 1 && ask(link, "p4ssword") == CDS_OK && work(link) == CDS_OK && came(AUTH),
     "a port is connected to");
  end(link);
  close(tcp);
}

int main(void) {
  listen_here();
  if (cds_poller_open(&poller, &err) != CDS_OK) abort();
  test_words();
  test_parts();
  test_ends();
  test_wiping();
  test_most_out();
  test_most_in();
  test_most_of_an_answer();
  test_endless();
  test_turns();
  test_given_back();
  test_refused();
  test_memory();
  test_port();
  cds_poller_unref(poller);
  close(listener);
  unlink(path);
  rmdir(folder);
  return done();
}
