/* SPDX-License-Identifier: MIT
 * Handing over from one set of connections to another. */
#include "stream/change.h"

#include <string.h>

#include "base/clock.h"
#include "stream/dispatch.h"
#include "stream/fleet.h"

/* ---- beginning ---- */

/* mu is held. */
static bool differs(const struct cds_place *place) {
  return place->is_wanted != place->is_served;
}

/* mu is held: where there are no connections yet, they will carry what is wanted. */
static void serve_all(struct cds_stream *stream) {
  for (size_t slot = 0; slot < stream->feeds.count; slot++)
    stream->places[slot].is_served = stream->places[slot].is_wanted;
}

/* start_mu and mu are held. */
static bool plan(struct cds_stream *stream) {
  struct cds_change *change = &stream->change;
  if (change->is_under_way || stream->stopping || stream->ended) return false;
  if (stream->discovery.origins.count == 0) serve_all(stream);
  for (size_t slot = 0; slot < stream->feeds.count; slot++) {
    if (!differs(&stream->places[slot])) continue;
    change->is_under_way = change->shards[stream->places[slot].shard] = true;
  }
  for (size_t slot = 0; slot < stream->feeds.count; slot++) {
    struct cds_place *place = &stream->places[slot];
    place->is_tried = place->is_wanted && change->shards[place->shard];
  }
  return change->is_under_way;
}

void cds_change_begin(struct cds_stream *stream) {
  enum cds_status status = CDS_OK;
  struct cds_error err = {0};
  pthread_mutex_lock(&stream->start_mu);
  pthread_mutex_lock(&stream->mu);
  bool began = plan(stream);
  struct cds_change change = stream->change;
  pthread_mutex_unlock(&stream->mu);
  for (size_t shard = 0; began && status == CDS_OK && shard < CDS_MAX_CONNECTIONS; shard++)
    if (change.shards[shard]) status = cds_fleet_complete_shard(stream, CDS_ROLE_TRIAL, shard, &err);
  pthread_mutex_unlock(&stream->start_mu);
  if (status != CDS_OK) cds_change_fail(stream, &err);
  else if (began) cds_change_look(stream);
}

/* ---- is it ready? mu is held in this part ---- */

static uint64_t serving_links(const struct cds_stream *stream, size_t shard) {
  uint64_t links = 0;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (stream->connections[i].role == CDS_ROLE_SERVING && stream->connections[i].shard == shard)
      links |= (uint64_t)1 << i;
  return links;
}

/* Whatever goes on from an old connection goes on from this one too. */
static bool has_caught_up(const struct cds_stream *stream, size_t link) {
  size_t shard = stream->connections[link].shard;
  uint64_t serving = serving_links(stream, shard);
  for (size_t slot = 0; slot < stream->feeds.count; slot++) {
    const struct cds_place *place = &stream->places[slot];
    if (place->shard != shard || !place->is_tried || !place->is_wanted) continue;
    uint64_t joined = cds_sequence_joined(&stream->sequence, slot);
    if ((joined & serving) != 0 && (joined >> link & 1) == 0) return false;
  }
  return true;
}

static bool link_is_ready(const struct cds_stream *stream, size_t link, int64_t now_ms) {
  const struct cds_connection *at = &stream->connections[link];
  if (at->stats.state != CDS_LINK_CONNECTED) return false;
  if (now_ms - at->connected_at_ms >= CDS_CHANGE_PROOF_MS) return true;
  return at->stats.messages_received > 0 && has_caught_up(stream, link);
}

static bool is_emptied(const struct cds_stream *stream, size_t shard) {
  for (size_t slot = 0; slot < stream->feeds.count; slot++)
    if (stream->places[slot].shard == shard && stream->places[slot].is_tried) return false;
  return true;
}

/* As many are to be up as were before, and one at least. */
static bool shard_is_ready(const struct cds_stream *stream, size_t shard, int64_t now_ms) {
  size_t ready = 0, before = 0;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    const struct cds_connection *at = &stream->connections[i];
    if (at->shard != shard) continue;
    before += at->role == CDS_ROLE_SERVING && at->stats.state == CDS_LINK_CONNECTED;
    ready += at->role == CDS_ROLE_TRIAL && link_is_ready(stream, i, now_ms);
  }
  return (ready > 0 && ready >= before) || is_emptied(stream, shard);
}

static bool is_ready(const struct cds_stream *stream) {
  int64_t now_ms = cds_clock_mono_ms();
  bool ready = stream->change.is_under_way;
  for (size_t shard = 0; ready && shard < CDS_MAX_CONNECTIONS; shard++)
    if (stream->change.shards[shard]) ready = shard_is_ready(stream, shard, now_ms);
  return ready;
}

/* ---- the end: start_mu and mu are held in this part ---- */

