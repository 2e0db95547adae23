/* SPDX-License-Identifier: MIT
 * The call userdata: one REST request under way. It stays inside the Lua layer; scripts see only results. */
#include "lua/lcall.h"

#include "lua/lclient.h"
#include "lua/lreport.h"
#include "lua/lroom.h"

#include <string.h>

struct call {
  struct cds_call *call;     /* NULL once freed */
  struct cds_report *report; /* taken, not yet a userdata */
  struct cds_event *event;   /* taken, not yet a table */
};

static struct call *check_call(lua_State *L) {
  struct call *self = luaL_checkudata(L, 1, CDS_L_CALL);
  if (!self->call) luaL_argerror(L, 1, "the call is over");
  return self;
}

static const char *const operations[] = {"get_feeds",   "get_latest_report", "get_report",
                                         "get_reports", "get_report_page",   NULL};

/* call(client, operation, ids, timestamp, limit) -> call | nil, err */
static int call_start(lua_State *L) {
  struct cds_call_args args = {.operation = (enum cds_operation)luaL_checkoption(L, 2, NULL, operations)};
  struct cds_error err = {0};
  args.timestamp = (uint32_t)luaL_optnumber(L, 4, 0);
  args.limit = (uint32_t)luaL_optnumber(L, 5, 0);
  if (!lua_isnoneornil(L, 3)) args.feeds = cds_l_feed_ids(L, &args.feed_count, 3);
  struct call *self = cds_l_new(L, sizeof *self, CDS_L_CALL);
  if (cds_call_start(&self->call, cds_l_check_client(L, 1), &args, &err) != CDS_OK) return cds_l_fail(L, &err);
  return 1;
}

/* post(client, body) -> call | nil, err: JSON to the client's REST endpoint itself, not signed */
static int call_post(lua_State *L) {
  struct cds_error err = {0};
  size_t length;
  const char *body = luaL_checklstring(L, 2, &length);
  struct call *self = cds_l_new(L, sizeof *self, CDS_L_CALL);
  if (cds_call_post(&self->call, cds_l_check_client(L, 1), body, length, &err) != CDS_OK) return cds_l_fail(L, &err);
  return 1;
}

/* discover(client, query, anonymous) -> call | nil, err: the catalogue of feeds by an encoded query */
static int call_discover(lua_State *L) {
  struct cds_error err = {0};
  const char *query = luaL_checkstring(L, 2);
  bool anonymous = lua_toboolean(L, 3);
  struct call *self = cds_l_new(L, sizeof *self, CDS_L_CALL);
  if (cds_call_discover(&self->call, cds_l_check_client(L, 1), query, anonymous, &err) != CDS_OK)
    return cds_l_fail(L, &err);
  return 1;
}

/* authorize(client) -> call | nil, err: a token of the candlestick service */
static int call_authorize(lua_State *L) {
  struct cds_error err = {0};
  struct call *self = cds_l_new(L, sizeof *self, CDS_L_CALL);
  if (cds_call_authorize(&self->call, cds_l_check_client(L, 1), &err) != CDS_OK) return cds_l_fail(L, &err);
  return 1;
}

/* prices(client, what, query, token) -> call | nil, err: groups, symbols or candles by an encoded query */
static int call_prices(lua_State *L) {
  static const char *const names[] = {"groups", "symbols", "candles", NULL};
  static const enum cds_operation operations_of[] = {CDS_GET_GROUPS, CDS_GET_SYMBOLS, CDS_GET_CANDLES};
  struct cds_error err = {0};
  enum cds_operation operation = operations_of[luaL_checkoption(L, 2, NULL, names)];
  const char *query = luaL_checkstring(L, 3), *token = luaL_checkstring(L, 4);
  struct call *self = cds_l_new(L, sizeof *self, CDS_L_CALL);
  if (cds_call_prices(&self->call, cds_l_check_client(L, 1), operation, query, token, &err) != CDS_OK)
    return cds_l_fail(L, &err);
  return 1;
}

static int call_gc(lua_State *L) {
  struct call *self = luaL_checkudata(L, 1, CDS_L_CALL);
  struct cds_call *call = self->call;
  self->call = NULL;
  cds_call_free(call);
  cds_report_unref(self->report);
  self->report = NULL;
  cds_event_free(self->event);
  self->event = NULL;
  return 0;
}

static int call_fd(lua_State *L) {
  lua_pushinteger(L, cds_call_fd(check_call(L)->call));
  return 1;
}

static int call_done(lua_State *L) {
  lua_pushboolean(L, cds_call_is_done(check_call(L)->call));
  return 1;
}

static int call_event(lua_State *L) {
  struct call *self;
  do {
    self = check_call(L);
    if (!self->event) self->event = cds_call_take_event(self->call);
    if (!self->event) return 0;
  } while (!cds_l_give_event(L, &self->event));
  return 1;
}

/* The body by way of a copy: what makes a text may free the call before it reads. */
static void push_body(lua_State *L, size_t length) {
  char *copy = lua_newuserdata(L, length);
  memcpy(copy, cds_call_body(check_call(L)->call, &length), length);
  lua_pushlstring(L, copy, length);
  lua_replace(L, -2);
}

/* Pushes the next report; false when there is none. */
static bool push_next_report(lua_State *L, int metatable) {
  struct call *self;
  do {
    self = check_call(L);
    if (!self->report) self->report = cds_call_take_report(self->call);
    if (!self->report) return false;
  } while (!cds_l_give_report(L, &self->report, metatable));
  return true;
}

static void push_reports(lua_State *L) {
  lua_newtable(L);
  luaL_getmetatable(L, CDS_L_REPORT);
  for (int i = 1; push_next_report(L, -1); i++) lua_rawseti(L, -3, i);
  lua_pop(L, 1);
}

/* call_result(call) -> reports, http status, next page | body, http status | nil, err. Only when it is done. Of a
 * discovery the third value is the seconds for which the body may be kept. */
static int call_result(lua_State *L) {
  struct call *self = check_call(L);
  struct cds_error err = {0};
  size_t length;
  int64_t next;
  luaL_argcheck(L, cds_call_is_done(self->call), 1, "the call is under way");
  if (cds_call_error(self->call, &err) != CDS_OK) return cds_l_fail(L, &err);
  if (cds_call_body(self->call, &length)) push_body(L, length);
  else push_reports(L);
  self = check_call(L);
  lua_pushinteger(L, cds_call_http_status(self->call));
  double keep = cds_call_keep_seconds(self->call);
  if (keep > 0) {
    lua_pushnumber(L, keep);
    return 3;
  }
  if (!cds_call_next_page(self->call, &next)) return 2;
  cds_l_push_int64(L, next);
  return 3;
}

static const luaL_Reg metamethods[] = {{"__gc", call_gc}, {"__close", call_gc}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"call", call_start},
                                     {"post", call_post},
                                     {"discover", call_discover},
                                     {"authorize", call_authorize},
                                     {"prices", call_prices},
                                     {"call_free", call_gc},
                                     {"call_fd", call_fd},
                                     {"call_done", call_done},
                                     {"call_event", call_event},
                                     {"call_result", call_result},
                                     {NULL, NULL}};

void cds_l_open_call(lua_State *L) {
  cds_l_metatable(L, CDS_L_CALL, metamethods);
  lua_pop(L, 1);
  cds_l_setfuncs(L, functions, 0);
}
