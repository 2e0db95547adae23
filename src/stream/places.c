/* SPDX-License-Identifier: MIT
 * Slots, shards, and what is wanted, served and tried. */
#include "stream/places.h"

#include "base/alloc.h"
#include "stream/parts.h"

bool cds_places_init(struct cds_stream *stream, const struct cds_feed_id *feeds, size_t feed_count) {
  struct cds_places *places = &stream->places;
  if (cds_feed_set_init(&places->feeds, feeds, feed_count) != CDS_OK) return false;
  places->of = cds_calloc(places->feeds.count, sizeof *places->of);
  return places->of != NULL;
}

void cds_places_clear(struct cds_stream *stream) {
  cds_free(stream->places.of);
  cds_feed_set_clear(&stream->places.feeds);
}

bool cds_places_grow(struct cds_stream *stream, size_t slots) {
  struct cds_place *of = cds_realloc(stream->places.of, slots * sizeof *of);
  if (of == NULL) return false;
  stream->places.of = of;
  return cds_feed_set_reserve(&stream->places.feeds, slots) == CDS_OK;
}

/* ---- feeds ---- */

size_t cds_places_count(const struct cds_stream *stream) {
  return stream->places.feeds.count;
}

struct cds_feed_id cds_places_feed(const struct cds_stream *stream, size_t slot) {
  return stream->places.feeds.ids[slot];
}

bool cds_places_is_wanted(const struct cds_stream *stream, size_t slot) {
  return stream->places.of[slot].is_wanted;
}

size_t cds_places_find(const struct cds_stream *stream, const struct cds_feed_id *feed) {
  size_t slot = cds_feed_set_find(&stream->places.feeds, feed);
  return slot != CDS_NO_SLOT && cds_places_is_wanted(stream, slot) ? slot : CDS_NO_SLOT;
}

bool cds_places_has(const struct cds_stream *stream, const struct cds_feed_id *feed) {
  return cds_feed_set_find(&stream->places.feeds, feed) != CDS_NO_SLOT;
}

bool cds_places_is_home(const struct cds_stream *stream, size_t slot, const struct cds_feed_id *feed) {
  return cds_places_is_wanted(stream, slot) && cds_feed_id_compare(&stream->places.feeds.ids[slot], feed) == 0;
}

/* How many of each shard's are wanted; and of all. */
static size_t count_wanted(const struct cds_places *places, size_t wanted[CDS_MAX_CONNECTIONS]) {
  size_t all = 0;
  for (size_t slot = 0; slot < places->feeds.count; slot++) {
    if (!places->of[slot].is_wanted) continue;
    wanted[places->of[slot].shard]++;
    all++;
  }
  return all;
}

size_t cds_places_wanted(const struct cds_stream *stream) {
  size_t ignored[CDS_MAX_CONNECTIONS] = {0};
  return count_wanted(&stream->places, ignored);
}

bool cds_places_is_tried(const struct cds_stream *stream, size_t slot) {
  return stream->places.of[slot].is_tried && stream->places.of[slot].is_wanted;
}

size_t cds_places_shard(const struct cds_stream *stream, size_t slot) {
  return stream->places.of[slot].shard;
}

static bool is_free(const struct cds_place *place) {
  return !place->is_wanted && !place->is_served && !place->is_tried;
}

/* The feed's own slot if it has one still, else a free one, else a new one. */
static size_t slot_for(struct cds_places *places, const struct cds_feed_id *feed) {
  size_t slot = cds_feed_set_find(&places->feeds, feed);
  if (slot != CDS_NO_SLOT) return slot;
  for (slot = 0; slot < places->feeds.count && !is_free(&places->of[slot]);) slot++;
  if (slot == places->feeds.count) places->of[slot] = (struct cds_place){0};
  cds_feed_set_put(&places->feeds, slot, feed);
  return slot;
}

static size_t emptiest_shard(const struct cds_places *places) {
  size_t wanted[CDS_MAX_CONNECTIONS] = {0}, least = 0;
  count_wanted(places, wanted);
  for (size_t shard = 1; shard < places->shard_count; shard++)
    if (wanted[shard] < wanted[least]) least = shard;
  return least;
}

