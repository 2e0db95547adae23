/* SPDX-License-Identifier: MIT
 * The connections' states: counted, announced as events, read back as statistics. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "stream/fleet.h"
#include "stream/stream_internal.h"

#define STAYS_AWAY 5 /* consecutive failures after which another origin may be asked for */

/* ---- telling ---- */

void cds_stream_emit(struct cds_stream *stream, struct cds_event *event) {
  if (event == NULL) return;
  pthread_mutex_lock(&stream->mu);
  cds_event_push(&stream->events, event);
  cds_stream_settle(stream);
  pthread_mutex_unlock(&stream->mu);
}

void cds_stream_log(struct cds_stream *stream, enum cds_log_level level, const char *format, ...) {
  char line[384];
  va_list arguments;
  if (level < stream->config.log_level) return;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  cds_stream_emit(stream, cds_event_log(level, "%s", line));
}

/* ---- what a link asks ---- */

bool cds_stream_link_is_over(void *context, size_t link) {
  struct cds_stream *stream = context;
  pthread_mutex_lock(&stream->mu);
  bool over = stream->stopping || stream->ended || stream->connections[link].role == CDS_ROLE_LEAVING;
  pthread_mutex_unlock(&stream->mu);
  return over;
}

bool cds_stream_is_paused(void *context) {
  struct cds_stream *stream = context;
  return atomic_load(&stream->paused);
}

enum cds_status cds_stream_link_sign(void *context, struct cds_auth *auth, const char *target, struct cds_error *err) {
  struct cds_stream *stream = context;
  const struct cds_config *config = &stream->client->config;
  enum cds_status status = cds_error_set(err, CDS_E_CLOSED, "the stream is closed");
  pthread_mutex_lock(&stream->mu);
  if (!stream->stopping)
    status = cds_auth_sign(auth, "GET", target, config->api_key, config->api_secret, cds_clock_wall_ms(), err);
  pthread_mutex_unlock(&stream->mu);
  return status;
}

/* mu is held. */
static bool other_serves(const struct cds_stream *stream, size_t link, const char *origin) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    const struct cds_connection *at = &stream->connections[i];
    if (i != link && at->role == stream->connections[link].role && at->shard == stream->connections[link].shard &&
        strcmp(at->stats.origin, origin) == 0)
      return true;
  }
  return false;
}

/* mu is held. */
static void choose_origin(struct cds_stream *stream, size_t link) {
  const struct cds_origins *origins = &stream->discovery.origins;
  char *own = stream->connections[link].stats.origin;
  for (size_t i = 0; i < origins->count; i++) {
    const char *name = origins->names[i];
    if (name[0] == 0 || strcmp(name, own) == 0 || other_serves(stream, link, name)) continue;
    memcpy(own, name, CDS_MAX_ORIGIN_TEXT);
    return;
  }
}

void cds_stream_link_origin(void *context, size_t link, unsigned failures, char out[CDS_MAX_ORIGIN_TEXT]) {
  struct cds_stream *stream = context;
  struct cds_error ignored;
  bool stays_away = failures >= STAYS_AWAY;
  pthread_mutex_lock(&stream->mu);
  if (stays_away) choose_origin(stream, link);
  memcpy(out, stream->connections[link].stats.origin, CDS_MAX_ORIGIN_TEXT);
  pthread_mutex_unlock(&stream->mu);
  if (stays_away) (void)!cds_discovery_ask(stream, &ignored); /* if not now, then before the next attempt */
}

/* ---- what a link tells ---- */

void cds_stream_link_host(void *context, size_t link, const struct cds_url *url) {
  struct cds_stream *stream = context;
  struct cds_link_stats *stats = &stream->connections[link].stats;
  bool ipv6 = strchr(url->host, ':') != NULL;
  pthread_mutex_lock(&stream->mu);
  snprintf(stats->host, sizeof stats->host, "%s%.240s%s:%u", ipv6 ? "[" : "", url->host, ipv6 ? "]" : "", url->port);
  pthread_mutex_unlock(&stream->mu);
}

static bool is_up(const struct cds_connection *connection) {
  return connection->role == CDS_ROLE_SERVING && connection->stats.state == CDS_LINK_CONNECTED;
}

/* mu is held: is there a connection for every feed? */
static bool all_are_served(const struct cds_stream *stream) {
  bool up[CDS_MAX_CONNECTIONS] = {false};
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (is_up(&stream->connections[i])) up[stream->connections[i].shard] = true;
  for (size_t slot = 0; slot < stream->feeds.count; slot++) {
    const struct cds_place *place = &stream->places[slot];
    if (place->is_wanted && (!place->is_served || !up[place->shard])) return false;
  }
  return true;
}

bool cds_stream_is_subscribed(struct cds_stream *stream) {
  if (cds_client_is_foreign(stream->client)) return false;
  pthread_mutex_lock(&stream->mu);
  bool subscribed = !stream->ended && all_are_served(stream);
  pthread_mutex_unlock(&stream->mu);
  return subscribed;
}

/* mu is held. As the official SDKs count: a reconnect while another connection for the same feeds is up is partial,
 * else it is full. */
static void count_connected(struct cds_stream *stream, size_t link) {
  struct cds_connection *connection = &stream->connections[link];
  if (connection->connected_at_ms != 0 && connection->role == CDS_ROLE_SERVING) {
    bool other_is_up = false;
    for (size_t i = 0; i < CDS_MAX_LINKS; i++)
      other_is_up = other_is_up ||
                    (i != link && stream->connections[i].shard == connection->shard && is_up(&stream->connections[i]));
    if (other_is_up) stream->counts.partial_reconnects++;
    else stream->counts.full_reconnects++;
    connection->stats.reconnect_count++;
  }
  connection->connected_at_ms = cds_clock_mono_ms();
  connection->wall_ahead_ms = cds_clock_wall_ms() - connection->connected_at_ms;
}

