/* SPDX-License-Identifier: MIT
 * Handing over from one set of connections to another. */
#include "stream/change.h"

#include "base/clock.h"
#include "stream/core.h"
#include "stream/discovery.h"
#include "stream/dispatch.h"
#include "stream/fleet.h"
#include "stream/outlet.h"
#include "stream/parts.h"
#include "stream/places.h"

/* ---- beginning ---- */

bool cds_change_is_under_way(const struct cds_stream *stream) {
  return stream->change.is_under_way;
}

/* start_mu and mu are held. */
static bool plan(struct cds_stream *stream) {
  struct cds_change *change = &stream->change;
  if (change->is_under_way || cds_core_is_over(stream)) return false;
  if (cds_discovery_origins(stream)->count == 0) cds_places_serve_all(stream); /* there are no connections yet */
  change->is_under_way = cds_places_try(stream, change->shards);
  return change->is_under_way;
}

void cds_change_begin(struct cds_stream *stream) {
  enum cds_status status = CDS_OK;
  struct cds_error err = {0};
  cds_fleet_lock(stream);
  cds_stream_lock(stream);
  bool began = plan(stream);
  struct cds_change change = stream->change;
  cds_stream_unlock(stream);
  for (size_t shard = 0; began && status == CDS_OK && shard < CDS_MAX_CONNECTIONS; shard++)
    if (change.shards[shard]) status = cds_fleet_complete_shard(stream, CDS_ROLE_TRIAL, shard, &err);
  cds_fleet_unlock(stream);
  if (status != CDS_OK) cds_change_fail(stream, &err);
  else if (began) cds_change_look(stream);
}

/* ---- is it ready? mu is held in this part ---- */

/* Whatever goes on from an old connection goes on from this one too. */
static bool has_caught_up(struct cds_stream *stream, size_t link, size_t shard) {
  uint64_t serving = cds_connections_serving(stream, shard);
  for (size_t slot = 0; slot < cds_places_count(stream); slot++) {
    if (cds_places_shard(stream, slot) != shard || !cds_places_is_tried(stream, slot)) continue;
    uint64_t joined = cds_sequence_joined(cds_dispatch_sequence(stream), slot);
    if ((joined & serving) != 0 && (joined >> link & 1) == 0) return false;
  }
  return true;
}

static bool link_is_ready(struct cds_stream *stream, size_t link, size_t shard) {
  if (!cds_connections_is_connected(stream, link, CDS_ROLE_TRIAL, shard)) return false;
  if (cds_connections_has_proved(stream, link)) return true;
  return cds_connections_has_brought(stream, link) && has_caught_up(stream, link, shard);
}

/* As many are to be up as were before, and one at least; unless no feed is left. */
static bool shard_is_ready(struct cds_stream *stream, size_t shard) {
  size_t ready = 0, before = 0;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    before += cds_connections_is_connected(stream, i, CDS_ROLE_SERVING, shard);
    ready += link_is_ready(stream, i, shard);
  }
  return (ready > 0 && ready >= before) || cds_places_list(NULL, stream, shard, CDS_CARRIED_TRIED) == 0;
}

static bool is_ready(struct cds_stream *stream) {
  bool ready = stream->change.is_under_way;
  for (size_t shard = 0; ready && shard < CDS_MAX_CONNECTIONS; shard++)
    if (stream->change.shards[shard]) ready = shard_is_ready(stream, shard);
  return ready;
}

/* ---- the end: start_mu and mu are held in this part ---- */

static void end_change(struct cds_stream *stream) {
  cds_places_end_trial(stream);
  stream->change = (struct cds_change){0};
}

static void take_over(struct cds_stream *stream) {
  cds_connections_take_over(stream, stream->change.shards);
  cds_places_take_over(stream, stream->change.shards);
  end_change(stream);
}

/* The old connections leave: what the new ones brought ahead of them goes on. */
static void stop_waiting(struct cds_stream *stream, size_t slot) {
  struct cds_sequence_out out = {0};
  struct cds_leftover leftover = {0};
  cds_stream_lock(stream);
  if (slot < cds_dispatch_slots(stream))
    cds_sequence_stop_waiting(cds_dispatch_sequence(stream), slot, cds_clock_mono_ms(), &out);
  cds_dispatch(stream, &out, &leftover);
  cds_stream_unlock(stream);
  cds_leftover_settle(stream, &leftover);
}

void cds_change_look(void *context) {
  struct cds_stream *stream = context;
  struct cds_error err = {0};
  cds_stream_lock(stream);
  bool ready = is_ready(stream);
  size_t slots = cds_places_count(stream);
  cds_stream_unlock(stream);
  if (!ready) return;
  cds_fleet_lock(stream);
  cds_stream_lock(stream);
  ready = is_ready(stream);
  if (ready) take_over(stream);
  cds_stream_unlock(stream);
  cds_fleet_unlock(stream);
  if (!ready) return;
  for (size_t slot = 0; !cds_core_config(stream)->backfill && slot < slots; slot++) stop_waiting(stream, slot);
  cds_fleet_wake(stream);
  if (cds_fleet_complete(stream, &err) != CDS_OK) cds_fleet_fail(stream, &err);
  cds_change_begin(stream);
}

/* ---- failure ---- */

struct undone {
  size_t taken_out; /* feeds */
  bool any_wanted, any_to_come;
};

/* start_mu and mu are held. */
static struct undone undo(struct cds_stream *stream, struct cds_leftover *leftover) {
  struct undone undone = {0};
  cds_connections_end_trial(stream);
  for (size_t slot = 0; slot < cds_places_count(stream); slot++) {
    if (!cds_places_is_new(stream, slot)) continue;
    cds_places_unwant(stream, slot);
    cds_dispatch_forget(stream, slot, leftover);
    undone.taken_out++;
  }
  undone.any_wanted = cds_places_wanted(stream) > 0;
  undone.any_to_come = cds_places_any_to_come(stream);
  cds_dispatch_sift(stream, leftover);
  end_change(stream);
  return undone;
}

void cds_change_fail(struct cds_stream *stream, const struct cds_error *why) {
  struct cds_leftover leftover = {0};
  cds_fleet_lock(stream);
  cds_stream_lock(stream);
  bool was_under_way = stream->change.is_under_way;
  struct undone undone = {0};
  if (was_under_way) undone = undo(stream, &leftover);
  cds_stream_unlock(stream);
  cds_fleet_unlock(stream);
  if (!was_under_way) return;
  cds_leftover_settle(stream, &leftover);
  cds_fleet_wake(stream);
  cds_stream_log(stream, CDS_LOG_ERROR, "the feeds could not be changed; %zu new ones are taken out again: %s",
                 undone.taken_out, why->message);
  cds_outlet_resume(stream);
  if (!undone.any_wanted) cds_fleet_fail(stream, why);
  else if (undone.taken_out > 0 || undone.any_to_come) cds_change_begin(stream); /* not the same change again */
}
