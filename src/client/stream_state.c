/* SPDX-License-Identifier: MIT
 * The connections' states: counted, announced as events, read back as statistics. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/link.h"
#include "client/stream_internal.h"

bool cds_stream_is_stopping(struct cds_stream *stream) {
  pthread_mutex_lock(&stream->mu);
  bool stopping = stream->stopping;
  pthread_mutex_unlock(&stream->mu);
  return stopping;
}

bool cds_stream_is_paused(struct cds_stream *stream) {
  return atomic_load(&stream->paused);
}

void cds_stream_link_host(struct cds_stream *stream, size_t link, const struct cds_url *url) {
  struct cds_link_stats *stats = &stream->counts.links[link];
  bool ipv6 = strchr(url->host, ':') != NULL;
  pthread_mutex_lock(&stream->mu);
  snprintf(stats->host, sizeof stats->host, "%s%.240s%s:%u", ipv6 ? "[" : "", url->host, ipv6 ? "]" : "", url->port);
  pthread_mutex_unlock(&stream->mu);
}

/* mu is held. As the official SDKs count: a reconnect while another connection is up is partial, else it is full. */
static void count_connected(struct cds_stream *stream, size_t link) {
  struct cds_stream_stats *counts = &stream->counts;
  bool again = stream->connected_at_ms[link] != 0;
  if (again && counts->active_connections > 0) counts->partial_reconnects++;
  else if (again) counts->full_reconnects++;
  if (again) counts->links[link].reconnect_count++;
  counts->active_connections++;
  stream->connected_at_ms[link] = cds_clock_mono_ms();
}

/* mu is held. */
static void count_state(struct cds_stream *stream, size_t link, enum cds_link_state state) {
  struct cds_link_stats *stats = &stream->counts.links[link];
  bool was_connected = stats->state == CDS_LINK_CONNECTED;
  if (was_connected && state != CDS_LINK_CONNECTED) stream->counts.active_connections--;
  if (state == CDS_LINK_CONNECTED) count_connected(stream, link);
  if (state == CDS_LINK_RECONNECTING || state == CDS_LINK_FAILED) stats->errors_count++;
  stats->state = state;
}

void cds_stream_link_state(struct cds_stream *stream, size_t link, enum cds_link_state state,
                           const struct cds_error *why, unsigned attempt, double delay) {
  struct cds_event *event = cds_event_new(CDS_EVENT_STATUS);
  pthread_mutex_lock(&stream->mu);
  count_state(stream, link, state);
  if (event != NULL) {
    const struct cds_link_stats *stats = &stream->counts.links[link];
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
  pthread_mutex_unlock(&stream->mu);
}

void cds_stream_stats(struct cds_stream_stats *out, struct cds_stream *stream) {
  *out = (struct cds_stream_stats){0};
  if (cds_client_is_foreign(stream->client)) return;
  int64_t now = cds_clock_mono_ms();
  pthread_mutex_lock(&stream->mu);
  *out = stream->counts;
  out->dropped = stream->queue.dropped;
  out->queue_length = stream->queue.length;
  if (out->latency_count > 0) out->latency_mean_ms = stream->latency_sum_ms / (double)out->latency_count;
  for (size_t i = 0; i < stream->link_count; i++) {
    out->links[i].ping_latency_ms = cds_link_latency_ms(stream->links[i]);
    if (out->links[i].state == CDS_LINK_CONNECTED)
      out->links[i].connection_uptime = (double)(now - stream->connected_at_ms[i]) / 1000;
  }
  pthread_mutex_unlock(&stream->mu);
}
