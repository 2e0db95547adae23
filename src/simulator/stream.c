/* SPDX-License-Identifier: MIT
 * Sends reports when they are due. All feeds keep the same beat, so connections advance beat by beat, and each
 * report is made and framed once for all of them. */
#include "simulator/service.h"

#include "base/clock.h"

#define SLICE_NS 20000000
#define MAX_LAG_SECONDS 10 /* after a longer pause a stream goes on with the present */

static bool recorded(const struct cds_sim *sim) {
  return sim->source.replay.record_count > 0;
}

/* One past the newest number that a connection should have been sent. */
static uint64_t due(const struct cds_sim *sim, const struct cds_sim_conn *conn, int64_t now_ms) {
  if (!recorded(sim)) return cds_sim_end(&sim->source, 0, now_ms);
  if (now_ms < conn->started_ms) return 0;
  uint64_t beats = (uint64_t)(now_ms - conn->started_ms) * sim->source.rate / 1000 + 1, longest = 0;
  for (size_t i = 0; i < conn->feed_count; i++) {
    uint64_t count = sim->source.replay.feeds[conn->feeds[i]].count;
    if (count > longest) longest = count;
  }
  return beats < longest ? beats : longest;
}

static void get(struct cds_sim_report *out, struct cds_sim *sim, size_t feed, uint64_t number) {
  if (!recorded(sim)) {
    cds_sim_get(out, &sim->source, feed, number);
    return;
  }
  const struct cds_sim_record *record = &sim->source.replay.records[sim->source.replay.feeds[feed].by_file[number]];
  *out = (struct cds_sim_report){&sim->source.feeds.list[feed], record->valid_from, record->observed, record->full,
                                 record->length};
}

bool cds_sim_make_message(struct cds_buf *out, struct cds_sim *sim, size_t feed, uint64_t number) {
  struct cds_sim_report report;
  struct cds_buf body;
  bool good = true;
  get(&report, sim, feed, number);
  cds_buf_init(&body, 4u << 20);
  enum cds_status status = cds_buf_append(&body, "{\"report\":", 10);
  if (status == CDS_OK) status = cds_sim_report_json(&body, sim, &report);
  if (status == CDS_OK) status = cds_buf_append(&body, "}", 1);
  cds_buf_reset(out);
  if (status == CDS_OK) cds_sim_frame(out, CDS_SIM_FINAL | CDS_SIM_BINARY, body.data, body.length, &good);
  cds_buf_clear(&body);
  return good && status == CDS_OK;
}

/* NULL without memory. */
static const struct cds_buf *frame_of(struct cds_sim *sim, size_t feed, uint64_t number) {
  struct cds_sim_slot *slot = &sim->slots[feed];
  if (slot->used && slot->number == number) return &slot->frame;
  slot->used = cds_sim_make_message(&slot->frame, sim, feed, number);
  slot->number = number;
  return slot->used ? &slot->frame : NULL;
}

bool cds_sim_may_send(const struct cds_sim_conn *conn) {
  return conn->state == CDS_SIM_SOCKET && !conn->finish && !conn->frozen;
}

void cds_sim_stream_open(struct cds_sim_conn *conn) {
  struct cds_sim *sim = conn->sim;
  conn->started_ms = cds_sim_now_ms(sim);
  conn->number = recorded(sim) ? 0 : cds_sim_end(&sim->source, 0, conn->started_ms);
  cds_sim_spoil(conn);
}

/* Is the connection to be sent that number of the feed? */
static bool wants(const struct cds_sim_conn *conn, size_t feed) {
  const struct cds_sim_source *source = &conn->sim->source;
  if (recorded(conn->sim)) return conn->number < source->replay.feeds[feed].count;
  uint32_t second = (uint32_t)(conn->number / source->rate);
  if (second >= conn->skip_from && second <= conn->skip_to) return false;
  return cds_sim_exists(source, feed, conn->number);
}

/* One beat: a report of each of the connection's feeds that has one. */
static void send_beat(struct cds_sim_conn *conn) {
  struct cds_sim *sim = conn->sim;
  for (size_t i = 0; i < conn->feed_count && cds_sim_may_send(conn) && cds_sim_spoil(conn); i++) {
    if (!wants(conn, conn->feeds[i])) continue;
    const struct cds_buf *frame = frame_of(sim, conn->feeds[i], conn->number);
    if (frame) cds_sim_send_report(conn, frame);
  }
  conn->number++;
  if (cds_sim_may_send(conn)) cds_sim_spoil(conn);
  if (!cds_sim_may_send(conn) || conn->out.length - conn->out_sent <= CDS_SIM_MAX_BACKLOG) return;
  sim->stats.slow_closed++;
  cds_sim_socket_close(conn, 1013, "too slow");
}

/* A process that was stopped, or cannot sign fast enough, does not send the past for ever. */
static void skip_lag(struct cds_sim_conn *conn, uint64_t end) {
  uint64_t most = (uint64_t)MAX_LAG_SECONDS * conn->sim->source.rate;
  if (recorded(conn->sim) || end < conn->number + most) return;
  conn->sim->stats.skipped += (end - conn->number) * conn->feed_count;
  conn->number = end;
}

/* The smallest number that some connection still has to be sent; false when all are up to date. */
static bool next_beat(const struct cds_sim *sim, int64_t now_ms, uint64_t *number) {
  bool found = false;
  for (struct cds_sim_conn *conn = sim->connections; conn; conn = conn->next) {
    if (!cds_sim_may_send(conn)) continue;
    uint64_t end = due(sim, conn, now_ms);
    skip_lag(conn, end);
    if (conn->number >= end || (found && conn->number >= *number)) continue;
    *number = conn->number;
    found = true;
  }
  return found;
}

void cds_sim_stream(struct cds_sim *sim) {
  uint64_t number = 0;
  int64_t now_ms = cds_sim_now_ms(sim), until = cds_clock_mono_ns() + SLICE_NS;
  while (next_beat(sim, now_ms, &number) && cds_clock_mono_ns() < until)
    for (struct cds_sim_conn *conn = sim->connections; conn; conn = conn->next)
      if (cds_sim_may_send(conn) && conn->number == number && number < due(sim, conn, now_ms)) send_beat(conn);
}

int64_t cds_sim_stream_wait(const struct cds_sim *sim) {
  int64_t mono_ms = cds_clock_mono_ms(), now_ms = cds_sim_now_ms(sim), wait = 100, rate = (int64_t)sim->source.rate;
  for (const struct cds_sim_conn *conn = sim->connections; conn; conn = conn->next) {
    if (!cds_sim_may_send(conn)) continue;
    int64_t base = recorded(sim) ? conn->started_ms : 0;
    int64_t left = base + ((int64_t)conn->number * 1000 + rate - 1) / rate - now_ms;
    if (left < wait) wait = left;
    for (const struct cds_sim_late *late = conn->late; late; late = late->next)
      if (late->due_ms > 0 && late->due_ms - mono_ms < wait) wait = late->due_ms - mono_ms;
  }
  return wait < 0 ? 0 : wait;
}
