/* SPDX-License-Identifier: MIT
 * Starting, waking and stopping a stream's connections. */
#include "stream/fleet.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

#define STOP_WAIT_MS 800

/* ---- arithmetic ---- */

size_t cds_fleet_shards(size_t feeds, size_t per_connection) {
  return (feeds + per_connection - 1) / per_connection;
}

size_t cds_fleet_shard_of(size_t place, size_t feeds, size_t shards) {
  return place * shards / feeds;
}

enum cds_status cds_fleet_check(size_t feeds, size_t per_connection, size_t origins, struct cds_error *err) {
  size_t shards = cds_fleet_shards(feeds, per_connection);
  if (shards * origins <= CDS_MAX_CONNECTIONS) return CDS_OK;
  return cds_error_set(err, CDS_E_CONFIG,
                       "%zu feeds / %zu per connection x %zu origin%s = %zu connections; an account may hold %d: raise "
                       "feeds_per_connection",
                       feeds, per_connection, origins, origins == 1 ? "" : "s", shards * origins, CDS_MAX_CONNECTIONS);
}

/* ---- one connection ---- */

/* start_mu is held. A link whose thread has ended makes room. */
static size_t free_place(struct cds_stream *stream) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    struct cds_connection *connection = &stream->connections[i];
    pthread_mutex_lock(&stream->mu);
    struct cds_link *link = connection->link;
    bool is_free = link == NULL;
    bool has_left = !is_free && connection->role == CDS_ROLE_LEAVING && cds_link_has_exited(link);
    if (has_left) *connection = (struct cds_connection){0};
    pthread_mutex_unlock(&stream->mu);
    if (has_left) {
      cds_link_join(link, 0);
      cds_link_free(link);
    }
    if (is_free || has_left) return i;
  }
  return CDS_NO_LINK;
}

/* mu is held, and while start_mu is held too, the answer stays the same. The shard's feeds, or with NULL their number. */
static size_t list_feeds(struct cds_feed_id *out, const struct cds_stream *stream, size_t shard, bool on_trial) {
  size_t count = 0;
  for (size_t slot = 0; slot < stream->feeds.count; slot++) {
    const struct cds_place *place = &stream->places[slot];
    if (place->shard != shard || !(on_trial ? place->is_tried : place->is_served)) continue;
    if (out != NULL) out[count] = stream->feeds.ids[slot];
    count++;
  }
  return count;
}

/* start_mu is held, and what is described by `connection` is put into a free place. */
static enum cds_status start_link(struct cds_stream *stream, const struct cds_connection *connection, size_t host,
                                  struct cds_error *err) {
  size_t index = free_place(stream);
  if (index == CDS_NO_LINK) return cds_error_set(err, CDS_E_MEMORY, "too many connections are changing at once");
  bool on_trial = connection->role == CDS_ROLE_TRIAL;
  pthread_mutex_lock(&stream->mu);
  size_t count = list_feeds(NULL, stream, connection->shard, on_trial);
  pthread_mutex_unlock(&stream->mu);
  struct cds_feed_id *feeds = cds_malloc((count + 1) * sizeof *feeds);
  if (feeds == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  pthread_mutex_lock(&stream->mu);
  const struct cds_link_plan plan = {
    .handler = stream->link_handler,
    .context = stream,
    .config = &stream->client->config,
    .stream = &stream->config,
    .index = index,
    .feeds = feeds,
    .feed_count = list_feeds(feeds, stream, connection->shard, on_trial),
    .host = host,
    .hosts_vary = !stream->config.ha,
    .proof_ms = on_trial ? CDS_CHANGE_PROOF_MS : 0,
    .is_one_of_many = stream->config.ha || stream->shard_count > 1,
  };
  stream->connections[index] = *connection;
  pthread_mutex_unlock(&stream->mu);
  struct cds_link *link;
  cds_stream_ref(stream); /* until release is called */
  enum cds_status status = cds_link_start(&link, &plan, err);
  if (status != CDS_OK) cds_stream_unref(stream);
  cds_free(feeds);
  pthread_mutex_lock(&stream->mu);
  stream->connections[index].link = link;
  if (status != CDS_OK) stream->connections[index].role = CDS_ROLE_FREE;
  pthread_mutex_unlock(&stream->mu);
  return status;
}

/* ---- all of them ---- */

/* mu is held. */
static bool is_served(const struct cds_stream *stream, enum cds_role role, size_t shard, size_t origin) {
  size_t links = 0;
  const char *name = stream->discovery.origins.names[origin];
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    const struct cds_connection *at = &stream->connections[i];
    if (at->role != role || at->shard != shard) continue;
    links++;
    if (name[0] != 0 && strcmp(at->stats.origin, name) == 0) return true;
  }
  return name[0] == 0 ? links > origin : links >= stream->discovery.origins.count;
}

