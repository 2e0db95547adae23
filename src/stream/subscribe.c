/* SPDX-License-Identifier: MIT
 * What the script wants, changed while the stream runs. Reports come and go at once; connections follow (change.c). */
#include "base/alloc.h"
#include "stream/dispatch.h"
#include "stream/fleet.h"

/* mu is held. */
static size_t count_wanted(const struct cds_stream *stream, size_t wanted[CDS_MAX_CONNECTIONS]) {
  size_t all = 0;
  for (size_t slot = 0; slot < stream->feeds.count; slot++) {
    if (!stream->places[slot].is_wanted) continue;
    wanted[stream->places[slot].shard]++;
    all++;
  }
  return all;
}

/* mu is held: how many of these are wanted? */
static size_t count_known(const struct cds_stream *stream, const struct cds_feed_set *asked) {
  size_t known = 0;
  for (size_t i = 0; i < asked->count; i++) known += cds_stream_find(stream, &asked->ids[i]) != CDS_NO_SLOT;
  return known;
}

/* May the stream change? And the ids, each once. */
static enum cds_status begin(struct cds_feed_set *asked, struct cds_stream *stream, const struct cds_feed_id *feeds,
                             size_t feed_count, struct cds_error *err) {
  *asked = (struct cds_feed_set){0};
  enum cds_status status = cds_client_check(stream->client, err);
  if (status != CDS_OK) return status;
  pthread_mutex_lock(&stream->mu);
  bool ended = stream->ended;
  if (ended) *err = stream->end;
  pthread_mutex_unlock(&stream->mu);
  if (ended) return err->status;
  if (cds_feed_set_init(asked, feeds, feed_count) == CDS_OK) return CDS_OK;
  return cds_error_set(err, CDS_E_MEMORY, "out of memory");
}

/* ---- subscribe ---- */

/* mu is held. Room for so many slots; the sequence, last, tells how far all have come. */
static bool grow(struct cds_stream *stream, size_t slots) {
  if (slots <= stream->sequence.count) return true;
  struct cds_place *places = cds_realloc(stream->places, slots * sizeof *places);
  if (places == NULL) return false;
  stream->places = places;
  return cds_feed_set_reserve(&stream->feeds, slots) == CDS_OK && cds_queue_grow(&stream->queue, slots) &&
         cds_sequence_grow(&stream->sequence, slots);
}

static bool is_free(const struct cds_place *place) {
  return !place->is_wanted && !place->is_served && !place->is_tried;
}

/* mu is held. The feed's own slot if it has one still, else a free one, else a new one. */
static size_t slot_for(struct cds_stream *stream, const struct cds_feed_id *feed) {
  size_t slot = cds_feed_set_find(&stream->feeds, feed);
  if (slot != CDS_NO_SLOT) return slot;
  for (slot = 0; slot < stream->feeds.count && !is_free(&stream->places[slot]);) slot++;
  if (slot == stream->feeds.count) stream->places[slot] = (struct cds_place){0};
  cds_feed_set_put(&stream->feeds, slot, feed);
  return slot;
}

/* mu is held, and there is room. A feed that a connection carries still stays in its shard. */
static void want(struct cds_stream *stream, const struct cds_feed_id *feed, size_t wanted[CDS_MAX_CONNECTIONS]) {
  struct cds_place *place = &stream->places[slot_for(stream, feed)];
  if (place->is_wanted) return;
  if (is_free(place)) {
    place->shard = 0;
    for (size_t shard = 1; shard < stream->shard_count; shard++)
      if (wanted[shard] < wanted[place->shard]) place->shard = shard;
  }
  place->is_wanted = true;
  wanted[place->shard]++;
}

/* mu is held. Opens shards when those that are there are full. All feeds or, with an error, none. */
static enum cds_status want_all(struct cds_stream *stream, const struct cds_feed_set *asked, struct cds_error *err) {
  size_t wanted[CDS_MAX_CONNECTIONS] = {0}, per_connection = stream->config.feeds_per_connection;
  size_t fresh = asked->count - count_known(stream, asked), feeds = count_wanted(stream, wanted) + fresh;
  size_t shards = cds_fleet_shards(feeds, per_connection);
  if (feeds > CDS_MAX_FEEDS)
    return cds_error_set(err, CDS_E_CONFIG, "a stream may have %d feeds, this would make %zu", CDS_MAX_FEEDS, feeds);
  if (shards > stream->shard_count) {
    enum cds_status status = cds_fleet_check(feeds, per_connection, cds_fleet_origins(stream), err);
    if (status != CDS_OK) return status;
  }
  if (!grow(stream, stream->feeds.count + fresh)) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  if (shards > stream->shard_count) {
    stream->shard_count = shards;
    stream->discovery.limit = CDS_MAX_CONNECTIONS / shards;
  }
  for (size_t i = 0; i < asked->count; i++) want(stream, &asked->ids[i], wanted);
  return CDS_OK;
}

enum cds_status cds_stream_subscribe(struct cds_stream *stream, const struct cds_feed_id *feeds, size_t feed_count,
                                     struct cds_error *err) {
  struct cds_feed_set asked;
  enum cds_status status = begin(&asked, stream, feeds, feed_count, err);
  if (status != CDS_OK) return status;
  pthread_mutex_lock(&stream->mu);
  status = want_all(stream, &asked, err);
  pthread_mutex_unlock(&stream->mu);
  cds_feed_set_clear(&asked);
  if (status == CDS_OK) cds_change_begin(stream);
  return status;
}

/* ---- unsubscribe ---- */

static void unwant(struct cds_stream *stream, const struct cds_feed_id *feed) {
  struct cds_leftover leftover = {0};
  pthread_mutex_lock(&stream->mu);
  size_t slot = cds_stream_find(stream, feed);
  if (slot != CDS_NO_SLOT) {
    stream->places[slot].is_wanted = false;
    cds_dispatch_forget(stream, slot, &leftover);
  }
  pthread_mutex_unlock(&stream->mu);
  cds_leftover_settle(stream, &leftover);
}

static void sift(struct cds_stream *stream) {
  struct cds_leftover leftover = {0};
  pthread_mutex_lock(&stream->mu);
  cds_dispatch_sift(stream, &leftover);
  pthread_mutex_unlock(&stream->mu);
  cds_leftover_settle(stream, &leftover);
  cds_stream_resume(stream);
}

enum cds_status cds_stream_unsubscribe(struct cds_stream *stream, const struct cds_feed_id *feeds, size_t feed_count,
                                       struct cds_error *err) {
  struct cds_feed_set asked;
  size_t ignored[CDS_MAX_CONNECTIONS] = {0};
  enum cds_status status = begin(&asked, stream, feeds, feed_count, err);
  if (status != CDS_OK) return status;
  pthread_mutex_lock(&stream->mu);
  if (count_known(stream, &asked) == count_wanted(stream, ignored))
    status = cds_error_set(err, CDS_E_CONFIG, "a stream needs a feed: close it rather than unsubscribe from all");
  pthread_mutex_unlock(&stream->mu);
  for (size_t i = 0; status == CDS_OK && i < asked.count; i++) unwant(stream, &asked.ids[i]);
  cds_feed_set_clear(&asked);
  if (status != CDS_OK) return status;
  sift(stream);
  cds_change_begin(stream);
  return CDS_OK;
}