/* Statistics go on for the same origin. */
static void count_on(struct cds_link_stats *stats, const struct cds_link_stats *before) {
  stats->messages_received += before->messages_received;
  stats->bytes_received += before->bytes_received;
  stats->errors_count += before->errors_count;
  stats->reconnect_count += before->reconnect_count;
  if (before->last_message_time > stats->last_message_time) stats->last_message_time = before->last_message_time;
}

/* The old connection is told to leave; the trial of its shard, origin and host counts its messages on. */
static void replace(struct cds_stream *stream, struct cds_connection *old) {
  old->role = CDS_ROLE_LEAVING;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    struct cds_connection *at = &stream->connections[i];
    if (at->role != CDS_ROLE_TRIAL || at->shard != old->shard || strcmp(at->stats.origin, old->stats.origin) != 0 ||
        strcmp(at->stats.host, old->stats.host) != 0)
      continue;
    count_on(&at->stats, &old->stats);
    return;
  }
}

static void end_change(struct cds_stream *stream) {
  for (size_t slot = 0; slot < stream->feeds.count; slot++) stream->places[slot].is_tried = false;
  stream->change = (struct cds_change){0};
}

static void take_over(struct cds_stream *stream) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    struct cds_connection *at = &stream->connections[i];
    if (at->role == CDS_ROLE_SERVING && stream->change.shards[at->shard]) replace(stream, at);
  }
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (stream->connections[i].role == CDS_ROLE_TRIAL) stream->connections[i].role = CDS_ROLE_SERVING;
  for (size_t slot = 0; slot < stream->feeds.count; slot++) {
    struct cds_place *place = &stream->places[slot];
    if (stream->change.shards[place->shard]) place->is_served = place->is_tried;
  }
  end_change(stream);
}

/* The old connections leave: what the new ones brought ahead of them goes on. */
static void stop_waiting(struct cds_stream *stream, size_t slot) {
  struct cds_sequence_out out = {0};
  struct cds_leftover leftover = {0};
  pthread_mutex_lock(&stream->mu);
  if (slot < stream->sequence.count) cds_sequence_stop_waiting(&stream->sequence, slot, cds_clock_mono_ms(), &out);
  cds_dispatch(stream, &out, &leftover);
  pthread_mutex_unlock(&stream->mu);
  cds_leftover_settle(stream, &leftover);
}

void cds_change_look(void *context) {
  struct cds_stream *stream = context;
  struct cds_error err = {0};
  pthread_mutex_lock(&stream->mu);
  bool ready = is_ready(stream);
  size_t slots = stream->feeds.count;
  pthread_mutex_unlock(&stream->mu);
  if (!ready) return;
  pthread_mutex_lock(&stream->start_mu);
  pthread_mutex_lock(&stream->mu);
  ready = is_ready(stream);
  if (ready) take_over(stream);
  pthread_mutex_unlock(&stream->mu);
  pthread_mutex_unlock(&stream->start_mu);
  if (!ready) return;
  for (size_t slot = 0; !stream->config.backfill && slot < slots; slot++) stop_waiting(stream, slot);
  cds_fleet_wake(stream);
  if (cds_fleet_complete(stream, &err) != CDS_OK) cds_stream_fail(stream, &err);
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
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (stream->connections[i].role == CDS_ROLE_TRIAL) stream->connections[i].role = CDS_ROLE_LEAVING;
  for (size_t slot = 0; slot < stream->feeds.count; slot++) {
    struct cds_place *place = &stream->places[slot];
    if (place->is_wanted && place->is_tried && !place->is_served) {
      place->is_wanted = false;
      cds_dispatch_forget(stream, slot, leftover);
      undone.taken_out++;
    }
    undone.any_wanted = undone.any_wanted || place->is_wanted;
    undone.any_to_come = undone.any_to_come || (place->is_wanted && !place->is_served);
  }
  cds_dispatch_sift(stream, leftover);
  end_change(stream);
  return undone;
}

void cds_change_fail(struct cds_stream *stream, const struct cds_error *why) {
  struct cds_leftover leftover = {0};
  pthread_mutex_lock(&stream->start_mu);
  pthread_mutex_lock(&stream->mu);
  bool was_under_way = stream->change.is_under_way;
  struct undone undone = {0};
  if (was_under_way) undone = undo(stream, &leftover);
  pthread_mutex_unlock(&stream->mu);
  pthread_mutex_unlock(&stream->start_mu);
  if (!was_under_way) return;
  cds_leftover_settle(stream, &leftover);
  cds_fleet_wake(stream);
  cds_stream_log(stream, CDS_LOG_ERROR, "the feeds could not be changed; %zu new ones are taken out again: %s",
                 undone.taken_out, why->message);
  cds_stream_resume(stream);
  if (!undone.any_wanted) cds_stream_fail(stream, why);
  else if (undone.taken_out > 0 || undone.any_to_come) cds_change_begin(stream); /* not the same change again */
}
