/* SPDX-License-Identifier: MIT
 * What a WebSocket's script does to its messages. Some steps act once, and the next one follows; others change each
 * report that is sent while they last. */
#include "simulator/service.h"

#include "base/clock.h"

#include <string.h>

#define OVERSIZE ((1u << 20) + 1024)
#define PIECE 16384
#define LOOK_AROUND 200000 /* numbers, for one that has a report */

/* ---- steps that act once; false: nothing more may be sent ---- */

static bool close_frame(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  cds_sim_socket_close(conn, (unsigned)fault->code, "");
  return false;
}

static bool drop(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  (void)fault;
  cds_sim_conn_end(conn, 2000);
  return false;
}

static bool reset(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  (void)fault;
  cds_sim_conn_reset(conn);
  return false;
}

static bool freeze(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  (void)fault;
  conn->frozen = true;
  return false;
}

static bool stop_pongs(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  (void)fault;
  return conn->mute = true;
}

static bool skip(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  conn->skip_from = (uint32_t)(conn->number / conn->sim->source.rate) + 1;
  conn->skip_to = conn->skip_from + (uint32_t)fault->seconds - 1;
  return true;
}

/* A number of the feed with a report, from there on in steps; false when none is near. */
static bool find_number(const struct cds_sim_conn *conn, size_t feed, uint64_t *number, int step) {
  for (size_t i = 0; i < LOOK_AROUND; i++, *number = (uint64_t)((int64_t)*number + step))
    if (cds_sim_exists(&conn->sim->source, feed, *number)) return true;
  return false;
}

static void send_message(struct cds_sim_conn *conn, size_t feed, uint64_t number) {
  struct cds_buf frame;
  cds_buf_init(&frame, 4u << 20);
  if (cds_sim_make_message(&frame, conn->sim, feed, number)) cds_sim_conn_send(conn, frame.data, frame.length);
  cds_buf_clear(&frame);
}

static bool is_asked_for(const struct cds_sim_conn *conn, size_t feed) {
  for (size_t i = 0; i < conn->feed_count; i++)
    if (conn->feeds[i] == feed) return true;
  return false;
}

/* A report of another time, or of a feed that was not asked for. */
static bool stray(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  struct cds_sim_source *source = &conn->sim->source;
  uint64_t number = conn->number, away = (uint64_t)fault->seconds * source->rate;
  size_t feed = conn->feeds[conn->sent % conn->feed_count];
  if (source->replay.record_count > 0) return true;
  if (fault->action == CDS_SIM_OLD) number -= away;
  if (fault->action == CDS_SIM_FUTURE) number += away;
  if (fault->action == CDS_SIM_FOREIGN)
    for (feed = 0; feed < source->feeds.count && is_asked_for(conn, feed);) feed++;
  bool is_ahead = fault->action == CDS_SIM_FUTURE;
  if (feed >= source->feeds.count || !find_number(conn, feed, &number, is_ahead ? 1 : -1)) return true;
  if (is_ahead) cds_sim_send_ahead(source, cds_sim_second(source, feed, number));
  send_message(conn, feed, number);
  return true;
}

static void send_filled(struct cds_sim_conn *conn, unsigned first_byte, char byte, size_t length) {
  struct cds_buf body;
  char some[1024];
  memset(some, byte, sizeof some);
  cds_buf_init(&body, length + sizeof some);
  for (size_t at = 0; at < length; at += sizeof some)
    if (cds_buf_append(&body, some, length - at < sizeof some ? length - at : sizeof some) != CDS_OK) break;
  cds_sim_send_frame(conn, first_byte, body.data, body.length);
  cds_buf_clear(&body);
}

static bool oversize(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  (void)fault;
  send_filled(conn, CDS_SIM_FINAL | CDS_SIM_TEXT, ' ', OVERSIZE);
  return true;
}

static bool endless(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  (void)fault;
  for (size_t at = 0; at <= OVERSIZE; at += PIECE) send_filled(conn, at == 0 ? CDS_SIM_TEXT : 0, ' ', PIECE);
  conn->frozen = true;
  return false;
}

static bool repeat_frame(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  bool ping = fault->action == CDS_SIM_PING_FLOOD;
  for (long i = 0; i < fault->count; i++)
    cds_sim_send_frame(conn, CDS_SIM_FINAL | (ping ? CDS_SIM_PING : CDS_SIM_TEXT), ping ? "ping" : "{}", ping ? 4 : 2);
  return true;
}

#define ID                                                                                                             \
  "0x0003"                                                                                                             \
  "000000000000000000000000000000000000000000000000000000000001"

