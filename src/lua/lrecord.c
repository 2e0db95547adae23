/* SPDX-License-Identifier: MIT
 * Recording what a stream gives to the script, which is in lstream.c's way of it, or what a recorder is told
 * (lrecorder.c). */
#include "lua/lrecord.h"

#include "lua/lrecorder.h"
#include "lua/lstream.h"

/* Where the writer of the stream or recorder is. */
static struct cds_writer **check_writer(lua_State *L) {
  int top = lua_gettop(L);
  luaL_getmetatable(L, CDS_L_RECORDER);
  bool is_recorder = lua_getmetatable(L, 1) && lua_rawequal(L, -1, -2);
  lua_settop(L, top);
  if (is_recorder) return &((struct cds_l_recorder *)lua_touserdata(L, 1))->writer;
  return &((struct cds_l_stream *)luaL_checkudata(L, 1, CDS_L_STREAM))->writer;
}

/* Pushes true, or nil and the error. */
static int answer(lua_State *L, enum cds_status status, const struct cds_error *err) {
  if (status != CDS_OK) return cds_l_fail(L, err);
  lua_pushboolean(L, 1);
  return 1;
}

/* record(stream, path, ids, options) -> true | nil, err; the Lua layer has looked at them */
static int record(lua_State *L) {
  struct cds_error err = {0};
  size_t count;
  lua_settop(L, 4);
  struct cds_writer_options options = {
    .rotate_bytes = (uint64_t)cds_l_number(L, 4, "rotate_bytes", 0),
    .rotate_ms = (int64_t)cds_l_number(L, 4, "rotate_seconds", 0) * 1000,
    .sync = cds_l_boolean(L, 4, "fsync"),
  };
  const char *path = luaL_checkstring(L, 2);
  const struct cds_feed_id *feeds = cds_l_feed_ids(L, &count, 3);
  struct cds_writer **writer = check_writer(L);
  if (*writer) return luaL_error(L, "it is being recorded");
  return answer(L, cds_writer_open(writer, path, feeds, count, &options, &err), &err);
}

/* record_feeds(stream, ids) -> true, or false when memory ran out */
static int record_feeds(lua_State *L) {
  size_t count;
  const struct cds_feed_id *feeds = cds_l_feed_ids(L, &count, 2);
  struct cds_writer *writer = *check_writer(L);
  lua_pushboolean(L, !writer || cds_writer_feeds(writer, feeds, count));
  return 1;
}

/* record_flush(stream) -> true | nil, err */
static int record_flush(lua_State *L) {
  struct cds_error err = {0};
  struct cds_writer *writer = *check_writer(L);
  return answer(L, writer ? cds_writer_flush(writer, &err) : CDS_OK, &err);
}

/* record_write(stream): as record_flush, but the failure stays to be told */
static int record_write(lua_State *L) {
  struct cds_writer *writer = *check_writer(L);
  if (writer) cds_writer_write(writer);
  return 0;
}

/* record_due(stream) -> seconds until something is to be written, or nothing when nothing waits to be */
static int record_due(lua_State *L) {
  const struct cds_writer *writer = *check_writer(L);
  double due = writer ? cds_writer_due(writer) : -1;
  if (due < 0) return 0;
  lua_pushnumber(L, due);
  return 1;
}

/* record_end(stream) -> true | nil, err */
static int record_end(lua_State *L) {
  struct cds_error err = {0};
  struct cds_writer **slot = check_writer(L), *writer = *slot;
  *slot = NULL;
  return answer(L, cds_writer_close(writer, &err), &err);
}

/* record_stats(stream) -> table, or nothing when it is not recorded */
static int record_stats(lua_State *L) {
  struct cds_writer_stats stats;
  const struct cds_writer *writer = *check_writer(L);
  if (!writer) return 0;
  cds_writer_stats(&stats, writer);
  lua_createtable(L, 0, 4);
  cds_l_set_uint(L, "reports", stats.reports);
  cds_l_set_uint(L, "bytes", stats.bytes);
  cds_l_set_uint(L, "unwritten", stats.unwritten);
  cds_l_set_uint(L, "files", stats.files);
  return 1;
}

static const luaL_Reg functions[] = {{"record", record},
                                     {"record_feeds", record_feeds},
                                     {"record_flush", record_flush},
                                     {"record_write", record_write},
                                     {"record_due", record_due},
                                     {"record_end", record_end},
                                     {"record_stats", record_stats},
                                     {NULL, NULL}};

void cds_l_open_record(lua_State *L) {
  cds_l_setfuncs(L, functions, 0);
}
