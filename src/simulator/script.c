/* SPDX-License-Identifier: MIT
 * A script's steps: some act once, and the next one follows; others change each report that is sent while they last. */
#include "simulator/script.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "simulator/deed.h"
#include "simulator/frame.h"
#include "simulator/late.h"

#include <string.h>

static void begin_step(struct cds_sim_socket *socket, size_t step) {
  struct cds_sim_script *script = &socket->script;
  script->at = step;
  script->from = socket->sent;
  script->fault = step < script->count ? script->steps[step] : (struct cds_sim_fault){0};
  cds_sim_conn_slow(socket->conn, script->fault.action == CDS_SIM_SLOW ? script->fault.ms : -1);
}

void cds_sim_script_set(struct cds_sim_socket *socket, const struct cds_sim_fault *steps, size_t count) {
  memcpy(socket->script.steps, steps, count * sizeof *steps);
  socket->script.count = count;
  begin_step(socket, 0);
}

static bool has_begun(const struct cds_sim_socket *socket) {
  const struct cds_sim_script *script = &socket->script;
  return script->fault.action != CDS_SIM_NO_FAULT && socket->sent - script->from >= (uint64_t)script->fault.after;
}

bool cds_sim_script_act(struct cds_sim_socket *socket) {
  while (has_begun(socket)) {
    cds_sim_deed act = cds_sim_deed_find(socket->script.fault.action);
    if (!act) return true; /* it changes what is sent */
    if (!act(socket, &socket->script.fault)) return false;
    begin_step(socket, socket->script.at + 1);
  }
  return true;
}

/* ---- what is sent ---- */

/* The frame's payload again, in pieces. */
static void send_pieces(struct cds_sim_socket *socket, const struct cds_buf *frame, size_t size) {
  size_t head = cds_sim_frame_head(frame);
  struct cds_buf out;
  bool good = true;
  cds_buf_init(&out, CDS_SIM_MAX_OUT);
  for (size_t at = head; at < frame->length; at += size) {
    size_t piece = frame->length - at < size ? frame->length - at : size;
    unsigned first = (at == head ? CDS_SIM_BINARY : 0) | (at + piece == frame->length ? CDS_SIM_FINAL : 0);
    cds_sim_frame(&out, first, frame->data + at, piece, &good);
  }
  cds_sim_conn_send(socket->conn, out.data, out.length);
  cds_buf_clear(&out);
}

#define BLOB (2 * 8 * 32) /* hex digits before it in a full report: the head and the length */

/* One letter of the message is changed, or half of it left out. */
static void send_corrupt(struct cds_sim_socket *socket, const struct cds_buf *frame, const char *kind) {
  static const struct {
    const char *kind, *after;
    size_t skip;
    char letter; /* or the one after it in the alphabet */
  } changes[] = {
    {"hex", "\"fullReport\":\"0x", 100, 'g'},
    {"blob", "\"fullReport\":\"0x", BLOB + 2 * 2 * 32, 'f'}, /* a timestamp over its width */
    {"price", "\"fullReport\":\"0x", BLOB + 7 * 2 * 32 - 1, '6'},
    {"feed", "\"feedID\":\"0x", 63, '6'},
    {"envelope", "\"observationsTimestamp\":", 9, '6'},
    {"envelope", "\"observationsTimestampMs\":", 12, '6'},
  };
  struct cds_buf copy;
  size_t head = cds_sim_frame_head(frame), length = frame->length - head;
  cds_buf_init(&copy, frame->length + 1);
  if (cds_buf_append(&copy, frame->data + head, length) == CDS_OK) {
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
      char *at = strcmp(kind, changes[i].kind) == 0 ? strstr(copy.data, changes[i].after) : NULL;
      if (!at) continue;
      at += strlen(changes[i].after) + changes[i].skip;
      *at = (char)(changes[i].letter + (*at == changes[i].letter));
    }
    bool cut = strcmp(kind, "cut") == 0;
    cds_sim_send_frame(socket->conn, CDS_SIM_FINAL | CDS_SIM_BINARY, copy.data, cut ? length / 2 : length);
  }
  cds_buf_clear(&copy);
}

/* Where messages wait for their time, none may overtake them. */
static void send_in_turn(struct cds_sim_socket *socket, const struct cds_buf *frame) {
  if (!cds_sim_late_follow(socket, frame)) cds_sim_conn_send(socket->conn, frame->data, frame->length);
}

void cds_sim_script_send(struct cds_sim_socket *socket, const struct cds_buf *frame) {
  struct cds_sim_fault *fault = &socket->script.fault;
  bool changed = has_begun(socket);
  socket->sim->stats.reports_sent++;
  switch (changed ? fault->action : CDS_SIM_NO_FAULT) {
  case CDS_SIM_FRAGMENT: send_pieces(socket, frame, (size_t)fault->bytes); break;
  case CDS_SIM_DELAY: cds_sim_late_add(socket, frame, cds_clock_mono_ms() + fault->ms, 0); break;
  case CDS_SIM_DUPLICATE:
    cds_sim_conn_send(socket->conn, frame->data, frame->length);
    send_in_turn(socket, frame);
    socket->sim->stats.reports_sent++;
    break;
  case CDS_SIM_REORDER: /* each second one is passed by those after it */
    if (socket->sent % 2) send_in_turn(socket, frame);
    else cds_sim_late_add(socket, frame, 0, socket->sent + 1 + socket->sent / 2 % (uint64_t)fault->within);
    break;
  case CDS_SIM_CORRUPT: send_corrupt(socket, frame, fault->kind); break;
  default: changed = false; send_in_turn(socket, frame);
  }
  socket->sent++;
  cds_sim_late_send(socket);
  if (changed && fault->count > 0 && --fault->count == 0) begin_step(socket, socket->script.at + 1);
}

/* ---- WebSockets that are open ---- */

static bool is_meant(const struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  return cds_sim_socket_may_send(socket) &&
         (!fault->origin[0] || strcmp(fault->origin, socket->sim->options->origins[socket->origin]) == 0);
}

size_t cds_sim_script_live(struct cds_sim *sim, const struct cds_sim_fault *steps, size_t count) {
  struct cds_sim_socket **met = cds_calloc(sim->socket_count + 1, sizeof *met);
  size_t total = 0, wanted = 0;
  if (!met) return 0;
  for (struct cds_sim_socket *socket = sim->sockets; socket; socket = socket->next)
    if (is_meant(socket, steps)) met[total++] = socket;
  wanted = steps->times == 0 || (size_t)steps->times > total ? total : (size_t)steps->times;
  for (size_t i = 0; i < wanted; i++) {
    struct cds_sim_socket *socket = met[((size_t)steps->pick + i) % total];
    cds_sim_script_set(socket, steps, count);
    cds_sim_script_act(socket);
  }
  cds_free(met);
  return wanted;
}
