/* SPDX-License-Identifier: MIT
 * What the binding's files share. */
#include "lua/lutil.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

void cds_l_metatable(lua_State *L, const char *name, const luaL_Reg *metamethods) {
  luaL_newmetatable(L, name);
  cds_l_setfuncs(L, metamethods, 0);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

void *cds_l_new(lua_State *L, size_t size, const char *name) {
  void *object = lua_newuserdata(L, size);
  memset(object, 0, size);
  luaL_getmetatable(L, name);
  lua_setmetatable(L, -2);
  return object;
}

void cds_l_check_plain(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  if (lua_getmetatable(L, index)) luaL_error(L, "a table without a metatable expected");
}

/* ---- errors ---- */

void cds_l_set_text(lua_State *L, const char *name, const char *value) {
  if (!value || !value[0]) return;
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

void cds_l_set_number(lua_State *L, const char *name, double value) {
  lua_pushnumber(L, (lua_Number)value);
  lua_setfield(L, -2, name);
}

void cds_l_set_uint(lua_State *L, const char *name, uint64_t value) {
  cds_l_push_uint64(L, value);
  lua_setfield(L, -2, name);
}

void cds_l_push_error(lua_State *L, const struct cds_error *err) {
  lua_createtable(L, 0, 8);
  cds_l_set_text(L, "kind", cds_status_kind(err->status));
  lua_pushstring(L, err->message);
  lua_setfield(L, -2, "message");
  lua_pushboolean(L, err->retryable);
  lua_setfield(L, -2, "retryable");
  if (err->http_status) cds_l_set_uint(L, "status", (uint64_t)err->http_status);
  if (err->has_retry_after) cds_l_set_number(L, "retry_after", err->retry_after);
  if (err->has_clock_skew) cds_l_set_number(L, "clock_skew", err->clock_skew);
  if (err->has_offset) cds_l_set_uint(L, "offset", err->offset);
  cds_l_set_text(L, "expected", err->expected);
  cds_l_set_text(L, "body", err->body);
  luaL_getmetatable(L, CDS_L_ERROR);
  lua_setmetatable(L, -2);
}

int cds_l_fail(lua_State *L, const struct cds_error *err) {
  lua_pushnil(L);
  cds_l_push_error(L, err);
  return 2;
}

/* ---- numbers ---- */

lua_Number cds_l_check_exact(lua_State *L, int index, int64_t lowest, const char *expected) {
  lua_Number number = luaL_checknumber(L, index);
  luaL_argcheck(L, number >= (lua_Number)lowest && number <= (lua_Number)CDS_L_MAX_EXACT, index, expected);
  return number;
}

void cds_l_push_int64(lua_State *L, int64_t value) {
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)value);
#else
  char text[24];
  if (value >= -CDS_L_MAX_EXACT && value <= CDS_L_MAX_EXACT) {
    lua_pushnumber(L, (lua_Number)value);
    return;
  }
  snprintf(text, sizeof text, "%" PRId64, value);
  lua_pushstring(L, text);
#endif
}

void cds_l_push_resolution(lua_State *L, enum cds_resolution resolution) {
  static const char *const names[] = {[CDS_RESOLUTION_SECONDS] = "s", [CDS_RESOLUTION_MILLISECONDS] = "ms"};
  lua_pushstring(L, resolution < CDS_RESOLUTION_UNKNOWN ? names[resolution] : NULL); /* NULL gives nil */
}

void cds_l_push_uint64(lua_State *L, uint64_t value) {
  char text[24];
  if (value <= INT64_MAX) {
    cds_l_push_int64(L, (int64_t)value);
    return;
  }
  snprintf(text, sizeof text, "%" PRIu64, value);
  lua_pushstring(L, text);
}

/* ---- option tables ---- */

double cds_l_number(lua_State *L, int index, const char *name, double otherwise) {
  double value = otherwise;
  lua_getfield(L, index, name);
  if (lua_type(L, -1) == LUA_TNUMBER) value = (double)lua_tonumber(L, -1);
  else if (!lua_isnil(L, -1)) luaL_error(L, "option '%s' must be a number", name);
  lua_pop(L, 1);
  return value;
}

