/* SPDX-License-Identifier: MIT
 * Which connections a stream has: shards of feeds times origins. */
#ifndef CDS_FLEET_H
#define CDS_FLEET_H

#include "stream/link.h"
#include "stream/stream_internal.h"

/* The fewest shards that hold so many feeds; and the shard of the feed in that place, so that sizes differ by one at
 * most. */
size_t cds_fleet_shards(size_t feeds, size_t per_connection);
size_t cds_fleet_shard_of(size_t place, size_t feeds, size_t shards);

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

size_t cds_fleet_origins(const struct cds_stream *stream); /* mu is held: so many, as far as it is known */

void cds_fleet_wake(struct cds_stream *stream); /* every link; no lock is held */

/* After `stopping` was set: waits for the links' threads, a second at most for all of them together. */
void cds_fleet_stop(struct cds_stream *stream);

void cds_fleet_free(struct cds_stream *stream); /* with the stream's last reference */

#endif