static bool garbage(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  static const struct {
    const char *kind, *text;
  } texts[] = {
    {"text", "this is not a report"},
    {"cut", "{\"report\":{\"feedID\":\"" ID "\",\"fullReport\":\"0x00"},
    {"other", "[1,2,{\"heartbeat\":null}]"},
    {"types", "{\"report\":{\"feedID\":7,\"fullReport\":[],\"observationsTimestamp\":\"now\"}}"},
    {"members", "{\"report\":{\"feedID\":\"" ID "\",\"fullReport\":\"0x00\",\"fullReport\":\"0x00\"}}"},
    {"numbers", "{\"report\":{\"feedID\":\"" ID "\",\"fullReport\":\"0x00\",\"observationsTimestamp\":1e999}}"},
    {"escapes", "{\"report\":{\"feedID\":\"" ID "\",\"fullReport\":\"0x\\u0030\\u0030\"}}"},
    {"empty", ""},
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (strcmp(fault->kind, texts[i].kind) == 0)
      cds_sim_send_frame(conn, CDS_SIM_FINAL | CDS_SIM_TEXT, texts[i].text, strlen(texts[i].text));
  if (strcmp(fault->kind, "nest") == 0) send_filled(conn, CDS_SIM_FINAL | CDS_SIM_TEXT, '[', 20000);
  return true;
}

static bool illegal(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  static const struct {
    const char *kind;
    size_t length;
    char bytes[160];
  } frames[] = {
    {"masked", 7, "\x82\x81\x01\x02\x03\x04x"},
    {"reserved", 3, "\xc2\x01x"},
    {"opcode", 2, "\x83"},
    {"control", 132, "\x89\x7e\x00\x80"},
    {"fragment", 2, "\x09"},
    {"continuation", 3, "\x80\x01x"},
    {"utf8", 4, "\x81\x02\xc3\x28"},
    {"nested", 6, "\x02\x01x\x82\x01x"},
  };
  for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
    if (strcmp(fault->kind, frames[i].kind) == 0) cds_sim_conn_send(conn, frames[i].bytes, frames[i].length);
  return true;
}

/* The beginning of a report's message, and then nothing or the end. */
static bool half(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  struct cds_buf frame;
  uint64_t number = conn->number;
  cds_buf_init(&frame, 4u << 20);
  if (conn->sim->source.replay.record_count > 0) number = 0;
  if (find_number(conn, conn->feeds[0], &number, 1) && cds_sim_make_message(&frame, conn->sim, conn->feeds[0], number))
    cds_sim_conn_send(conn, frame.data, frame.length / 2);
  cds_buf_clear(&frame);
  return strcmp(fault->kind, "drop") == 0 ? drop(conn, fault) : freeze(conn, fault);
}

static bool quiet(struct cds_sim_conn *conn, const struct cds_sim_fault *fault) {
  (void)conn, (void)fault;
  return false; /* and stays the present step */
}

static const struct {
  enum cds_sim_action action;
  bool (*act)(struct cds_sim_conn *conn, const struct cds_sim_fault *fault);
} deeds[] = {
  {CDS_SIM_CLOSE, close_frame},
  {CDS_SIM_DROP, drop},
  {CDS_SIM_RESET, reset},
  {CDS_SIM_FREEZE, freeze},
  {CDS_SIM_STOP_PONGS, stop_pongs},
  {CDS_SIM_SKIP, skip},
  {CDS_SIM_OLD, stray},
  {CDS_SIM_FUTURE, stray},
  {CDS_SIM_FOREIGN, stray},
  {CDS_SIM_OVERSIZE, oversize},
  {CDS_SIM_ENDLESS, endless},
  {CDS_SIM_PING_FLOOD, repeat_frame},
  {CDS_SIM_TINY, repeat_frame},
  {CDS_SIM_GARBAGE, garbage},
  {CDS_SIM_ILLEGAL, illegal},
  {CDS_SIM_HALF, half},
  {CDS_SIM_QUIET, quiet},
};

/* ---- the script ---- */

static void begin_step(struct cds_sim_conn *conn, size_t step) {
  conn->step = step;
  conn->step_from = conn->sent;
  conn->fault = step < conn->steps ? conn->script[step] : (struct cds_sim_fault){0};
}

void cds_sim_script(struct cds_sim_conn *conn, const struct cds_sim_fault *steps, size_t count) {
  memcpy(conn->script, steps, count * sizeof *steps);
  conn->steps = count;
  begin_step(conn, 0);
}

static bool has_begun(const struct cds_sim_conn *conn) {
  return conn->fault.action != CDS_SIM_NO_FAULT && conn->sent - conn->step_from >= (uint64_t)conn->fault.after;
}

bool cds_sim_spoil(struct cds_sim_conn *conn) {
  while (has_begun(conn)) {
    size_t i = 0, count = sizeof deeds / sizeof deeds[0];
    while (i < count && deeds[i].action != conn->fault.action) i++;
    if (i == count) return true; /* it changes what is sent */
    if (!deeds[i].act(conn, &conn->fault)) return false;
    begin_step(conn, conn->step + 1);
  }
  return true;
}

size_t cds_sim_spoil_live(struct cds_sim *sim, const struct cds_sim_fault *steps, size_t count) {
  struct cds_sim_conn *met[CDS_SIM_MAX_CONNECTIONS] = {NULL};
  size_t total = 0;
  for (struct cds_sim_conn *conn = sim->connections; conn; conn = conn->next)
    if (cds_sim_may_send(conn) &&
        (!steps->origin[0] || strcmp(steps->origin, sim->options->origins[conn->origin]) == 0))
      met[total++] = conn;
  size_t wanted = steps->times == 0 || (size_t)steps->times > total ? total : (size_t)steps->times;
  for (size_t i = 0; i < wanted; i++) {
    struct cds_sim_conn *conn = met[((size_t)steps->pick + i) % total];
    cds_sim_script(conn, steps, count);
    cds_sim_spoil(conn);
  }
  return wanted;
}

/* ---- steps that change what is sent ---- */

/* The frame's payload again, in pieces. */
static void send_pieces(struct cds_sim_conn *conn, const struct cds_buf *frame, size_t size) {
  size_t head = cds_sim_frame_head(frame);
  struct cds_buf out;
  bool good = true;
  cds_buf_init(&out, CDS_SIM_MAX_OUT);
  for (size_t at = head; at < frame->length; at += size) {
    size_t piece = frame->length - at < size ? frame->length - at : size;
    unsigned first = (at == head ? CDS_SIM_BINARY : 0) | (at + piece == frame->length ? CDS_SIM_FINAL : 0);
    cds_sim_frame(&out, first, frame->data + at, piece, &good);
  }
  cds_sim_conn_send(conn, out.data, out.length);
  cds_buf_clear(&out);
}

#define BLOB (2 * 8 * 32) /* hex digits before it in a full report: the head and the length */

/* One letter of the message is changed, or half of it left out. */
static void send_corrupt(struct cds_sim_conn *conn, const struct cds_buf *frame, const char *kind) {
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
    cds_sim_send_frame(conn, CDS_SIM_FINAL | CDS_SIM_BINARY, copy.data, cut ? length / 2 : length);
  }
  cds_buf_clear(&copy);
}