bool cds_l_boolean(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  bool value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

void cds_l_copy_text(lua_State *L, char **out, int index, const char *name) {
  lua_getfield(L, index, name);
  if (!lua_isnil(L, -1)) {
    size_t length = 0;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (!text || strlen(text) != length) luaL_error(L, "option '%s' must be a text without NUL bytes", name);
    *out = cds_strndup(text, length);
    if (!*out) luaL_error(L, "not enough memory");
  }
  lua_pop(L, 1);
}

struct cds_feed_id *cds_l_feed_ids(lua_State *L, size_t *count, int index) {
  index = cds_l_absindex(L, index);
  luaL_checktype(L, index, LUA_TTABLE);
  size_t n = cds_l_rawlen(L, index);
  if (n > CDS_MAX_FEEDS) luaL_error(L, "at most %d feed ids", CDS_MAX_FEEDS);
  struct cds_feed_id *ids = lua_newuserdata(L, n * sizeof *ids);
  struct cds_error err;
  for (size_t i = 0; i < n; i++) {
    size_t length;
    lua_rawgeti(L, index, (int)(i + 1));
    const char *text = lua_tolstring(L, -1, &length);
    if (!text) luaL_error(L, "feed id %d is not a text", (int)(i + 1));
    if (cds_feed_id_parse(&ids[i], text, length, &err) != CDS_OK) {
      cds_l_push_error(L, &err);
      lua_error(L);
    }
    lua_pop(L, 1);
  }
  *count = n;
  return ids;
}

/* ---- events ---- */

static const char *const event_kinds[] = {"log", "status", "response", "range", "range", "range", "range"};
static const char *const range_states[] = {"gap", "backfilled", "lost", "unverified"};
static const char *const level_names[] = {"debug", "info", "warn", "error", "none"};

/* Runs protected: (event) -> a table that describes it */
static int describe_event(lua_State *L) {
  const struct cds_event *event = lua_touserdata(L, 1);
  lua_createtable(L, 0, 12);
  cds_l_set_text(L, "kind", event_kinds[event->kind]);
  cds_l_set_number(L, "time", (double)event->at_ms / 1000);
  if (event->kind == CDS_EVENT_RESPONSE) {
    cds_l_set_text(L, "method", event->method);
    cds_l_set_text(L, "url", event->url);
    cds_l_set_text(L, "raw_headers", event->headers);
    cds_l_set_uint(L, "status", event->http_status > 0 ? (uint64_t)event->http_status : 0);
    cds_l_set_number(L, "elapsed", event->elapsed);
    return 1;
  }
  cds_l_set_text(L, "level", level_names[event->level]);
  cds_l_set_text(L, "message", event->message);
  cds_l_set_text(L, "origin", event->origin);
  cds_l_set_text(L, "host", event->host);
  if (event->kind >= CDS_EVENT_GAP) {
    char feed[CDS_FEED_ID_TEXT + 1];
    cds_feed_id_format(feed, &event->feed_id);
    cds_l_set_text(L, "state", range_states[event->kind - CDS_EVENT_GAP]);
    cds_l_set_text(L, "feed_id", feed);
    cds_l_set_uint(L, "from", event->from);
    cds_l_set_uint(L, "from_ms", (uint64_t)event->from_ms);
    if (!event->has_end) return 1;
    cds_l_set_uint(L, "to", event->to);
    cds_l_set_uint(L, "to_ms", (uint64_t)event->to_ms);
    return 1;
  }
  if (event->kind != CDS_EVENT_STATUS) return 1;
  cds_l_set_text(L, "state", cds_link_state_name(event->state));
  cds_l_set_uint(L, "attempt", event->attempt > 0 ? (uint64_t)event->attempt : 0);
  cds_l_set_number(L, "delay", event->delay);
  return 1;
}

bool cds_l_give_event(lua_State *L, struct cds_event **slot) {
  lua_pushcfunction(L, describe_event);
  struct cds_event *event = *slot;
  *slot = NULL;
  if (!event) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushlightuserdata(L, event);
  bool good = lua_pcall(L, 1, 1, 0) == 0;
  if (!good && !*slot) *slot = event; /* for the next try */
  else cds_event_free(event);
  if (!good) lua_error(L);
  return true;
}
