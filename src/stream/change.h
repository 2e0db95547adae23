/* SPDX-License-Identifier: MIT
 * A changed set of feeds, without loss: the new connections overlap the old ones until they have caught up.
 *
 * For each shard that changes TRIAL connections are started, one per origin, with the feeds that are wanted now. When
 * enough of them are up and bring what the old ones bring, all take over at once and the old ones leave. When one of
 * them fails for good, all of them leave, the old ones go on, and the feeds that were added are taken out again. What
 * the script asks for meanwhile comes next. */
#ifndef CDS_CHANGE_H
#define CDS_CHANGE_H

#include "base/error.h"
#include "base/limits.h"

struct cds_stream;

struct cds_change { /* change.c's own; guarded by the stream's mu; begun and ended under start_mu as well */
  bool is_under_way;
  bool shards[CDS_MAX_CONNECTIONS]; /* these */
};

bool cds_change_is_under_way(const struct cds_stream *stream); /* mu is held */

/* The rest: any thread, no lock is held. */

/* What is wanted may differ from what is served: starts a change, unless one is under way. */
void cds_change_begin(struct cds_stream *stream);

/* Something happened to a connection while a change is under way: ends it when the new connections are ready. */
void cds_change_look(void *context); /* the stream: it is a link's handler too */

/* A TRIAL connection has failed. */
void cds_change_fail(struct cds_stream *stream, const struct cds_error *why);

#endif
