/* SPDX-License-Identifier: MIT
 * The stream userdata. C pops and never waits; waiting is written in Lua (lua/chainlink/stream.lua). */
#include "lua/lstream.h"

#include "client/client.h"
#include "lua/lclient.h"
#include "lua/lreport.h"
#include "lua/lroom.h"
#include "lua/lverify.h"

#define POPS_BETWEEN_EVENTS 64 /* how long a full queue may keep log lines and status changes waiting */

/* Upvalues of the functions here: the metatables of stream and report. */
#define UP_STREAM lua_upvalueindex(1)
#define UP_REPORT lua_upvalueindex(2)

/* As luaL_checkudata, without its search of the registry. */
static struct cds_l_stream *any_stream(lua_State *L) {
  struct cds_l_stream *self = lua_touserdata(L, 1);
  if (self && lua_getmetatable(L, 1)) {
    int same = lua_rawequal(L, -1, UP_STREAM);
    lua_pop(L, 1);
    if (same) return self;
  }
  return luaL_checkudata(L, 1, CDS_L_STREAM); /* raises */
}

static struct cds_l_stream *check_stream(lua_State *L) {
  struct cds_l_stream *self = any_stream(L);
  if (!cds_l_source_is_there(&self->source)) luaL_argerror(L, 1, "the stream is gone");
  return self;
}

/* stream(client, ids, options) -> stream | nil, err. The stream's user value is a table for the Lua layer. */
static int stream_open(lua_State *L) {
  struct cds_config defaults;
  struct cds_error err = {0};
  size_t count;
  lua_settop(L, 3);
  cds_l_check_plain(L, 3);
  cds_config_init(&defaults);
  struct cds_stream_config config = defaults.stream;
  cds_l_stream_config(L, &config, 3);
  lua_getfield(L, 3, "verify");
  const struct cds_feed_id *feeds = cds_l_feed_ids(L, &count, 2);
  struct cds_l_stream *self = cds_l_new(L, sizeof *self, CDS_L_STREAM);
  lua_newtable(L);
  cds_l_setuservalue(L, -2);
  if (lua_isuserdata(L, 4)) config.signers = cds_l_check_signers(L, 4);
  if (cds_stream_open(&self->source.stream, cds_l_check_client(L, 1), feeds, count, &config, &err) != CDS_OK)
    return cds_l_fail(L, &err);
  return 1;
}

static int stream_gc(lua_State *L) {
  struct cds_l_stream *self = luaL_checkudata(L, 1, CDS_L_STREAM);
  cds_l_source_free(&self->source);
  cds_report_unref(self->report);
  self->report = NULL;
  cds_event_free(self->event);
  self->event = NULL;
  struct cds_writer *writer = self->writer;
  self->writer = NULL;
  cds_writer_close(writer, NULL);
  return 0;
}

/* Pops into the stream's report unless there is one already; pushes the answer of stream_pop when there is none. */
static int fetch(lua_State *L, struct cds_l_stream *self) {
  struct cds_error err;
  if (self->report) return 0;
  enum cds_pop pop = cds_l_source_pop(&self->report, &self->source, &err);
  if (pop == CDS_POP_REPORT) return 0;
  if (self->writer) cds_writer_pause(self->writer); /* the script is about to wait */
  if (pop == CDS_POP_EMPTY) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushboolean(L, 0);
  cds_l_push_error(L, &err);
  return 2;
}

/* stream_pop(stream) -> report | nil: nothing there | nil, true: look for events first | false, err: it is over */
static int stream_pop(lua_State *L) {
  struct cds_l_stream *self = check_stream(L);
  if (++self->pops > POPS_BETWEEN_EVENTS) {
    self->pops = 0;
    lua_pushnil(L);
    lua_pushboolean(L, 1);
    return 2;
  }
  for (;; check_stream(L)) { /* what is given allocates, and a finalizer that ran there may have ended the stream */
    int answers = fetch(L, self);
    if (answers) return answers;
    if (cds_l_give_report(L, &self->report, UP_REPORT)) break;
  }
  if (self->writer) cds_writer_report(self->writer, lua_touserdata(L, -1));
  return 1;
}

/* stream_peek(stream): as stream_pop, but true in place of the report, which the next stream_pop gives. */
static int stream_peek(lua_State *L) {
  int answers = fetch(L, check_stream(L));
  if (answers) return answers;
  lua_pushboolean(L, 1);
  return 1;
}

