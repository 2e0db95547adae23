/* SPDX-License-Identifier: MIT
 * The feeds of a stream, each in a place, its slot; and the shards they are spread over. Nothing is done here about it.
 *
 * A place is free when nobody wants its feed and no connection carries it: another feed may get it then. mu is held in
 * everything here. */
#ifndef CDS_PLACES_H
#define CDS_PLACES_H

#include "base/limits.h"
#include "order/feed_set.h"

struct cds_stream;

struct cds_place {
  size_t shard;
  bool is_wanted; /* by the script: only then its reports are delivered */
  bool is_served; /* SERVING connections carry it */
  bool is_tried;  /* TRIAL connections carry it; of meaning while its shard changes */
};

struct cds_places { /* places.c's own */
  struct cds_feed_set feeds;
  struct cds_place *of; /* owned; by slot */
  size_t shard_count;   /* at most CDS_MAX_CONNECTIONS; one may be without feeds */
};

/* Which of a shard's feeds: those of its SERVING or of its TRIAL connections. */
enum cds_carried { CDS_CARRIED_SERVED, CDS_CARRIED_TRIED };

CDS_MUST_CHECK bool cds_places_init(struct cds_stream *stream, const struct cds_feed_id *feeds, size_t feed_count);
void cds_places_clear(struct cds_stream *stream);
CDS_MUST_CHECK bool cds_places_grow(struct cds_stream *stream, size_t slots); /* room; false: no memory */

/* ---- feeds ---- */

size_t cds_places_count(const struct cds_stream *stream); /* slots */
struct cds_feed_id cds_places_feed(const struct cds_stream *stream, size_t slot);
size_t cds_places_find(const struct cds_stream *stream, const struct cds_feed_id *feed); /* CDS_NO_SLOT: not wanted */
bool cds_places_has(const struct cds_stream *stream, const struct cds_feed_id *feed);    /* wanted or not */
bool cds_places_is_wanted(const struct cds_stream *stream, size_t slot);
bool cds_places_is_home(const struct cds_stream *stream, size_t slot, const struct cds_feed_id *feed); /* and wanted */
size_t cds_places_wanted(const struct cds_stream *stream);
bool cds_places_is_tried(const struct cds_stream *stream, size_t slot); /* and wanted */
size_t cds_places_shard(const struct cds_stream *stream, size_t slot);

/* Makes a feed wanted: one that a connection carries still stays in its shard, others go where the fewest are. */
void cds_places_want(struct cds_stream *stream, const struct cds_feed_id *feed);
void cds_places_unwant(struct cds_stream *stream, size_t slot);

/* ---- shards ---- */

/* The fewest shards that hold so many feeds; and the shard of the feed in that place, so that sizes differ by one at
 * most. No lock matters for these two. */
size_t cds_places_shards_for(size_t feeds, size_t per_connection);
size_t cds_places_shard_of(size_t place, size_t feeds, size_t shards);

/* Once: all feeds are wanted and served, spread over so many shards. */
void cds_places_spread(struct cds_stream *stream, size_t shards);
size_t cds_places_shards(const struct cds_stream *stream);
void cds_places_open_shards(struct cds_stream *stream, size_t shards); /* more than there are */

/* The shard's feeds, or with NULL their number. */
size_t cds_places_list(struct cds_feed_id *out, const struct cds_stream *stream, size_t shard,
                       enum cds_carried carried);

/* Does each feed that is wanted have a connection in a shard that is up? */
bool cds_places_all_served(const struct cds_stream *stream, const bool up[CDS_MAX_CONNECTIONS]);

/* ---- a change of feeds ---- */

void cds_places_serve_all(struct cds_stream *stream); /* connections will carry what is wanted */

/* Marks the shards in which what is wanted is not what is served; in these what is wanted is to be tried. False: none. */
CDS_MUST_CHECK bool cds_places_try(struct cds_stream *stream, bool shards[CDS_MAX_CONNECTIONS]);
void cds_places_take_over(struct cds_stream *stream, const bool shards[CDS_MAX_CONNECTIONS]); /* tried is now served */

bool cds_places_is_new(const struct cds_stream *stream, size_t slot); /* wanted and tried, and not served before */
bool cds_places_any_to_come(const struct cds_stream *stream);         /* wanted, and not served */
void cds_places_end_trial(struct cds_stream *stream);

#endif
