/* SPDX-License-Identifier: MIT
 * Sends reports when they are due. All feeds keep the same beat, so connections advance beat by beat, and each
 * report is made and framed once for all of them. */
#include "simulator/service.h"

#include "base/clock.h"

#include <string.h>

#define BINARY 0x82
#define TEXT 0x81
#define SLICE_NS 20000000
#define MAX_LAG_SECONDS 10 /* after a longer pause a stream goes on with the present */
#define OVERSIZE ((1u << 20) + 1024)

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

static bool make_frame(struct cds_buf *out, struct cds_sim *sim, size_t feed, uint64_t number) {
  struct cds_sim_report report;
  struct cds_buf body;
  bool good = true;
  get(&report, sim, feed, number);
  cds_buf_init(&body, 4u << 20);
  enum cds_status status = cds_buf_append(&body, "{\"report\":", 10);
  if (status == CDS_OK) status = cds_sim_report_json(&body, sim, &report);
  if (status == CDS_OK) status = cds_buf_append(&body, "}", 1);
  cds_buf_reset(out);
  if (status == CDS_OK) cds_sim_socket_frame(out, BINARY, body.data, body.length, &good);
  cds_buf_clear(&body);
  return good && status == CDS_OK;
}

/* NULL without memory. */
static const struct cds_buf *frame_of(struct cds_sim *sim, size_t feed, uint64_t number) {
  struct cds_sim_slot *slot = &sim->slots[feed];
  if (slot->used && slot->number == number) return &slot->frame;
  slot->used = make_frame(&slot->frame, sim, feed, number);
  slot->number = number;
  return slot->used ? &slot->frame : NULL;
}

/* The frame's payload again, in pieces. */
static void send_pieces(struct cds_sim_conn *conn, const struct cds_buf *frame, size_t size) {
  size_t head = 2 + ((frame->data[1] & 0x7f) == 126 ? 2 : (frame->data[1] & 0x7f) == 127 ? 8 : 0);
  struct cds_buf out;
  bool good = true;
  cds_buf_init(&out, CDS_SIM_MAX_OUT);
  for (size_t at = head; at < frame->length; at += size) {
    size_t piece = frame->length - at < size ? frame->length - at : size;
    unsigned first = (at == head ? BINARY & 0xf : 0) | (at + piece == frame->length ? 0x80 : 0);
    cds_sim_socket_frame(&out, first, frame->data + at, piece, &good);
  }
  cds_sim_conn_send(conn, out.data, out.length);
  cds_buf_clear(&out);
}

static void send_oversize(struct cds_sim_conn *conn) {
  struct cds_buf body, out;
  bool good = true;
  char blanks[1024];
  memset(blanks, ' ', sizeof blanks);
  cds_buf_init(&body, OVERSIZE);
  cds_buf_init(&out, OVERSIZE + 16);
  while (good && body.length + sizeof blanks <= OVERSIZE) good = cds_buf_append(&body, blanks, sizeof blanks) == CDS_OK;
  cds_sim_socket_frame(&out, TEXT, body.data, body.length, &good);
  cds_sim_conn_send(conn, out.data, out.length);
  cds_buf_clear(&body);
  cds_buf_clear(&out);
}

static void send_garbage(struct cds_sim_conn *conn) {
  static const char text[] = "this is not a report";
  struct cds_buf out;
  bool good = true;
  cds_buf_init(&out, 64);
  cds_sim_socket_frame(&out, TEXT, text, strlen(text), &good);
  cds_sim_conn_send(conn, out.data, out.length);
  cds_buf_clear(&out);
}

/* Does what the connection's fault says once its moment has come; false: send nothing more for now. */
static bool misbehave(struct cds_sim_conn *conn) {
  struct cds_sim_fault *fault = &conn->fault;
  if (conn->sent < (uint64_t)fault->after) return true;
  switch (fault->action) {
  case CDS_SIM_CLOSE: cds_sim_socket_close(conn, (unsigned)fault->code, ""); return false;
  case CDS_SIM_DROP: cds_sim_conn_end(conn, 2000); return false;
  case CDS_SIM_FREEZE: return false;
  case CDS_SIM_GARBAGE: send_garbage(conn); break;
  case CDS_SIM_OVERSIZE: send_oversize(conn); break;
  default: return true;
  }
  fault->action = CDS_SIM_NO_FAULT;
  return true;
}

static bool may_send(const struct cds_sim_conn *conn) {
  return conn->state == CDS_SIM_SOCKET && !conn->finish;
}

static void send_report(struct cds_sim_conn *conn, const struct cds_buf *frame) {
  bool twice = conn->fault.action == CDS_SIM_DUPLICATE && conn->sent >= (uint64_t)conn->fault.after;
  if (twice) conn->fault.action = CDS_SIM_NO_FAULT;
  for (int i = 0; i < (twice ? 2 : 1); i++) {
    if (conn->fault.action == CDS_SIM_FRAGMENT) send_pieces(conn, frame, (size_t)conn->fault.bytes);
    else cds_sim_conn_send(conn, frame->data, frame->length);
    conn->sim->stats.reports_sent++;
  }
  conn->sent++;
}

void cds_sim_stream_open(struct cds_sim_conn *conn) {
  struct cds_sim *sim = conn->sim;
  conn->started_ms = cds_sim_now_ms(sim);
  conn->number = recorded(sim) ? 0 : cds_sim_end(&sim->source, 0, conn->started_ms);
  misbehave(conn);
}

/* One beat: a report of each of the connection's feeds. */
static void send_beat(struct cds_sim_conn *conn) {
  struct cds_sim *sim = conn->sim;
  for (size_t i = 0; i < conn->feed_count && may_send(conn) && misbehave(conn); i++) {
    if (recorded(sim) && conn->number >= sim->source.replay.feeds[conn->feeds[i]].count) continue;
    const struct cds_buf *frame = frame_of(sim, conn->feeds[i], conn->number);
    if (frame) send_report(conn, frame);
  }
  conn->number++;
  if (may_send(conn)) misbehave(conn);
  if (!may_send(conn) || conn->out.length - conn->out_sent <= CDS_SIM_MAX_BACKLOG) return;
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
    if (!may_send(conn)) continue;
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
      if (may_send(conn) && conn->number == number && number < due(sim, conn, now_ms)) send_beat(conn);
}

int64_t cds_sim_stream_wait(const struct cds_sim *sim) {
  int64_t now_ms = cds_sim_now_ms(sim), wait = 100, rate = (int64_t)sim->source.rate;
  for (const struct cds_sim_conn *conn = sim->connections; conn; conn = conn->next) {
    if (!may_send(conn)) continue;
    int64_t base = recorded(sim) ? conn->started_ms : 0;
    int64_t left = base + ((int64_t)conn->number * 1000 + rate - 1) / rate - now_ms;
    if (left < wait) wait = left;
  }
  return wait < 0 ? 0 : wait;
}
