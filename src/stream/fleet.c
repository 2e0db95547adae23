/* SPDX-License-Identifier: MIT
 * Starting, waking and stopping a stream's connections. */
#include "stream/fleet.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "stream/core.h"
#include "stream/discovery.h"
#include "stream/outlet.h"
#include "stream/parts.h"
#include "stream/places.h"

#define STOP_WAIT_MS 800

bool cds_fleet_init(struct cds_stream *stream, const struct cds_link_handler *handler) {
  stream->fleet.handler = handler;
  return pthread_mutex_init(&stream->fleet.start_mu, NULL) == 0;
}

void cds_fleet_clear(struct cds_stream *stream) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) cds_link_free(cds_connections_link(stream, i));
  pthread_mutex_destroy(&stream->fleet.start_mu);
}

void cds_fleet_lock(struct cds_stream *stream) {
  pthread_mutex_lock(&stream->fleet.start_mu);
}

void cds_fleet_unlock(struct cds_stream *stream) {
  pthread_mutex_unlock(&stream->fleet.start_mu);
}

/* ---- arithmetic ---- */

enum cds_status cds_fleet_check(size_t feeds, size_t per_connection, size_t origins, struct cds_error *err) {
  size_t shards = cds_places_shards_for(feeds, per_connection);
  if (shards * origins <= CDS_MAX_CONNECTIONS) return CDS_OK;
  return cds_error_set(err, CDS_E_CONFIG,
                       "%zu feeds / %zu per connection x %zu origin%s = %zu connections; an account may hold %d: raise "
                       "feeds_per_connection",
                       feeds, per_connection, origins, origins == 1 ? "" : "s", shards * origins, CDS_MAX_CONNECTIONS);
}

/* mu is held: so many origins, as far as it is known. */
static size_t count_origins(const struct cds_stream *stream) {
  size_t hosts = cds_core_client(stream)->config.ws_count, known = cds_discovery_origins(stream)->count;
  if (!cds_core_config(stream)->ha) return 1;
  return known > 0 ? known : hosts > 1 ? hosts : 2;
}

/* mu is held. */
static bool has_room(const struct cds_stream *stream, size_t feeds) {
  return cds_places_shards_for(feeds, cds_core_config(stream)->feeds_per_connection) <= cds_places_shards(stream);
}

enum cds_status cds_fleet_check_room(const struct cds_stream *stream, size_t feeds, struct cds_error *err) {
  if (has_room(stream, feeds)) return CDS_OK;
  return cds_fleet_check(feeds, cds_core_config(stream)->feeds_per_connection, count_origins(stream), err);
}

void cds_fleet_make_room(struct cds_stream *stream, size_t feeds) {
  if (has_room(stream, feeds)) return;
  size_t shards = cds_places_shards_for(feeds, cds_core_config(stream)->feeds_per_connection);
  cds_places_open_shards(stream, shards);
  cds_discovery_limit(stream, CDS_MAX_CONNECTIONS / shards);
}

/* ---- one connection ---- */

/* start_mu is held. A link whose thread has ended makes room. */
static size_t free_place(struct cds_stream *stream) {
  struct cds_link *left;
  cds_stream_lock(stream);
  size_t index = cds_connections_vacate(stream, &left);
  cds_stream_unlock(stream);
  if (left != NULL) {
    cds_link_join(left, 0);
    cds_link_free(left);
  }
  return index;
}

static enum cds_carried carried_by(enum cds_role role) {
  return role == CDS_ROLE_TRIAL ? CDS_CARRIED_TRIED : CDS_CARRIED_SERVED;
}

/* start_mu is held: nothing changes which feeds these are. */
static struct cds_feed_id *list_feeds(size_t *count, struct cds_stream *stream,
                                      const struct cds_assignment *assignment) {
  enum cds_carried carried = carried_by(assignment->role);
  cds_stream_lock(stream);
  *count = cds_places_list(NULL, stream, assignment->shard, carried);
  cds_stream_unlock(stream);
  struct cds_feed_id *feeds = cds_malloc(*count * sizeof *feeds);
  if (feeds == NULL) return NULL;
  cds_stream_lock(stream);
  *count = cds_places_list(feeds, stream, assignment->shard, carried);
  cds_stream_unlock(stream);
  return feeds;
}