/* The stream's next event, which a recording keeps, or one of the recording's own. */
static struct cds_event *take_event(struct cds_l_stream *self) {
  struct cds_event *event = cds_l_source_take_event(&self->source);
  if (!self->writer) return event;
  if (!event) return cds_writer_take_event(self->writer);
  cds_writer_event(self->writer, event);
  return event;
}

static int stream_event(lua_State *L) {
  struct cds_l_stream *self;
  do {
    self = any_stream(L);
    if (!cds_l_source_is_there(&self->source)) return 0;
    if (!self->event) self->event = take_event(self);
    if (!self->event) return 0;
  } while (!cds_l_give_event(L, &self->event));
  return 1;
}

/* stream_latest(stream, id) -> report | nothing. A newer one may come while there is room for a smaller one only. */
static int stream_latest(lua_State *L) {
  struct cds_feed_id id;
  struct cds_error err;
  size_t length, room = 0;
  const char *text = luaL_checklstring(L, 2, &length);
  if (cds_feed_id_parse(&id, text, length, &err) != CDS_OK) return cds_l_fail(L, &err);
  for (;;) {
    struct cds_report *report = cds_l_source_latest(&check_stream(L)->source, &id);
    if (!report) return 0;
    if (report->length <= room) {
      cds_l_fill_room(L, report, UP_REPORT);
      return 1;
    }
    room = report->length;
    cds_report_unref(report);
    lua_settop(L, 2);
    cds_l_push_room(L, room);
  }
}

static int stream_fd(lua_State *L) {
  lua_pushinteger(L, cds_l_source_fd(&check_stream(L)->source));
  return 1;
}

/* stream_lead(stream[, seconds]) -> true when it has waited; false: wait for stream_fd */
static int stream_lead(lua_State *L) {
  double seconds = luaL_optnumber(L, 2, -1);
  lua_pushboolean(L, cds_l_source_lead(&check_stream(L)->source, seconds));
  return 1;
}

/* stream_share_fd(stream) -> descriptor | nil, err */
static int stream_share_fd(lua_State *L) {
  struct cds_error err = {0};
  int fd;
  if (cds_l_source_share_fd(&fd, &check_stream(L)->source, &err) != CDS_OK) return cds_l_fail(L, &err);
  lua_pushinteger(L, fd);
  return 1;
}

static int stream_is_subscribed(lua_State *L) {
  lua_pushboolean(L, cds_l_source_is_subscribed(&check_stream(L)->source));
  return 1;
}

