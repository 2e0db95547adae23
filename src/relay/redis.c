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

#define MOST_WAITING (64u << 20) /* bytes that wait to be sent, and of an answer that is not whole */
#define BLOCK 16384
#define BLOCKS_AT_ONCE 64 /* so that one busy connection does not keep the others waiting */

struct cds_redis {
  struct cds_poller *poller;
  int fd;
  redisReader *reader;
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

enum cds_status cds_redis_open(struct cds_redis **out, struct cds_poller *poller, const char *host, int port,
                               struct cds_error *err) {
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
  link->reader = redisReaderCreate();
  cds_buf_init(&link->out, MOST_WAITING);
  if (!link->reader || !cds_poller_add(poller, fd, false)) {
    cds_redis_free(link);
    return cds_error_set(err, CDS_E_MEMORY, "no memory for a connection to Redis");
  }
  *out = link;
  return CDS_OK;
}

void cds_redis_free(struct cds_redis *link) {
  if (!link) return;
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

static bool is_for_later(void) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static enum cds_status send_some(struct cds_redis *link, struct cds_error *err) {
  while (link->sent < link->out.length) {
    ssize_t sent = send(link->fd, link->out.data + link->sent, link->out.length - link->sent, MSG_NOSIGNAL);
    if (sent < 0 && is_for_later()) break;
    if (sent < 0) return cds_error_set(err, CDS_E_NETWORK, "the connection ended: %s", strerror(errno));
    link->sent += (size_t)sent;
  }
  if (link->sent == link->out.length) {
    cds_buf_reset(&link->out);
    link->sent = 0;
  }
  bool waits = link->out.length > 0;
  if (waits == link->waits_to_write) return CDS_OK;
  if (!cds_poller_change(link->poller, link->fd, waits))
    return cds_error_set(err, CDS_E_NETWORK, "the connection cannot be waited for: %s", strerror(errno));
  link->waits_to_write = waits;
  return CDS_OK;
}

static enum cds_status take(struct cds_redis *link, const char *bytes, size_t length, struct cds_error *err) {
  if (redisReaderFeed(link->reader, bytes, length) != REDIS_OK)
    return cds_error_set(err, CDS_E_MEMORY, "no memory for an answer of Redis");
  if (link->reader->len - link->reader->pos > MOST_WAITING)
    return cds_error_set(err, CDS_E_NETWORK, "an answer of Redis is longer than %u bytes", MOST_WAITING);
  return CDS_OK;
}

static enum cds_status receive_some(struct cds_redis *link, struct cds_error *err) {
  char block[BLOCK];
  enum cds_status status = CDS_OK;
  for (int i = 0; i < BLOCKS_AT_ONCE && status == CDS_OK; i++) {
    ssize_t length = recv(link->fd, block, sizeof block, 0);
    if (length < 0 && is_for_later()) return CDS_OK;
    if (length < 0) return cds_error_set(err, CDS_E_NETWORK, "the connection ended: %s", strerror(errno));
    if (length == 0) return cds_error_set(err, CDS_E_NETWORK, "the server ended the connection");
    status = take(link, block, (size_t)length, err);
  }
  return status;
}

enum cds_status cds_redis_work(struct cds_redis *link, struct cds_error *err) {
  enum cds_status status = send_some(link, err);
  return status == CDS_OK ? receive_some(link, err) : status;
}

enum cds_status cds_redis_reply(redisReply **out, struct cds_redis *link, struct cds_error *err) {
  void *reply = NULL;
  *out = NULL;
  if (redisReaderGetReply(link->reader, &reply) != REDIS_OK)
    return cds_error_set(err, CDS_E_DECODE, "this is no answer of Redis: %s", link->reader->errstr);
  *out = reply;
  return CDS_OK;
}