/* Where messages wait for their time, none may overtake them. */
static void send_in_turn(struct cds_sim_conn *conn, const struct cds_buf *frame) {
  const struct cds_sim_late *last = conn->late;
  while (last && last->next) last = last->next;
  if (last && last->due_ms > 0) cds_sim_late_add(conn, frame, last->due_ms, 0);
  else cds_sim_conn_send(conn, frame->data, frame->length);
}

void cds_sim_send_report(struct cds_sim_conn *conn, const struct cds_buf *frame) {
  struct cds_sim_fault *fault = &conn->fault;
  bool changed = has_begun(conn);
  conn->sim->stats.reports_sent++;
  switch (changed ? fault->action : CDS_SIM_NO_FAULT) {
  case CDS_SIM_FRAGMENT: send_pieces(conn, frame, (size_t)fault->bytes); break;
  case CDS_SIM_DELAY: cds_sim_late_add(conn, frame, cds_clock_mono_ms() + fault->ms, 0); break;
  case CDS_SIM_DUPLICATE:
    cds_sim_conn_send(conn, frame->data, frame->length);
    send_in_turn(conn, frame);
    conn->sim->stats.reports_sent++;
    break;
  case CDS_SIM_REORDER: /* each second one is passed by those after it */
    if (conn->sent % 2) send_in_turn(conn, frame);
    else cds_sim_late_add(conn, frame, 0, conn->sent + 1 + conn->sent / 2 % (uint64_t)fault->within);
    break;
  case CDS_SIM_CORRUPT: send_corrupt(conn, frame, fault->kind); break;
  default: changed = false; send_in_turn(conn, frame);
  }
  conn->sent++;
  cds_sim_late_send(conn);
  if (changed && fault->count > 0 && --fault->count == 0) begin_step(conn, conn->step + 1);
}