/* stream_subscribe(stream, ids), stream_unsubscribe(stream, ids) -> true | nil, err */
static int change_feeds(lua_State *L, enum cds_status change(struct cds_l_source *, const struct cds_feed_id *, size_t,
                                                             struct cds_error *)) {
  struct cds_error err = {0};
  size_t count;
  const struct cds_feed_id *feeds = cds_l_feed_ids(L, &count, 2);
  if (change(&check_stream(L)->source, feeds, count, &err) != CDS_OK) return cds_l_fail(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int stream_subscribe(lua_State *L) {
  return change_feeds(L, cds_l_source_subscribe);
}

static int stream_unsubscribe(lua_State *L) {
  return change_feeds(L, cds_l_source_unsubscribe);
}

static int stream_close(lua_State *L) {
  cds_l_source_close(&any_stream(L)->source);
  return 0;
}

static int stream_is_closed(lua_State *L) {
  lua_pushboolean(L, cds_l_source_is_closed(&any_stream(L)->source));
  return 1;
}

/* ---- statistics ---- */

static void push_link(lua_State *L, const struct cds_link_stats *link) {
  lua_createtable(L, 0, 9);
  cds_l_set_text(L, "origin", link->origin);
  cds_l_set_text(L, "host", link->host);
  cds_l_set_text(L, "state", cds_link_state_name(link->state));
  cds_l_set_uint(L, "messages_received", link->messages_received);
  cds_l_set_uint(L, "bytes_received", link->bytes_received);
  cds_l_set_uint(L, "errors_count", link->errors_count);
  cds_l_set_uint(L, "reconnect_count", link->reconnect_count);
  cds_l_set_number(L, "connection_uptime", link->connection_uptime);
  if (link->last_message_time) cds_l_set_number(L, "last_message_time", (double)link->last_message_time / 1000);
  if (link->ping_latency_ms >= 0) cds_l_set_number(L, "ping_latency", link->ping_latency_ms);
}

/* buckets = {{le = bound, count = of this and all smaller bounds}, …} */
static void push_latency(lua_State *L, const struct cds_histogram *latency) {
  uint64_t count = 0;
  lua_createtable(L, 0, 6);
  lua_createtable(L, CDS_HISTOGRAM_BOUNDS, 0);
  for (int i = 0; i < CDS_HISTOGRAM_BOUNDS; i++) {
    count += latency->buckets[i];
    lua_createtable(L, 0, 2);
    cds_l_set_number(L, "le", cds_histogram_bounds[i]);
    cds_l_set_uint(L, "count", count);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "buckets");
  cds_l_set_uint(L, "count", latency->count);
  cds_l_set_number(L, "sum", latency->sum);
  if (!latency->count) return;
  cds_l_set_number(L, "min", latency->min);
  cds_l_set_number(L, "mean", cds_histogram_mean(latency));
  cds_l_set_number(L, "max", latency->max);
}

static void push_counters(lua_State *L, const struct cds_stream_stats *stats) {
  lua_createtable(L, 0, 24);
  cds_l_set_uint(L, "total_received", stats->total_received);
  cds_l_set_uint(L, "accepted", stats->accepted);
  cds_l_set_uint(L, "deduplicated", stats->deduplicated);
  cds_l_set_uint(L, "out_of_order", stats->out_of_order);
  cds_l_set_uint(L, "gaps", stats->gaps);
  cds_l_set_uint(L, "empty_gaps", stats->empty_gaps);
  cds_l_set_uint(L, "backfilled", stats->backfilled);
  cds_l_set_uint(L, "lost", stats->lost);
  cds_l_set_uint(L, "lost_seconds", stats->lost_seconds);
  cds_l_set_uint(L, "dropped", stats->dropped);
  cds_l_set_uint(L, "rejected", stats->rejected);
  cds_l_set_uint(L, "decode_errors", stats->decode_errors);
  cds_l_set_uint(L, "unverified", stats->unverified);
  cds_l_set_uint(L, "partial_reconnects", stats->partial_reconnects);
  cds_l_set_uint(L, "full_reconnects", stats->full_reconnects);
  cds_l_set_uint(L, "configured_connections", stats->configured_connections);
  cds_l_set_uint(L, "active_connections", stats->active_connections);
  cds_l_set_uint(L, "queue_length", stats->queue_length);
  cds_l_set_uint(L, "feeds", stats->feeds);
}

/* stream_stats(stream): the counters as the engine has them; the Lua layer adds the sums over the connections. */
static int stream_stats(lua_State *L) {
  struct cds_stream_stats stats;
  cds_l_source_stats(&stats, &check_stream(L)->source);
  push_counters(L, &stats);
  push_latency(L, &stats.latency);
  lua_setfield(L, -2, "latency");
  lua_createtable(L, (int)stats.link_count, 0);
  for (size_t i = 0; i < stats.link_count; i++) {
    push_link(L, &stats.links[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "origins");
  return 1;
}

static const luaL_Reg metamethods[] = {{"__gc", stream_gc}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"stream", stream_open},
                                     {"stream_pop", stream_pop},
                                     {"stream_peek", stream_peek},
                                     {"stream_event", stream_event},
                                     {"stream_latest", stream_latest},
                                     {"stream_fd", stream_fd},
                                     {"stream_lead", stream_lead},
                                     {"stream_share_fd", stream_share_fd},
                                     {"stream_is_subscribed", stream_is_subscribed},
                                     {"stream_subscribe", stream_subscribe},
                                     {"stream_unsubscribe", stream_unsubscribe},
                                     {"stream_close", stream_close},
                                     {"stream_is_closed", stream_is_closed},
                                     {"stream_stats", stream_stats},
                                     {NULL, NULL}};

void cds_l_open_stream(lua_State *L) {
  cds_l_metatable(L, CDS_L_STREAM, metamethods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "stream_metatable");
  luaL_getmetatable(L, CDS_L_REPORT); /* module, stream metatable, report metatable */
  lua_pushvalue(L, -3);
  lua_insert(L, -3); /* module, module, stream metatable, report metatable */
  cds_l_setfuncs(L, functions, 2);
  lua_pop(L, 1);
}
