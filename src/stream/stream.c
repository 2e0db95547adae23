/* SPDX-License-Identifier: MIT
 * A stream's life: its parts put together; open, take, close, free. */
#include "stream/stream.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "stream/link_owner.h"
#include "stream/parts.h"

/* ---- what goes up: from a part to those above it ---- */

static void on_drained(struct cds_stream *stream) {
  cds_fleet_wake(stream);
  cds_backfill_kick(stream);
}

static void on_origins(struct cds_stream *stream) {
  struct cds_error err = {0};
  if (cds_fleet_complete(stream, &err) != CDS_OK) cds_fleet_fail(stream, &err);
}

/* ---- open ---- */

/* Held reports are bounded by the queue's size too, but not so far that a reconnect of many feeds finds no room. */
static struct cds_sequence_limits limits_of(const struct cds_stream_config *config) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  size_t by_queue = config->queue_size * 4 > 1024 ? config->queue_size * 4 : 1024;
  if (by_queue < limits.max_held) limits.max_held = by_queue;
  limits.max_held_bytes = config->queue_bytes / 4;
  limits.backfill = config->backfill;
  limits.order = config->order;
  return limits;
}

/* Makes everything but the locks; what has been made is undone by destroy. */
static enum cds_status fill(struct cds_stream *stream, const struct cds_feed_id *feeds, size_t feed_count,
                            struct cds_error *err) {
  const struct cds_stream_config *config = cds_core_config(stream);
  struct cds_sequence_limits limits = limits_of(config);
  if (!cds_places_init(stream, feeds, feed_count) || !cds_dispatch_init(stream, cds_places_count(stream), &limits))
    return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  for (size_t slot = 0; slot < cds_places_count(stream); slot++) cds_dispatch_measure(stream, slot);
  return cds_outlet_init(stream, cds_places_count(stream), config->queue_bytes - limits.max_held_bytes, on_drained,
                         err);
}

static void destroy(struct cds_stream *stream) {
  cds_fleet_clear(stream);
  cds_outlet_clear(stream);
  cds_dispatch_clear(stream);
  cds_places_clear(stream);
  cds_core_clear(stream);
  cds_free(stream);
}

static struct cds_stream *allocate(struct cds_client *client, const struct cds_stream_config *config) {
  struct cds_stream *stream = cds_calloc(1, sizeof *stream);
  if (stream == NULL) return NULL;
  bool has_core = cds_core_init(stream, client, config, destroy);
  if (!has_core || !cds_fleet_init(stream, &cds_link_owner)) {
    if (has_core) cds_core_clear(stream);
    cds_free(stream);
    return NULL;
  }
  atomic_init(&stream->life.is_closed, false);
  cds_outlet_be_closed(stream);
  cds_discovery_init(stream, on_origins);
  cds_backfill_init(stream);
  return stream;
}

/* No other thread knows the stream yet. */
static void begin_at_start(struct cds_stream *stream) {
  int64_t now_ms = cds_clock_mono_ms();
  for (size_t slot = 0; cds_core_config(stream)->has_start && slot < cds_places_count(stream); slot++)
    cds_dispatch_start(stream, slot, cds_core_config(stream)->start, now_ms);
}

