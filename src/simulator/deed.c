/* SPDX-License-Identifier: MIT
 * Things that a WebSocket's server does when it is told to. */
#include "simulator/deed.h"

#include "simulator/frame.h"
#include "simulator/message.h"

#include <string.h>

#define OVERSIZE ((1u << 20) + 1024)
#define PIECE 16384
#define LOOK_AROUND 200000 /* numbers, for one that has a report */

static bool close_frame(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  cds_sim_socket_close(socket, (unsigned)fault->code, "");
  return false;
}

static bool drop(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  (void)fault;
  cds_sim_conn_end(socket->conn, 2000);
  return false;
}

static bool reset(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  (void)fault;
  cds_sim_conn_reset(socket->conn);
  return false;
}

static bool freeze(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  (void)fault;
  socket->frozen = true;
  return false;
}

static bool stop_pongs(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  (void)fault;
  return socket->mute = true;
}

static bool skip(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  socket->script.skip_from = (uint32_t)(socket->number / socket->sim->source.rate) + 1;
  socket->script.skip_to = socket->script.skip_from + (uint32_t)fault->seconds - 1;
  return true;
}

/* A number of the feed with a report, from there on in steps; false when none is near. */
static bool find_number(const struct cds_sim_socket *socket, size_t feed, uint64_t *number, int step) {
  for (size_t i = 0; i < LOOK_AROUND; i++, *number = (uint64_t)((int64_t)*number + step))
    if (cds_sim_exists(&socket->sim->source, feed, *number)) return true;
  return false;
}

static void send_message(struct cds_sim_socket *socket, size_t feed, uint64_t number) {
  struct cds_buf frame;
  cds_buf_init(&frame, 4u << 20);
  if (cds_sim_make_message(&frame, socket->sim, feed, number, socket->protocol))
    cds_sim_conn_send(socket->conn, frame.data, frame.length);
  cds_buf_clear(&frame);
}

static bool is_asked_for(const struct cds_sim_socket *socket, size_t feed) {
  for (size_t i = 0; i < socket->feed_count; i++)
    if (socket->feeds[i] == feed) return true;
  return false;
}

/* A report of another time, or of a feed that was not asked for. */
static bool stray(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  struct cds_sim_source *source = &socket->sim->source;
  uint64_t number = socket->number, away = (uint64_t)fault->seconds * source->rate;
  size_t feed = socket->feeds[socket->sent % socket->feed_count];
  if (source->replay.record_count > 0) return true;
  if (fault->action == CDS_SIM_OLD) number -= away;
  if (fault->action == CDS_SIM_FUTURE) number += away;
  if (fault->action == CDS_SIM_FOREIGN)
    for (feed = 0; feed < source->feeds.count && is_asked_for(socket, feed);) feed++;
  bool is_ahead = fault->action == CDS_SIM_FUTURE;
  if (feed >= source->feeds.count || !find_number(socket, feed, &number, is_ahead ? 1 : -1)) return true;
  if (is_ahead) cds_sim_send_ahead(source, cds_sim_second(source, feed, number));
  send_message(socket, feed, number);
  return true;
}

static void send_filled(struct cds_sim_socket *socket, unsigned first_byte, char byte, size_t length) {
  struct cds_buf body;
  char some[1024];
  memset(some, byte, sizeof some);
  cds_buf_init(&body, length + sizeof some);
  for (size_t at = 0; at < length; at += sizeof some)
    if (cds_buf_append(&body, some, length - at < sizeof some ? length - at : sizeof some) != CDS_OK) break;
  cds_sim_send_frame(socket->conn, first_byte, body.data, body.length);
  cds_buf_clear(&body);
}

static bool oversize(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  (void)fault;
  send_filled(socket, CDS_SIM_FINAL | CDS_SIM_TEXT, ' ', OVERSIZE);
  return true;
}

static bool endless(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  (void)fault;
  for (size_t at = 0; at <= OVERSIZE; at += PIECE) send_filled(socket, at == 0 ? CDS_SIM_TEXT : 0, ' ', PIECE);
  socket->frozen = true;
  return false;
}

static bool repeat_frame(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  bool ping = fault->action == CDS_SIM_PING_FLOOD;
  for (long i = 0; i < fault->count; i++)
    cds_sim_send_frame(socket->conn, CDS_SIM_FINAL | (ping ? CDS_SIM_PING : CDS_SIM_TEXT), ping ? "ping" : "{}",
                       ping ? 4 : 2);
  return true;
}

#define ID                                                                                                             \
  "0x0003"                                                                                                             \
  "000000000000000000000000000000000000000000000000000000000001"

static bool garbage(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
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
      cds_sim_send_frame(socket->conn, CDS_SIM_FINAL | CDS_SIM_TEXT, texts[i].text, strlen(texts[i].text));
  if (strcmp(fault->kind, "nest") == 0) send_filled(socket, CDS_SIM_FINAL | CDS_SIM_TEXT, '[', 20000);
  return true;
}

static bool illegal(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
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
    if (strcmp(fault->kind, frames[i].kind) == 0) cds_sim_conn_send(socket->conn, frames[i].bytes, frames[i].length);
  return true;
}

/* The beginning of a report's message, and then nothing or the end. */
static bool half(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  struct cds_buf frame;
  uint64_t number = socket->number;
  cds_buf_init(&frame, 4u << 20);
  if (socket->sim->source.replay.record_count > 0) number = 0;
  if (find_number(socket, socket->feeds[0], &number, 1) &&
      cds_sim_make_message(&frame, socket->sim, socket->feeds[0], number, socket->protocol))
    cds_sim_conn_send(socket->conn, frame.data, frame.length / 2);
  cds_buf_clear(&frame);
  return strcmp(fault->kind, "drop") == 0 ? drop(socket, fault) : freeze(socket, fault);
}

static bool quiet(struct cds_sim_socket *socket, const struct cds_sim_fault *fault) {
  (void)fault;
  socket->quiet = true;
  return false; /* and stays the present step */
}

static const struct {
  enum cds_sim_action action;
  cds_sim_deed act;
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

cds_sim_deed cds_sim_deed_find(enum cds_sim_action action) {
  for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
    if (deeds[i].action == action) return deeds[i].act;
  return NULL;
}
