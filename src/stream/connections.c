/* SPDX-License-Identifier: MIT
 * The table of connections, counted and read back as statistics. */
#include "stream/connections.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "stream/parts.h"

/* ---- places for links ---- */

size_t cds_connections_vacate(struct cds_stream *stream, struct cds_link **left) {
  *left = NULL;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    struct cds_connection *at = &stream->connections.of[i];
    if (at->link == NULL) return i;
    if (at->role != CDS_ROLE_LEAVING || !cds_link_has_exited(at->link)) continue;
    *left = at->link;
    *at = (struct cds_connection){0};
    return i;
  }
  return CDS_NO_LINK;
}

void cds_connections_assign(struct cds_stream *stream, size_t index, const struct cds_assignment *assignment) {
  struct cds_connection *at = &stream->connections.of[index];
  *at = (struct cds_connection){.role = assignment->role, .shard = assignment->shard};
  memcpy(at->stats.origin, assignment->origin, CDS_MAX_ORIGIN_TEXT);
}

void cds_connections_put(struct cds_stream *stream, size_t index, struct cds_link *link) {
  stream->connections.of[index].link = link;
  if (link == NULL) stream->connections.of[index].role = CDS_ROLE_FREE;
}

struct cds_link *cds_connections_link(const struct cds_stream *stream, size_t index) {
  return stream->connections.of[index].link;
}

/* ---- one connection ---- */

enum cds_role cds_connections_role(const struct cds_stream *stream, size_t index) {
  return stream->connections.of[index].role;
}

size_t cds_connections_shard(const struct cds_stream *stream, size_t index) {
  return stream->connections.of[index].shard;
}

int64_t cds_connections_connected_at_ms(const struct cds_stream *stream, size_t index) {
  return stream->connections.of[index].connected_at_ms;
}

bool cds_connections_is_connected(const struct cds_stream *stream, size_t index, enum cds_role role, size_t shard) {
  const struct cds_connection *at = &stream->connections.of[index];
  return at->role == role && at->shard == shard && at->stats.state == CDS_LINK_CONNECTED;
}

bool cds_connections_has_brought(const struct cds_stream *stream, size_t index) {
  return stream->connections.of[index].stats.messages_received > 0;
}

bool cds_connections_has_proved(const struct cds_stream *stream, size_t index) {
  return stream->connections.of[index].has_proved;
}

const char *cds_connections_host(const struct cds_stream *stream, size_t index) {
  return stream->connections.of[index].stats.host;
}

const char *cds_connections_origin(const struct cds_stream *stream, size_t index) {
  return stream->connections.of[index].stats.origin;
}

int64_t cds_connections_wall_ahead_ms(const struct cds_stream *stream, size_t index) {
  return stream->connections.of[index].wall_ahead_ms;
}

void cds_connections_count_message(struct cds_stream *stream, size_t index, size_t length) {
  struct cds_link_stats *stats = &stream->connections.of[index].stats;
  stats->messages_received++;
  stats->bytes_received += length;
  stats->last_message_time = cds_clock_wall_ms();
}

void cds_connections_count_error(struct cds_stream *stream, size_t index) {
  stream->connections.of[index].stats.errors_count++;
}

static bool is_up(const struct cds_connection *connection) {
  return connection->role == CDS_ROLE_SERVING && connection->stats.state == CDS_LINK_CONNECTED;
}

/* As the official SDKs count: a reconnect while another connection for the same feeds is up is partial, else it is
 * full. */
static void count_connected(struct cds_connections *connections, size_t index) {
  struct cds_connection *connection = &connections->of[index];
  if (connection->connected_at_ms != 0 && connection->role == CDS_ROLE_SERVING) {
    bool other_is_up = false;
    for (size_t i = 0; i < CDS_MAX_LINKS; i++)
      other_is_up =
        other_is_up || (i != index && connections->of[i].shard == connection->shard && is_up(&connections->of[i]));
    if (other_is_up) connections->partial_reconnects++;
    else connections->full_reconnects++;
    connection->stats.reconnect_count++;
  }
  connection->has_proved = false;
  connection->connected_at_ms = cds_clock_mono_ms();
  connection->wall_ahead_ms = cds_clock_wall_ms() - connection->connected_at_ms;
}

void cds_connections_set_state(struct cds_stream *stream, size_t index, enum cds_link_state state) {
  struct cds_link_stats *stats = &stream->connections.of[index].stats;
  if (state == CDS_LINK_CONNECTED) count_connected(&stream->connections, index);
  if (state == CDS_LINK_RECONNECTING || state == CDS_LINK_FAILED) stats->errors_count++;
  stats->state = state;
}

void cds_connections_set_proved(struct cds_stream *stream, size_t index) {
  stream->connections.of[index].has_proved = true;
}

void cds_connections_set_gone(struct cds_stream *stream, size_t index) {
  struct cds_link_stats *stats = &stream->connections.of[index].stats;
  if (stats->state != CDS_LINK_FAILED) stats->state = CDS_LINK_DISCONNECTED;
}

