/* SPDX-License-Identifier: MIT
 * What the script wants, changed while the stream runs. Reports come and go at once; connections follow (change.c). */
#include "stream/subscribe.h"

#include "stream/change.h"
#include "stream/core.h"
#include "stream/dispatch.h"
#include "stream/fleet.h"
#include "stream/outlet.h"
#include "stream/places.h"

/* mu is held: how many of these are wanted? */
static size_t count_known(const struct cds_stream *stream, const struct cds_feed_set *asked) {
  size_t known = 0;
  for (size_t i = 0; i < asked->count; i++) known += cds_places_find(stream, &asked->ids[i]) != CDS_NO_SLOT;
  return known;
}

/* May the stream change? And the ids, each once. */
static enum cds_status begin(struct cds_feed_set *asked, struct cds_stream *stream, const struct cds_feed_id *feeds,
                             size_t feed_count, struct cds_error *err) {
  *asked = (struct cds_feed_set){0};
  enum cds_status status = cds_client_check(cds_core_client(stream), err);
  if (status != CDS_OK) return status;
  cds_stream_lock(stream);
  bool ended = cds_core_is_ended(stream);
  if (ended) *err = *cds_core_reason(stream);
  cds_stream_unlock(stream);
  if (ended) return err->status;
  if (cds_feed_set_init(asked, feeds, feed_count) == CDS_OK) return CDS_OK;
  return cds_error_set(err, CDS_E_MEMORY, "out of memory");
}

/* ---- subscribe ---- */

/* mu is held. Room for so many slots; the sequence, last, tells how far all have come. */
static bool grow(struct cds_stream *stream, size_t slots) {
  if (slots <= cds_dispatch_slots(stream)) return true;
  return cds_places_grow(stream, slots) && cds_outlet_grow(stream, slots) && cds_dispatch_grow(stream, slots);
}

/* mu is held. Opens shards when those that are there are full. All feeds or, with an error, none. */
static enum cds_status want_all(struct cds_stream *stream, const struct cds_feed_set *asked, struct cds_error *err) {
  size_t fresh = asked->count - count_known(stream, asked), feeds = cds_places_wanted(stream) + fresh;
  if (feeds > CDS_MAX_FEEDS)
    return cds_error_set(err, CDS_E_CONFIG, "a stream may have %d feeds, this would make %zu", CDS_MAX_FEEDS, feeds);
  enum cds_status status = cds_fleet_check_room(stream, feeds, err);
  if (status != CDS_OK) return status;
  if (!grow(stream, cds_places_count(stream) + fresh)) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  cds_fleet_make_room(stream, feeds);
  for (size_t i = 0; i < asked->count; i++) {
    cds_places_want(stream, &asked->ids[i]);
    cds_dispatch_measure(stream, cds_places_find(stream, &asked->ids[i]));
  }
  return CDS_OK;
}

enum cds_status cds_stream_subscribe(struct cds_stream *stream, const struct cds_feed_id *feeds, size_t feed_count,
                                     struct cds_error *err) {
  struct cds_feed_set asked;
  enum cds_status status = begin(&asked, stream, feeds, feed_count, err);
  if (status != CDS_OK) return status;
  cds_stream_lock(stream);
  status = want_all(stream, &asked, err);
  cds_stream_unlock(stream);
  cds_feed_set_clear(&asked);
  if (status == CDS_OK) cds_change_begin(stream);
  return status;
}

/* ---- unsubscribe ---- */

static void unwant(struct cds_stream *stream, const struct cds_feed_id *feed) {
  struct cds_leftover leftover = {0};
  cds_stream_lock(stream);
  size_t slot = cds_places_find(stream, feed);
  if (slot != CDS_NO_SLOT) {
    cds_places_unwant(stream, slot);
    cds_dispatch_forget(stream, slot, &leftover);
  }
  cds_stream_unlock(stream);
  cds_leftover_settle(stream, &leftover);
}

static void sift(struct cds_stream *stream) {
  struct cds_leftover leftover = {0};
  cds_stream_lock(stream);
  cds_dispatch_sift(stream, &leftover);
  cds_stream_unlock(stream);
  cds_leftover_settle(stream, &leftover);
  cds_outlet_resume(stream);
}

enum cds_status cds_stream_unsubscribe(struct cds_stream *stream, const struct cds_feed_id *feeds, size_t feed_count,
                                       struct cds_error *err) {
  struct cds_feed_set asked;
  enum cds_status status = begin(&asked, stream, feeds, feed_count, err);
  if (status != CDS_OK) return status;
  cds_stream_lock(stream);
  if (count_known(stream, &asked) == cds_places_wanted(stream))
    status = cds_error_set(err, CDS_E_CONFIG, "a stream needs a feed: close it rather than unsubscribe from all");
  cds_stream_unlock(stream);
  for (size_t i = 0; status == CDS_OK && i < asked.count; i++) unwant(stream, &asked.ids[i]);
  cds_feed_set_clear(&asked);
  if (status != CDS_OK) return status;
  sift(stream);
  cds_change_begin(stream);
  return CDS_OK;
}