/* start_mu is held, and what is described by `assignment` is put into a free place. */
static enum cds_status start_link(struct cds_stream *stream, const struct cds_assignment *assignment, size_t host,
                                  struct cds_error *err) {
  const struct cds_stream_config *config = cds_core_config(stream);
  size_t index = free_place(stream), count;
  if (index == CDS_NO_LINK) return cds_error_set(err, CDS_E_MEMORY, "too many connections are changing at once");
  struct cds_feed_id *feeds = list_feeds(&count, stream, assignment);
  if (feeds == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  cds_stream_lock(stream);
  const struct cds_link_plan plan = {
    .handler = stream->fleet.handler,
    .context = stream,
    .config = &cds_core_client(stream)->config,
    .stream = config,
    .index = index,
    .feeds = feeds,
    .feed_count = count,
    .host = host,
    .hosts_vary = !config->ha,
    .proof_ms = assignment->role == CDS_ROLE_TRIAL ? CDS_TRIAL_PROOF_MS : 0,
    .is_one_of_many = config->ha || cds_places_shards(stream) > 1,
  };
  cds_connections_assign(stream, index, assignment);
  cds_stream_unlock(stream);
  struct cds_link *link;
  cds_stream_ref(stream); /* until release is called */
  enum cds_status status = cds_link_start(&link, &plan, err);
  if (status != CDS_OK) cds_stream_unref(stream);
  cds_free(feeds);
  cds_stream_lock(stream);
  cds_connections_put(stream, index, status == CDS_OK ? link : NULL);
  cds_stream_unlock(stream);
  return status;
}

/* ---- all of them ---- */

enum cds_status cds_fleet_complete_shard(struct cds_stream *stream, enum cds_role role, size_t shard,
                                         struct cds_error *err) {
  enum cds_status status = CDS_OK;
  for (size_t origin = 0; status == CDS_OK; origin++) {
    struct cds_assignment assignment = {.role = role, .shard = shard};
    cds_stream_lock(stream);
    const struct cds_origins *origins = cds_discovery_origins(stream);
    bool more = origin < origins->count && !cds_core_is_over(stream) &&
                cds_places_list(NULL, stream, shard, carried_by(role)) > 0;
    bool is_missing = more && !cds_connections_cover(stream, role, shard, origins, origin);
    if (is_missing) memcpy(assignment.origin, origins->names[origin], CDS_MAX_ORIGIN_TEXT);
    cds_stream_unlock(stream);
    if (!more) break;
    if (is_missing) status = start_link(stream, &assignment, cds_discovery_is_wanted(stream) ? 0 : origin, err);
  }
  return status;
}

enum cds_status cds_fleet_complete(struct cds_stream *stream, struct cds_error *err) {
  enum cds_status status = CDS_OK;
  cds_fleet_lock(stream);
  for (size_t shard = 0; status == CDS_OK && shard < CDS_MAX_CONNECTIONS; shard++)
    status = cds_fleet_complete_shard(stream, CDS_ROLE_SERVING, shard, err);
  cds_fleet_unlock(stream);
  return status;
}

enum cds_status cds_fleet_open(struct cds_stream *stream, struct cds_error *err) {
  const struct cds_stream_config *config = cds_core_config(stream);
  size_t feeds = cds_places_count(stream), origins = count_origins(stream);
  size_t shards = cds_places_shards_for(feeds, config->feeds_per_connection);
  enum cds_status status = cds_fleet_check(feeds, config->feeds_per_connection, origins, err);
  if (status != CDS_OK) return status;
  cds_places_spread(stream, shards);
  cds_discovery_limit(stream, CDS_MAX_CONNECTIONS / shards);
  if (cds_discovery_is_wanted(stream)) return cds_discovery_ask(stream, err);
  cds_discovery_skip(stream, origins);
  return cds_fleet_complete(stream, err);
}

void cds_fleet_wake(struct cds_stream *stream) {
  cds_fleet_lock(stream);
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    struct cds_link *link = cds_connections_link(stream, i);
    if (link != NULL) cds_link_wake(link);
  }
  cds_fleet_unlock(stream);
}

void cds_fleet_fail(struct cds_stream *stream, const struct cds_error *why) {
  cds_outlet_end(stream, why);
  cds_fleet_wake(stream);
}

/* Once start_mu was free after the stop, no link is added any more. It is not held while waiting: a link's last act may
 * need it. */
void cds_fleet_stop(struct cds_stream *stream) {
  int64_t until_ms = cds_clock_mono_ms() + STOP_WAIT_MS;
  cds_fleet_wake(stream);
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    struct cds_link *link = cds_connections_link(stream, i);
    if (link != NULL) cds_link_join(link, until_ms);
  }
}