enum cds_status cds_fleet_complete_shard(struct cds_stream *stream, enum cds_role role, size_t shard,
                                         struct cds_error *err) {
  enum cds_status status = CDS_OK;
  for (size_t origin = 0; status == CDS_OK; origin++) {
    struct cds_connection connection = {.role = role, .shard = shard};
    pthread_mutex_lock(&stream->mu);
    bool more = origin < stream->discovery.origins.count && !stream->stopping && !stream->ended &&
                list_feeds(NULL, stream, shard, role == CDS_ROLE_TRIAL) > 0;
    bool is_missing = more && !is_served(stream, role, shard, origin);
    if (is_missing) memcpy(connection.stats.origin, stream->discovery.origins.names[origin], CDS_MAX_ORIGIN_TEXT);
    pthread_mutex_unlock(&stream->mu);
    if (!more) break;
    if (is_missing) status = start_link(stream, &connection, stream->discovery.wanted ? 0 : origin, err);
  }
  return status;
}

enum cds_status cds_fleet_complete(struct cds_stream *stream, struct cds_error *err) {
  enum cds_status status = CDS_OK;
  pthread_mutex_lock(&stream->start_mu);
  for (size_t shard = 0; status == CDS_OK && shard < CDS_MAX_CONNECTIONS; shard++)
    status = cds_fleet_complete_shard(stream, CDS_ROLE_SERVING, shard, err);
  pthread_mutex_unlock(&stream->start_mu);
  return status;
}

size_t cds_fleet_origins(const struct cds_stream *stream) {
  size_t hosts = stream->client->config.ws_count, known = stream->discovery.origins.count;
  if (!stream->config.ha) return 1;
  return known > 0 ? known : hosts > 1 ? hosts : 2;
}

enum cds_status cds_fleet_open(struct cds_stream *stream, struct cds_error *err) {
  const struct cds_config *config = &stream->client->config;
  size_t feeds = stream->feeds.count, per_connection = stream->config.feeds_per_connection;
  size_t origins = cds_fleet_origins(stream);
  enum cds_status status = cds_fleet_check(feeds, per_connection, origins, err);
  if (status != CDS_OK) return status;
  stream->shard_count = cds_fleet_shards(feeds, per_connection);
  for (size_t slot = 0; slot < feeds; slot++) {
    struct cds_place *place = &stream->places[slot];
    place->shard = cds_fleet_shard_of(slot, feeds, stream->shard_count);
    place->is_wanted = place->is_served = true;
  }
  stream->discovery.limit = CDS_MAX_CONNECTIONS / stream->shard_count;
  stream->discovery.wanted = stream->config.ha && config->ws_count == 1;
  if (stream->discovery.wanted) return cds_discovery_ask(stream, err);
  stream->discovery.origins.count = origins; /* without names: the hosts are told apart */
  return cds_fleet_complete(stream, err);
}

void cds_fleet_wake(struct cds_stream *stream) {
  pthread_mutex_lock(&stream->start_mu);
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (stream->connections[i].link != NULL) cds_link_wake(stream->connections[i].link);
  pthread_mutex_unlock(&stream->start_mu);
}

/* Once start_mu was free after `stopping` was set, no link is added any more. It is not held while waiting: a link's
 * last act may need it. */
void cds_fleet_stop(struct cds_stream *stream) {
  int64_t until_ms = cds_clock_mono_ms() + STOP_WAIT_MS;
  cds_fleet_wake(stream);
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (stream->connections[i].link != NULL) cds_link_join(stream->connections[i].link, until_ms);
}

void cds_fleet_free(struct cds_stream *stream) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) cds_link_free(stream->connections[i].link);
}