/* mu is held. */
static void tell_sequence(struct cds_stream *stream, size_t link) {
  const struct cds_connection *connection = &stream->connections[link];
  for (size_t slot = 0; slot < stream->feeds.count; slot++)
    if (stream->places[slot].is_wanted && stream->places[slot].shard == connection->shard)
      cds_sequence_link_up(&stream->sequence, slot, connection->connected_at_ms);
}

/* mu is held. */
static void count_state(struct cds_stream *stream, size_t link, enum cds_link_state state) {
  struct cds_link_stats *stats = &stream->connections[link].stats;
  if (state == CDS_LINK_DISCONNECTED) cds_sequence_link_down(&stream->sequence, (unsigned)link, cds_clock_mono_ms());
  if (state == CDS_LINK_CONNECTED) {
    count_connected(stream, link);
    tell_sequence(stream, link);
  }
  if (state == CDS_LINK_RECONNECTING || state == CDS_LINK_FAILED) stats->errors_count++;
  stats->state = state;
}

void cds_stream_link_state(void *context, size_t link, enum cds_link_state state, const struct cds_error *why,
                           unsigned attempt, double delay) {
  struct cds_stream *stream = context;
  struct cds_event *event = cds_event_new(CDS_EVENT_STATUS);
  pthread_mutex_lock(&stream->mu);
  count_state(stream, link, state);
  if (event != NULL) {
    const struct cds_link_stats *stats = &stream->connections[link].stats;
    event->state = state;
    event->attempt = (int)attempt;
    event->delay = delay;
    event->level = state == CDS_LINK_FAILED ? CDS_LOG_ERROR : why != NULL ? CDS_LOG_WARN : CDS_LOG_INFO;
    snprintf(event->message, sizeof event->message, "%s", why != NULL ? why->message : "");
    snprintf(event->origin, sizeof event->origin, "%s", stats->origin);
    snprintf(event->host, sizeof event->host, "%s", stats->host);
    cds_event_push(&stream->events, event);
    cds_stream_settle(stream);
  }
  bool is_changing = stream->change.is_under_way;
  pthread_mutex_unlock(&stream->mu);
  if (is_changing) cds_change_look(stream);
  cds_backfill_kick(stream);
}

/* mu is held: is there a connection for the shard that has not failed? */
static bool has_hope(const struct cds_stream *stream, size_t shard) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    const struct cds_connection *at = &stream->connections[i];
    if (at->role == CDS_ROLE_SERVING && at->shard == shard && at->stats.state != CDS_LINK_FAILED) return true;
  }
  return false;
}

void cds_stream_link_failed(void *context, size_t link, const struct cds_error *err, bool final) {
  struct cds_stream *stream = context;
  pthread_mutex_lock(&stream->mu);
  enum cds_role role = stream->connections[link].role;
  bool goes_on = role != CDS_ROLE_SERVING || (!final && has_hope(stream, stream->connections[link].shard));
  pthread_mutex_unlock(&stream->mu);
  if (role == CDS_ROLE_TRIAL) cds_change_fail(stream, err);
  if (!goes_on) cds_stream_fail(stream, err);
}

void cds_stream_link_alarm(void *context, const char *text) {
  cds_stream_log(context, CDS_LOG_ERROR, "%s; this is tried again, after the longest delay", text);
}

void cds_stream_link_gone(void *context, size_t link) {
  struct cds_stream *stream = context;
  struct cds_connection *connection = &stream->connections[link];
  pthread_mutex_lock(&stream->mu);
  if (connection->stats.state != CDS_LINK_FAILED) connection->stats.state = CDS_LINK_DISCONNECTED;
  cds_sequence_link_down(&stream->sequence, (unsigned)link, cds_clock_mono_ms());
  pthread_mutex_unlock(&stream->mu);
}

/* ---- statistics ---- */

/* mu is held. */
static void add_link(struct cds_stream_stats *out, const struct cds_connection *connection, int64_t now) {
  struct cds_link_stats *stats = &out->links[out->link_count++];
  *stats = connection->stats;
  stats->ping_latency_ms = connection->link != NULL ? cds_link_latency_ms(connection->link) : -1;
  if (!is_up(connection)) return;
  stats->connection_uptime = (double)(now - connection->connected_at_ms) / 1000;
  out->active_connections++;
}

void cds_stream_stats(struct cds_stream_stats *out, struct cds_stream *stream) {
  *out = (struct cds_stream_stats){0};
  if (cds_client_is_foreign(stream->client)) return;
  int64_t now = cds_clock_mono_ms();
  pthread_mutex_lock(&stream->mu);
  *out = stream->counts;
  out->dropped = stream->queue.dropped;
  out->queue_length = stream->queue.length;
  out->gaps = stream->sequence.counts.gaps;
  out->empty_gaps = stream->sequence.counts.empty_gaps;
  out->backfilled = stream->sequence.counts.backfilled;
  out->lost = stream->sequence.counts.lost.ranges;
  out->lost_seconds = stream->sequence.counts.lost.times;
  if (out->latency_count > 0) out->latency_mean_ms = stream->latency_sum_ms / (double)out->latency_count;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (stream->connections[i].role == CDS_ROLE_SERVING) add_link(out, &stream->connections[i], now);
  for (size_t slot = 0; slot < stream->feeds.count; slot++) out->feeds += stream->places[slot].is_wanted;
  out->configured_connections = out->link_count > 0 ? out->link_count : stream->shard_count;
  pthread_mutex_unlock(&stream->mu);
}
