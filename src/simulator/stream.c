/* SPDX-License-Identifier: MIT
 * Sends reports when they are due. All feeds keep the same beat, so connections advance beat by beat, and each
 * report is made and framed once for all of them. Of a recording in its own time each report is a beat. */
#include "simulator/stream.h"

#include "base/clock.h"
#include "simulator/late.h"
#include "simulator/message.h"

#define SLICE_NS 20000000
#define MAX_LAG_SECONDS 10 /* after a longer pause a stream goes on with the present */

static bool is_timed(const struct cds_sim *sim) {
  return sim->source.timeline.count > 0;
}

/* One past the newest number that a connection should have been sent. */
static uint64_t due(const struct cds_sim *sim, const struct cds_sim_socket *socket, int64_t now_ms) {
  if (is_timed(sim)) return cds_sim_timeline_end(&sim->source.timeline, now_ms);
  if (!cds_sim_is_recorded(sim)) return cds_sim_end(&sim->source, 0, now_ms);
  if (now_ms < socket->started_ms) return 0;
  uint64_t beats = (uint64_t)(now_ms - socket->started_ms) * sim->source.rate / 1000 + 1, longest = 0;
  for (size_t i = 0; i < socket->feed_count; i++) {
    uint64_t count = sim->source.replay.feeds[socket->feeds[i]].count;
    if (count > longest) longest = count;
  }
  return beats < longest ? beats : longest;
}

void cds_sim_stream_open(struct cds_sim_socket *socket) {
  struct cds_sim *sim = socket->sim;
  socket->started_ms = cds_sim_now_ms(sim);
  bool begins = cds_sim_is_recorded(sim) && !is_timed(sim);
  socket->number = begins ? 0 : due(sim, socket, socket->started_ms);
  cds_sim_script_act(socket);
}

/* Is the connection to be sent a report of the feed in this beat? Its number is *number. */
static bool wants(uint64_t *number, const struct cds_sim_socket *socket, size_t feed) {
  const struct cds_sim_source *source = &socket->sim->source;
  *number = socket->number;
  if (socket->quiet) return false;
  if (is_timed(socket->sim)) {
    const struct cds_sim_moment *moment = cds_sim_timeline_at(&source->timeline, socket->number);
    *number = socket->number / source->timeline.count * source->replay.feeds[feed].count + moment->number;
    return moment->feed == feed;
  }
  if (cds_sim_is_recorded(socket->sim)) return socket->number < source->replay.feeds[feed].count;
  uint32_t second = (uint32_t)(socket->number / source->rate);
  if (second >= socket->script.skip_from && second <= socket->script.skip_to) return false;
  return cds_sim_exists(source, feed, socket->number);
}

/* One beat: a report of each of the connection's feeds that has one. */
static void send_beat(struct cds_sim_socket *socket) {
  struct cds_sim *sim = socket->sim;
  for (size_t i = 0; i < socket->feed_count && cds_sim_socket_may_send(socket) && cds_sim_script_act(socket); i++) {
    uint64_t number;
    if (!wants(&number, socket, socket->feeds[i])) continue;
    const struct cds_buf *frame = cds_sim_message(sim, socket->feeds[i], number, socket->protocol);
    if (frame) cds_sim_script_send(socket, frame);
  }
  socket->number++;
  if (cds_sim_socket_may_send(socket)) cds_sim_script_act(socket);
  if (!cds_sim_socket_may_send(socket) || cds_sim_conn_waiting(socket->conn) <= CDS_SIM_MAX_BACKLOG) return;
  sim->stats.slow_closed++;
  cds_sim_socket_close(socket, 1013, "too slow");
}

/* A process that was stopped, or cannot sign fast enough, does not send the past for ever. */
static void skip_lag(struct cds_sim_socket *socket, uint64_t end) {
  uint64_t most = (uint64_t)MAX_LAG_SECONDS * socket->sim->source.rate;
  if (cds_sim_is_recorded(socket->sim) || end < socket->number + most) return;
  socket->sim->stats.skipped += (end - socket->number) * socket->feed_count;
  socket->number = end;
}

/* The smallest number that some connection still has to be sent; false when all are up to date. */
static bool next_beat(const struct cds_sim *sim, int64_t now_ms, uint64_t *number) {
  bool found = false;
  for (struct cds_sim_socket *socket = sim->sockets; socket; socket = socket->next) {
    if (!cds_sim_socket_may_send(socket)) continue;
    uint64_t end = due(sim, socket, now_ms);
    skip_lag(socket, end);
    if (socket->number >= end || (found && socket->number >= *number)) continue;
    *number = socket->number;
    found = true;
  }
  return found;
}

void cds_sim_stream(struct cds_sim *sim) {
  uint64_t number = 0;
  int64_t now_ms = cds_sim_now_ms(sim), until = cds_clock_mono_ns() + SLICE_NS;
  while (next_beat(sim, now_ms, &number) && cds_clock_mono_ns() < until)
    for (struct cds_sim_socket *socket = sim->sockets; socket; socket = socket->next)
      if (cds_sim_socket_may_send(socket) && socket->number == number && number < due(sim, socket, now_ms))
        send_beat(socket);
}

/* When the connection's next beat is due, by the service's clock. */
static int64_t next_ms(const struct cds_sim *sim, const struct cds_sim_socket *socket) {
  if (is_timed(sim)) return cds_sim_timeline_due(&sim->source.timeline, socket->number);
  int64_t base = cds_sim_is_recorded(sim) ? socket->started_ms : 0, rate = (int64_t)sim->source.rate;
  return base + ((int64_t)socket->number * 1000 + rate - 1) / rate;
}

int64_t cds_sim_stream_wait(const struct cds_sim *sim) {
  int64_t mono_ms = cds_clock_mono_ms(), now_ms = cds_sim_now_ms(sim), wait = 100;
  for (const struct cds_sim_socket *socket = sim->sockets; socket; socket = socket->next) {
    if (!cds_sim_socket_may_send(socket)) continue;
    int64_t left = next_ms(sim, socket) - now_ms;
    if (left < wait) wait = left;
    int64_t late = cds_sim_late_wait(socket, mono_ms);
    if (late < wait) wait = late;
  }
  return wait < 0 ? 0 : wait;
}
