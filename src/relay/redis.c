/* SPDX-License-Identifier: MIT
 * The socket's reading and writing is done here, as hiredis' own may raise SIGPIPE. */
#include "relay/redis.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"

#define BLOCK 16384       /* a record of TLS has no more */
#define BLOCKS_AT_ONCE 64 /* so that one busy connection does not keep the others waiting */

/* How hiredis counts the elements of an array. */
#if HIREDIS_MAJOR > 0
typedef size_t count_type;
#else
typedef int count_type;
#endif

struct cds_redis {
  struct cds_poller *poller;
  int fd;
  struct cds_secure *secure; /* NULL: no TLS */
  bool is_greeted;           /* its handshake is done */
  redisReader *reader;
  redisReplyObjectFunctions makers; /* the reader's, of what answers are made of */
  void *(*make_array)(const redisReadTask *, count_type);
  size_t fed, elements; /* of the answer that is not whole */
  bool is_too_large;    /* that answer: it is not read on */
  struct cds_buf out;
  size_t sent; /* of out */
  bool waits_to_write;
};

static enum cds_status connect_to(int *fd, const char *host, int port, struct cds_error *err) {
  redisContext *context = port ? redisConnectNonBlock(host, port) : redisConnectUnixNonBlock(host);
  if (!context) return cds_error_set(err, CDS_E_MEMORY, "no memory for a connection to Redis");
  if (context->err) {
    cds_error_set(err, CDS_E_NETWORK, "no connection: %s", context->errstr);
    redisFree(context);
    return CDS_E_NETWORK;
  }
  *fd = redisFreeKeepFd(context);
  fcntl(*fd, F_SETFD, FD_CLOEXEC);
  return CDS_OK;
}

/* hiredis has no such bounds, or none as low. */
static void *make_array(const redisReadTask *task, count_type count) {
  struct cds_redis *link = task->privdata;
  int depth = 0;
  for (const redisReadTask *at = task; at; at = at->parent) depth++;
  link->elements += (size_t)count;
  link->is_too_large = depth > CDS_MAX_REDIS_NESTING || link->elements > CDS_MAX_REDIS_ELEMENTS;
  return link->is_too_large ? NULL : link->make_array(task, count);
}

static redisReader *create_reader(struct cds_redis *link) {
  redisReader *reader = redisReaderCreate();
  if (!reader) return NULL;
  link->makers = *reader->fn;
  link->make_array = link->makers.createArray;
  link->makers.createArray = make_array;
  reader->fn = &link->makers;
  reader->privdata = link;
  return reader;
}

enum cds_status cds_redis_open(struct cds_redis **out, struct cds_poller *poller, const char *host, int port,
                               struct cds_security *security, struct cds_error *err) {
  int fd = -1;
  *out = NULL;
  enum cds_status status = connect_to(&fd, host, port, err);
  if (status != CDS_OK) return status;
  struct cds_redis *link = cds_calloc(1, sizeof *link);
  if (!link) {
    close(fd);
    return cds_error_set(err, CDS_E_MEMORY, "no memory for a connection to Redis");
  }
  link->fd = fd;
  link->poller = cds_poller_ref(poller);
  link->reader = create_reader(link);
  cds_buf_init(&link->out, CDS_MAX_REDIS_BYTES);
  if (!link->reader || !cds_poller_add(poller, fd, false))
    status = cds_error_set(err, CDS_E_MEMORY, "no memory for a connection to Redis");
  else if (security) status = cds_secure_open(&link->secure, security, fd, host, err);
  if (status == CDS_OK) *out = link;
  else cds_redis_free(link);
  return status;
}

void cds_redis_free(struct cds_redis *link) {
  if (!link) return;
  cds_secure_free(link->secure);
  close(link->fd);
  if (link->reader) redisReaderFree(link->reader);
  if (link->out.data) explicit_bzero(link->out.data, link->out.capacity); /* a password was in it */
  cds_buf_clear(&link->out);
  cds_poller_unref(link->poller);
  cds_free(link);
}

int cds_redis_fd(const struct cds_redis *link) {
  return link->fd;
}

enum cds_status cds_redis_send(struct cds_redis *link, int count, const char **arguments, const size_t *lengths,
                               struct cds_error *err) {
  char *command = NULL;
  long long length = redisFormatCommandArgv(&command, count, arguments, lengths);
  if (length < 0) return cds_error_set(err, CDS_E_MEMORY, "no memory for a command to Redis");
  enum cds_status status = cds_buf_append(&link->out, command, (size_t)length);
  explicit_bzero(command, (size_t)length);
  redisFreeCommand(command);
  return status == CDS_OK ? CDS_OK : cds_error_set(err, CDS_E_MEMORY, "too much waits to be sent to Redis");
}

/* ---- the socket, plain or by TLS ---- */

static enum cds_secure_wait judge(ssize_t count, enum cds_secure_wait later, struct cds_error *err) {
  if (count > 0) return CDS_SECURE_DONE;
  if (count == 0) return CDS_SECURE_ENDED;
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return later;
  cds_error_set(err, CDS_E_NETWORK, "the connection ended: %s", strerror(errno));
  return CDS_SECURE_FAILED;
}

