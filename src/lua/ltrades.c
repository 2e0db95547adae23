/* SPDX-License-Identifier: MIT
 * A stream of trades. C pops and never waits; waiting is written in Lua (lua/chainlink/trades.lua). */
#include "lua/ltrades.h"

#include "lua/lclient.h"
#include "lua/lutil.h"

struct trades {
  struct cds_trades *trades; /* NULL once freed */
  struct cds_event *event;   /* taken, not yet a table */
};

static struct trades *check_trades(lua_State *L) {
  struct trades *self = luaL_checkudata(L, 1, CDS_L_TRADES);
  if (!self->trades) luaL_argerror(L, 1, "the stream of trades is gone");
  return self;
}

/* trades(client, query, patience) -> trades | nil, err. Its user value is a table for the Lua layer. */
static int trades_open(lua_State *L) {
  struct cds_error err = {0};
  const char *query = luaL_checkstring(L, 2);
  double patience = luaL_checknumber(L, 3);
  luaL_argcheck(L, patience > 0 && patience <= 3600, 3, "out of range");
  struct trades *self = cds_l_new(L, sizeof *self, CDS_L_TRADES);
  lua_newtable(L);
  cds_l_setuservalue(L, -2);
  if (cds_trades_open(&self->trades, cds_l_check_client(L, 1), query, patience, &err) != CDS_OK)
    return cds_l_fail(L, &err);
  return 1;
}

static int trades_gc(lua_State *L) {
  struct trades *self = luaL_checkudata(L, 1, CDS_L_TRADES);
  struct cds_trades *trades = self->trades;
  self->trades = NULL;
  cds_trades_free(trades);
  cds_event_free(self->event);
  self->event = NULL;
  return 0;
}

/* trades_pop(trades) -> symbol, feed id or nil, price as the service writes it, time, time of receipt in ms | nil:
 * nothing there | false, err: it is over */
static int trades_pop(lua_State *L) {
  struct cds_trade trade;
  struct cds_error err = {0};
  switch (cds_trades_pop(&trade, check_trades(L)->trades, &err)) {
  case CDS_TRADES_EMPTY: lua_pushnil(L); return 1;
  case CDS_TRADES_OVER:
    lua_pushboolean(L, 0);
    cds_l_push_error(L, &err);
    return 2;
  case CDS_TRADES_ONE: break;
  }
  lua_pushstring(L, trade.symbol);
  if (trade.feed_id[0]) lua_pushstring(L, trade.feed_id);
  else lua_pushnil(L);
  lua_pushstring(L, trade.price);
  cds_l_push_int64(L, trade.time);
  lua_pushnumber(L, (lua_Number)trade.received_at_ms);
  return 5;
}

static int trades_event(lua_State *L) {
  struct trades *self;
  do {
    self = luaL_checkudata(L, 1, CDS_L_TRADES);
    if (!self->trades) return 0;
    if (!self->event) self->event = cds_trades_take_event(self->trades);
    if (!self->event) return 0;
  } while (!cds_l_give_event(L, &self->event));
  return 1;
}

static int trades_fd(lua_State *L) {
  lua_pushinteger(L, cds_trades_fd(check_trades(L)->trades));
  return 1;
}

static int trades_close(lua_State *L) {
  const struct trades *self = luaL_checkudata(L, 1, CDS_L_TRADES);
  if (self->trades) cds_trades_close(self->trades);
  return 0;
}

static int trades_is_closed(lua_State *L) {
  const struct trades *self = luaL_checkudata(L, 1, CDS_L_TRADES);
  lua_pushboolean(L, !self->trades || cds_trades_is_closed(self->trades));
  return 1;
}

static int trades_stats(lua_State *L) {
  struct cds_trades_stats stats;
  cds_trades_stats(&stats, check_trades(L)->trades);
  lua_createtable(L, 0, 8);
  cds_l_set_uint(L, "received", stats.received);
  cds_l_set_uint(L, "heartbeats", stats.heartbeats);
  cds_l_set_uint(L, "ignored", stats.ignored);
  cds_l_set_uint(L, "dropped", stats.dropped);
  cds_l_set_uint(L, "decode_errors", stats.decode_errors);
  cds_l_set_uint(L, "reconnects", stats.reconnects);
  cds_l_set_uint(L, "queue_length", stats.waiting);
  lua_pushboolean(L, stats.is_connected);
  lua_setfield(L, -2, "connected");
  return 1;
}

static const luaL_Reg metamethods[] = {{"__gc", trades_gc}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"trades", trades_open},        {"trades_pop", trades_pop},
                                     {"trades_event", trades_event}, {"trades_fd", trades_fd},
                                     {"trades_close", trades_close}, {"trades_is_closed", trades_is_closed},
                                     {"trades_stats", trades_stats}, {NULL, NULL}};

void cds_l_open_trades(lua_State *L) {
  cds_l_metatable(L, CDS_L_TRADES, metamethods);
  lua_setfield(L, -2, "trades_metatable");
  cds_l_setfuncs(L, functions, 0);
}
