/* SPDX-License-Identifier: MIT
 * Opens a recording as a stream. */
#include "lua/lreplay.h"

#include "lua/lstream.h"
#include "lua/lverify.h"

/* Pushes an array of C texts; the table at `index` keeps the strings. */
static const char **push_paths(lua_State *L, size_t *count, int index) {
  *count = cds_l_rawlen(L, index);
  const char **paths = lua_newuserdata(L, *count * sizeof *paths);
  for (size_t i = 0; i < *count; i++) {
    lua_rawgeti(L, index, (int)(i + 1));
    paths[i] = luaL_checkstring(L, -1);
    lua_pop(L, 1);
  }
  return paths;
}

/* replay(paths, ids, options) -> stream | nil, err; the Lua layer has looked at them. options: speed (0: without
 * waiting), from, to (seconds), verify. The registry stays in the stream's user value. */
static int replay(lua_State *L) {
  struct cds_error err = {0};
  size_t count;
  lua_settop(L, 3);
  luaL_checktype(L, 1, LUA_TTABLE);
  cds_l_check_plain(L, 3);
  struct cds_replay_options options = {
    .speed = cds_l_number(L, 3, "speed", 0),
    .from_ms = (uint64_t)cds_l_number(L, 3, "from", 0) * 1000,
    .to_ms = (uint64_t)cds_l_number(L, 3, "to", UINT32_MAX) * 1000 + 999,
  };
  lua_getfield(L, 3, "verify");
  if (lua_isuserdata(L, 4)) options.signers = cds_l_check_signers(L, 4);
  options.feeds = cds_l_feed_ids(L, &options.feed_count, 2);
  const char **paths = push_paths(L, &count, 1);
  struct cds_l_stream *self = cds_l_new(L, sizeof *self, CDS_L_STREAM);
  lua_newtable(L);
  lua_pushvalue(L, 4);
  lua_setfield(L, -2, "signers");
  cds_l_setuservalue(L, -2);
  if (cds_replay_open(&self->source.replay, paths, count, &options, &err) != CDS_OK) return cds_l_fail(L, &err);
  return 1;
}

/* replay_feeds(stream) -> the ids of the feeds that are known so far */
static int replay_feeds(lua_State *L) {
  struct cds_l_stream *self = luaL_checkudata(L, 1, CDS_L_STREAM);
  lua_newtable(L);
  for (int i = 0; self->source.replay; i++) {
    char text[CDS_FEED_ID_TEXT + 1];
    const struct cds_feed_id *id = cds_replay_feed(self->source.replay, (size_t)i);
    if (!id) break;
    cds_feed_id_format(text, id);
    lua_pushstring(L, text);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static const luaL_Reg functions[] = {{"replay", replay}, {"replay_feeds", replay_feeds}, {NULL, NULL}};

void cds_l_open_replay(lua_State *L) {
  cds_l_setfuncs(L, functions, 0);
}