static enum cds_secure_wait put(size_t *moved, const struct cds_redis *link, struct cds_error *err) {
  const char *data = link->out.data + link->sent;
  size_t length = link->out.length - link->sent;
  if (link->secure) return cds_secure_send(moved, link->secure, data, length, err);
  ssize_t count = send(link->fd, data, length, MSG_NOSIGNAL);
  *moved = count > 0 ? (size_t)count : 0;
  return judge(count, CDS_SECURE_TO_WRITE, err);
}

static enum cds_secure_wait get(size_t *moved, const struct cds_redis *link, char *data, size_t size,
                                struct cds_error *err) {
  if (link->secure) return cds_secure_receive(moved, link->secure, data, size, err);
  ssize_t count = recv(link->fd, data, size, 0);
  *moved = count > 0 ? (size_t)count : 0;
  return judge(count, CDS_SECURE_TO_READ, err);
}

static enum cds_status wait_to_write(struct cds_redis *link, bool waits, struct cds_error *err) {
  if (waits == link->waits_to_write) return CDS_OK;
  if (!cds_poller_change(link->poller, link->fd, waits))
    return cds_error_set(err, CDS_E_NETWORK, "the connection cannot be waited for: %s", strerror(errno));
  link->waits_to_write = waits;
  return CDS_OK;
}

static enum cds_status ended(struct cds_error *err) {
  return cds_error_set(err, CDS_E_NETWORK, "the server ended the connection");
}

static enum cds_status send_some(struct cds_redis *link, struct cds_error *err) {
  enum cds_secure_wait wait = CDS_SECURE_DONE;
  size_t moved;
  while (wait == CDS_SECURE_DONE && link->sent < link->out.length) {
    wait = put(&moved, link, err);
    link->sent += moved;
  }
  if (wait == CDS_SECURE_FAILED) return CDS_E_NETWORK;
  if (wait == CDS_SECURE_ENDED) return ended(err);
  if (link->sent == link->out.length) {
    cds_buf_reset(&link->out);
    link->sent = 0;
  }
  return wait_to_write(link, wait == CDS_SECURE_TO_WRITE, err);
}

static enum cds_status take(struct cds_redis *link, const char *bytes, size_t length, struct cds_error *err) {
  if (redisReaderFeed(link->reader, bytes, length) != REDIS_OK)
    return cds_error_set(err, CDS_E_MEMORY, "no memory for an answer of Redis");
  link->fed += length;
  if (link->fed > CDS_MAX_REDIS_BYTES)
    return cds_error_set(err, CDS_E_NETWORK, "an answer of Redis is longer than %u bytes", CDS_MAX_REDIS_BYTES);
  return CDS_OK;
}

static enum cds_status receive_some(struct cds_redis *link, struct cds_error *err) {
  char block[BLOCK];
  size_t length;
  enum cds_status status = CDS_OK;
  for (int i = 0; i < BLOCKS_AT_ONCE && status == CDS_OK; i++) {
    enum cds_secure_wait wait = get(&length, link, block, sizeof block, err);
    if (wait == CDS_SECURE_TO_READ) return CDS_OK;
    if (wait == CDS_SECURE_TO_WRITE) return wait_to_write(link, true, err);
    if (wait == CDS_SECURE_FAILED) return CDS_E_NETWORK;
    if (wait == CDS_SECURE_ENDED) return ended(err);
    status = take(link, block, length, err);
  }
  return status;
}

/* *is_done: bytes may be sent. */
static enum cds_status greet(bool *is_done, struct cds_redis *link, struct cds_error *err) {
  *is_done = !link->secure || link->is_greeted;
  if (*is_done) return CDS_OK;
  enum cds_secure_wait wait = cds_secure_handshake(link->secure, err);
  if (wait == CDS_SECURE_FAILED) return CDS_E_NETWORK;
  if (wait == CDS_SECURE_ENDED) return ended(err);
  *is_done = link->is_greeted = wait == CDS_SECURE_DONE;
  return wait_to_write(link, wait == CDS_SECURE_TO_WRITE, err);
}

enum cds_status cds_redis_work(struct cds_redis *link, struct cds_error *err) {
  bool is_greeted;
  enum cds_status status = greet(&is_greeted, link, err);
  if (status != CDS_OK || !is_greeted) return status;
  status = send_some(link, err);
  return status == CDS_OK ? receive_some(link, err) : status;
}

enum cds_status cds_redis_reply(redisReply **out, struct cds_redis *link, struct cds_error *err) {
  void *reply = NULL;
  *out = NULL;
  if (redisReaderGetReply(link->reader, &reply) != REDIS_OK)
    return link->is_too_large
             ? cds_error_set(err, CDS_E_DECODE,
                             "an answer of Redis has more than %d arrays in each other, or %u elements",
                             CDS_MAX_REDIS_NESTING, CDS_MAX_REDIS_ELEMENTS)
             : cds_error_set(err, CDS_E_DECODE, "this is no answer of Redis: %s", link->reader->errstr);
  *out = reply;
  if (!reply) return CDS_OK;
  link->fed = link->reader->len - link->reader->pos;
  link->elements = 0;
  return CDS_OK;
}
