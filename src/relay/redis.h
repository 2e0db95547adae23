/* SPDX-License-Identifier: MIT
 * A connection to a Redis server that never waits: commands go out and answers come in as the socket allows. hiredis
 * makes the connection, writes commands and reads answers. Used by one thread at a time. */
#ifndef CDS_RELAY_REDIS_H
#define CDS_RELAY_REDIS_H

#include <hiredis/hiredis.h>

#include "relay/poller.h"
#include "relay/secure.h"

struct cds_redis;

/* Begins to connect to a host's port, or with port 0 to a socket's path; by TLS unless security is NULL. The name is
 * resolved at once, which may take time. The connection is added to the poller. */
CDS_MUST_CHECK enum cds_status cds_redis_open(struct cds_redis **out, struct cds_poller *poller, const char *host,
                                              int port, struct cds_security *security, struct cds_error *err);
void cds_redis_free(struct cds_redis *link); /* NULL is accepted */

int cds_redis_fd(const struct cds_redis *link);

/* Puts a command with its arguments into the queue: cds_redis_work sends it. */
CDS_MUST_CHECK enum cds_status cds_redis_send(struct cds_redis *link, int count, const char **arguments,
                                              const size_t *lengths, struct cds_error *err);

/* Sends and receives what can be now, of an answer CDS_MAX_REDIS_BYTES at most. After a failure, CDS_E_NETWORK, the
 * connection is of no use, but answers that came before may still be taken. */
CDS_MUST_CHECK enum cds_status cds_redis_work(struct cds_redis *link, struct cds_error *err);

/* The next answer, which the caller frees by freeReplyObject, or NULL when there is none yet. CDS_E_DECODE: what came
 * is not the protocol, or has more arrays or elements than base/limits.h lets it have. */
CDS_MUST_CHECK enum cds_status cds_redis_reply(redisReply **out, struct cds_redis *link, struct cds_error *err);

#endif
