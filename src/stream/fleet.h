/* SPDX-License-Identifier: MIT
 * Which connections a stream has: shards of feeds times origins. Starts, wakes and stops them. */
#ifndef CDS_FLEET_H
#define CDS_FLEET_H

#include "stream/connections.h"

struct cds_fleet {                        /* fleet.c's own */
  pthread_mutex_t start_mu;               /* held while connections are added or removed; taken before mu */
  const struct cds_link_handler *handler; /* of its connections, with the stream as context; read-only */
};

/* Before another thread knows the stream. False, and nothing is held, without a lock. */
CDS_MUST_CHECK bool cds_fleet_init(struct cds_stream *stream, const struct cds_link_handler *handler);
void cds_fleet_clear(struct cds_stream *stream); /* with the stream's last reference */

/* "start_mu is held" in the stream's files means: between these. */
void cds_fleet_lock(struct cds_stream *stream);
void cds_fleet_unlock(struct cds_stream *stream);

/* CDS_E_CONFIG, with the arithmetic, when that makes more connections than an account may hold. */
CDS_MUST_CHECK enum cds_status cds_fleet_check(size_t feeds, size_t per_connection, size_t origins,
                                               struct cds_error *err);

/* Spreads the feeds, and starts the connections or the question which there are to be. Once, from cds_stream_open. */
CDS_MUST_CHECK enum cds_status cds_fleet_open(struct cds_stream *stream, struct cds_error *err);

/* Starts what is missing: each shard gets a connection for each of the origins. */
CDS_MUST_CHECK enum cds_status cds_fleet_complete(struct cds_stream *stream, struct cds_error *err);

/* The same for one shard and its SERVING or its TRIAL connections. start_mu is held. */
CDS_MUST_CHECK enum cds_status cds_fleet_complete_shard(struct cds_stream *stream, enum cds_role role, size_t shard,
                                                        struct cds_error *err);

/* mu is held. May there be so many feeds? CDS_E_CONFIG as from check. And: shards are opened for them, if there are too
 * few. */
CDS_MUST_CHECK enum cds_status cds_fleet_check_room(const struct cds_stream *stream, size_t feeds,
                                                    struct cds_error *err);
void cds_fleet_make_room(struct cds_stream *stream, size_t feeds);

void cds_fleet_wake(struct cds_stream *stream); /* every link; no lock is held */

/* The stream is over for this reason, unless it is over already; the links are woken to end. No lock is held. */
void cds_fleet_fail(struct cds_stream *stream, const struct cds_error *why);

/* After cds_core_stop: waits for the links' threads, a second at most for all of them together. */
void cds_fleet_stop(struct cds_stream *stream);

#endif