void cds_connections_set_host(struct cds_stream *stream, size_t index, const struct cds_url *url) {
  struct cds_link_stats *stats = &stream->connections.of[index].stats;
  bool ipv6 = strchr(url->host, ':') != NULL;
  snprintf(stats->host, sizeof stats->host, "%s%.240s%s:%u", ipv6 ? "[" : "", url->host, ipv6 ? "]" : "", url->port);
}

static bool other_serves(const struct cds_connections *connections, size_t index, const char *origin) {
  const struct cds_connection *own = &connections->of[index];
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    const struct cds_connection *at = &connections->of[i];
    if (i != index && at->role == own->role && at->shard == own->shard && strcmp(at->stats.origin, origin) == 0)
      return true;
  }
  return false;
}

void cds_connections_choose_origin(struct cds_stream *stream, size_t index, const struct cds_origins *origins) {
  char *own = stream->connections.of[index].stats.origin;
  for (size_t i = 0; i < origins->count; i++) {
    const char *name = origins->names[i];
    if (name[0] == 0 || strcmp(name, own) == 0 || other_serves(&stream->connections, index, name)) continue;
    memcpy(own, name, CDS_MAX_ORIGIN_TEXT);
    return;
  }
}

/* ---- several ---- */

bool cds_connections_cover(const struct cds_stream *stream, enum cds_role role, size_t shard,
                           const struct cds_origins *origins, size_t origin) {
  size_t links = 0;
  const char *name = origins->names[origin];
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    const struct cds_connection *at = &stream->connections.of[i];
    if (at->role != role || at->shard != shard) continue;
    links++;
    if (name[0] != 0 && strcmp(at->stats.origin, name) == 0) return true;
  }
  return name[0] == 0 ? links > origin : links >= origins->count;
}

uint64_t cds_connections_serving(const struct cds_stream *stream, size_t shard) {
  uint64_t links = 0;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (stream->connections.of[i].role == CDS_ROLE_SERVING && stream->connections.of[i].shard == shard)
      links |= (uint64_t)1 << i;
  return links;
}

bool cds_connections_has_hope(const struct cds_stream *stream, size_t shard) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    const struct cds_connection *at = &stream->connections.of[i];
    if (at->role == CDS_ROLE_SERVING && at->shard == shard && at->stats.state != CDS_LINK_FAILED) return true;
  }
  return false;
}

void cds_connections_list_up(const struct cds_stream *stream, bool up[CDS_MAX_CONNECTIONS]) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (is_up(&stream->connections.of[i])) up[stream->connections.of[i].shard] = true;
}

void cds_connections_close(struct cds_stream *stream) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) stream->connections.of[i].stats.state = CDS_LINK_DISCONNECTED;
}

/* ---- handing over ---- */

/* Statistics go on for the same origin. */
static void count_on(struct cds_link_stats *stats, const struct cds_link_stats *before) {
  stats->messages_received += before->messages_received;
  stats->bytes_received += before->bytes_received;
  stats->errors_count += before->errors_count;
  stats->reconnect_count += before->reconnect_count;
  if (before->last_message_time > stats->last_message_time) stats->last_message_time = before->last_message_time;
}

/* The old connection is told to leave; the trial of its shard, origin and host counts its messages on. */
static void replace(struct cds_connections *connections, struct cds_connection *old) {
  old->role = CDS_ROLE_LEAVING;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    struct cds_connection *at = &connections->of[i];
    if (at->role != CDS_ROLE_TRIAL || at->shard != old->shard || strcmp(at->stats.origin, old->stats.origin) != 0 ||
        strcmp(at->stats.host, old->stats.host) != 0)
      continue;
    count_on(&at->stats, &old->stats);
    return;
  }
}

static void end_trial(struct cds_connections *connections, enum cds_role role) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (connections->of[i].role == CDS_ROLE_TRIAL) connections->of[i].role = role;
}

void cds_connections_take_over(struct cds_stream *stream, const bool shards[CDS_MAX_CONNECTIONS]) {
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    struct cds_connection *at = &stream->connections.of[i];
    if (at->role == CDS_ROLE_SERVING && shards[at->shard]) replace(&stream->connections, at);
  }
  end_trial(&stream->connections, CDS_ROLE_SERVING);
}

void cds_connections_end_trial(struct cds_stream *stream) {
  end_trial(&stream->connections, CDS_ROLE_LEAVING);
}

/* ---- statistics ---- */

static void add_link(struct cds_stream_stats *out, const struct cds_connection *connection, int64_t now_ms) {
  struct cds_link_stats *stats = &out->links[out->link_count++];
  *stats = connection->stats;
  stats->ping_latency_ms = connection->link != NULL ? cds_link_latency_ms(connection->link) : -1;
  if (!is_up(connection)) return;
  stats->connection_uptime = (double)(now_ms - connection->connected_at_ms) / 1000;
  out->active_connections++;
}

void cds_connections_stats(struct cds_stream_stats *out, const struct cds_stream *stream) {
  const struct cds_connections *connections = &stream->connections;
  int64_t now_ms = cds_clock_mono_ms();
  out->partial_reconnects = connections->partial_reconnects;
  out->full_reconnects = connections->full_reconnects;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++)
    if (connections->of[i].role == CDS_ROLE_SERVING) add_link(out, &connections->of[i], now_ms);
  out->configured_connections = out->link_count;
}