enum cds_status cds_stream_open(struct cds_stream **out, struct cds_client *client, const struct cds_feed_id *feeds,
                                size_t feed_count, const struct cds_stream_config *config, struct cds_error *err) {
  *out = NULL;
  enum cds_status status = cds_client_check(client, err);
  if (status != CDS_OK) return status;
  if (feed_count == 0 || feed_count > CDS_MAX_FEEDS)
    return cds_error_set(err, CDS_E_CONFIG, "a stream needs 1 to %d feed ids, got %zu", CDS_MAX_FEEDS, feed_count);
  if (config->has_start && !config->backfill)
    return cds_error_set(err, CDS_E_CONFIG, "start: a stream that begins in the past needs backfill");
  struct cds_stream *stream = allocate(client, config);
  if (stream == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  status = fill(stream, feeds, feed_count, err);
  if (status == CDS_OK) status = cds_client_add_stream(client, &stream->life.hook, stream, err);
  if (status == CDS_OK) begin_at_start(stream);
  if (status == CDS_OK) status = cds_fleet_open(stream, err);
  if (status != CDS_OK) {
    cds_stream_free(stream);
    return status;
  }
  cds_backfill_kick(stream);
  *out = stream;
  return CDS_OK;
}

/* ---- what the script takes ---- */

int cds_stream_fd(struct cds_stream *stream) {
  return cds_outlet_fd(stream);
}

enum cds_status cds_stream_share_fd(int *fd, struct cds_stream *stream, struct cds_error *err) {
  enum cds_status status = cds_client_check(cds_core_client(stream), err);
  return status == CDS_OK ? cds_outlet_share_fd(fd, stream, err) : status;
}

enum cds_pop cds_stream_pop(struct cds_report **report, struct cds_stream *stream, struct cds_error *err) {
  *report = NULL;
  if (!cds_client_is_foreign(cds_core_client(stream))) return cds_outlet_pop(report, stream, err);
  (void)!cds_client_check(cds_core_client(stream), err);
  return CDS_POP_END;
}

struct cds_event *cds_stream_take_event(struct cds_stream *stream) {
  return cds_client_is_foreign(cds_core_client(stream)) ? NULL : cds_outlet_take_event(stream);
}

struct cds_report *cds_stream_latest(struct cds_stream *stream, const struct cds_feed_id *feed) {
  struct cds_report *report = NULL;
  if (cds_client_is_foreign(cds_core_client(stream))) return NULL;
  cds_stream_lock(stream);
  size_t slot = cds_places_find(stream, feed);
  if (slot != CDS_NO_SLOT) report = cds_dispatch_share_latest(stream, slot);
  cds_stream_unlock(stream);
  return report;
}

bool cds_stream_is_subscribed(struct cds_stream *stream) {
  bool up[CDS_MAX_CONNECTIONS] = {false};
  if (cds_client_is_foreign(cds_core_client(stream))) return false;
  cds_stream_lock(stream);
  cds_connections_list_up(stream, up);
  bool subscribed = !cds_core_is_ended(stream) && cds_places_all_served(stream, up);
  cds_stream_unlock(stream);
  return subscribed;
}

void cds_stream_stats(struct cds_stream_stats *out, struct cds_stream *stream) {
  *out = (struct cds_stream_stats){0};
  if (cds_client_is_foreign(cds_core_client(stream))) return;
  cds_stream_lock(stream);
  cds_intake_stats(out, stream);
  cds_screen_stats(out, stream);
  cds_dispatch_stats(out, stream);
  cds_outlet_stats(out, stream);
  cds_connections_stats(out, stream);
  out->feeds = cds_places_wanted(stream);
  if (out->configured_connections == 0) out->configured_connections = cds_places_shards(stream);
  cds_stream_unlock(stream);
}

/* ---- the end ---- */

void cds_stream_close(struct cds_stream *stream) {
  struct cds_client *client = cds_core_client(stream);
  if (atomic_exchange(&stream->life.is_closed, true) || cds_client_is_foreign(client)) return;
  cds_client_remove_stream(client, &stream->life.hook);
  cds_stream_lock(stream);
  cds_core_stop(stream);
  cds_stream_unlock(stream);
  cds_discovery_cancel(stream);
  cds_backfill_cancel(stream);
  cds_fleet_stop(stream);
  cds_stream_lock(stream);
  cds_connections_close(stream);
  cds_stream_unlock(stream);
  cds_outlet_discard(stream);
}

bool cds_stream_is_closed(const struct cds_stream *stream) {
  return atomic_load(&stream->life.is_closed);
}

/* In a forked child the memory is left alone, as threads that do not exist there may have left it half changed. */
void cds_stream_free(struct cds_stream *stream) {
  if (stream == NULL) return;
  cds_stream_close(stream);
  if (cds_client_is_foreign(cds_core_client(stream))) cds_outlet_close_fd(stream);
  else cds_stream_unref(stream);
}