void cds_places_want(struct cds_stream *stream, const struct cds_feed_id *feed) {
  struct cds_place *place = &stream->places.of[slot_for(&stream->places, feed)];
  if (is_free(place)) place->shard = emptiest_shard(&stream->places);
  place->is_wanted = true;
}

void cds_places_unwant(struct cds_stream *stream, size_t slot) {
  stream->places.of[slot].is_wanted = false;
}

/* ---- shards ---- */

size_t cds_places_shards_for(size_t feeds, size_t per_connection) {
  return (feeds + per_connection - 1) / per_connection;
}

size_t cds_places_shard_of(size_t place, size_t feeds, size_t shards) {
  return place * shards / feeds;
}

void cds_places_spread(struct cds_stream *stream, size_t shards) {
  struct cds_places *places = &stream->places;
  places->shard_count = shards;
  for (size_t slot = 0; slot < places->feeds.count; slot++) {
    places->of[slot].shard = cds_places_shard_of(slot, places->feeds.count, shards);
    places->of[slot].is_wanted = places->of[slot].is_served = true;
  }
}

size_t cds_places_shards(const struct cds_stream *stream) {
  return stream->places.shard_count;
}

void cds_places_open_shards(struct cds_stream *stream, size_t shards) {
  stream->places.shard_count = shards;
}

size_t cds_places_list(struct cds_feed_id *out, const struct cds_stream *stream, size_t shard,
                       enum cds_carried carried) {
  size_t count = 0;
  for (size_t slot = 0; slot < stream->places.feeds.count; slot++) {
    const struct cds_place *place = &stream->places.of[slot];
    if (place->shard != shard || !(carried == CDS_CARRIED_TRIED ? place->is_tried : place->is_served)) continue;
    if (out != NULL) out[count] = stream->places.feeds.ids[slot];
    count++;
  }
  return count;
}

bool cds_places_all_served(const struct cds_stream *stream, const bool up[CDS_MAX_CONNECTIONS]) {
  for (size_t slot = 0; slot < stream->places.feeds.count; slot++) {
    const struct cds_place *place = &stream->places.of[slot];
    if (place->is_wanted && (!place->is_served || !up[place->shard])) return false;
  }
  return true;
}

/* ---- a change of feeds ---- */

void cds_places_serve_all(struct cds_stream *stream) {
  for (size_t slot = 0; slot < stream->places.feeds.count; slot++)
    stream->places.of[slot].is_served = stream->places.of[slot].is_wanted;
}

bool cds_places_try(struct cds_stream *stream, bool shards[CDS_MAX_CONNECTIONS]) {
  struct cds_places *places = &stream->places;
  bool any = false;
  for (size_t slot = 0; slot < places->feeds.count; slot++)
    if (places->of[slot].is_wanted != places->of[slot].is_served) any = shards[places->of[slot].shard] = true;
  for (size_t slot = 0; slot < places->feeds.count; slot++)
    places->of[slot].is_tried = places->of[slot].is_wanted && shards[places->of[slot].shard];
  return any;
}

void cds_places_take_over(struct cds_stream *stream, const bool shards[CDS_MAX_CONNECTIONS]) {
  for (size_t slot = 0; slot < stream->places.feeds.count; slot++) {
    struct cds_place *place = &stream->places.of[slot];
    if (shards[place->shard]) place->is_served = place->is_tried;
  }
}

bool cds_places_is_new(const struct cds_stream *stream, size_t slot) {
  const struct cds_place *place = &stream->places.of[slot];
  return place->is_wanted && place->is_tried && !place->is_served;
}

bool cds_places_any_to_come(const struct cds_stream *stream) {
  for (size_t slot = 0; slot < stream->places.feeds.count; slot++)
    if (stream->places.of[slot].is_wanted && !stream->places.of[slot].is_served) return true;
  return false;
}

void cds_places_end_trial(struct cds_stream *stream) {
  for (size_t slot = 0; slot < stream->places.feeds.count; slot++) stream->places.of[slot].is_tried = false;
}
