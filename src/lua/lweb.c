/* SPDX-License-Identifier: MIT
 * The HTTP server userdata. lua/chainlink/web/server.lua makes answers of what comes in here. */
#include "lua/lweb.h"

#include "lua/lutil.h"
#include "web/gate.h"
#include "web/server.h"

#include <math.h>

#define WEB "chainlink.web"
#define LONGEST_WAIT_MS (60 * 60 * 1000)

struct box {
  struct cds_web_server *server;
  struct cds_web_gate *gate; /* until a server has it */
};

static struct cds_web_server *check_server(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, WEB);
  luaL_argcheck(L, box->server, 1, "the server is closed");
  return box->server;
}

static const char *field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1); /* the table keeps it */
  return text;
}

/* {key=, secret=: both or none, feeds= ids} */
static enum cds_status read_gate(lua_State *L, int table, struct box *box, struct cds_error *err) {
  const char *key = field(L, table, "key"), *secret = field(L, table, "secret");
  luaL_argcheck(L, !key == !secret, table, "a key and a secret belong together");
  enum cds_status status = cds_web_gate_new(&box->gate, key, secret, err);
  lua_getfield(L, table, "feeds");
  luaL_argcheck(L, lua_istable(L, -1), table, "feeds are a list");
  for (int i = 1; status == CDS_OK; i++) {
    lua_rawgeti(L, -1, i);
    if (lua_type(L, -1) != LUA_TSTRING) break;
    status = cds_web_gate_add(box->gate, lua_tostring(L, -1), err);
    lua_pop(L, 1);
  }
  return status;
}

/* web_open(host, port[, gate]) -> server | nil, err. port -1: host is the path of a socket */
static int web_open(lua_State *L) {
  struct cds_error err = {0};
  const char *host = luaL_checkstring(L, 1);
  int port = (int)luaL_checkinteger(L, 2);
  bool is_gated = lua_istable(L, 3);
  struct box *box = cds_l_new(L, sizeof *box, WEB);
  int at = lua_gettop(L);
  if (is_gated && read_gate(L, 3, box, &err) != CDS_OK) return cds_l_fail(L, &err);
  struct cds_web_gate *gate = box->gate;
  box->gate = NULL;
  if (cds_web_server_new(&box->server, host, port, gate, &err) != CDS_OK) return cds_l_fail(L, &err);
  lua_settop(L, at);
  return 1;
}

static int web_close(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, WEB);
  cds_web_gate_free(box->gate);
  cds_web_server_free(box->server);
  box->gate = NULL;
  box->server = NULL;
  return 0;
}

static int web_port(lua_State *L) {
  lua_pushinteger(L, cds_web_port(check_server(L)));
  return 1;
}

/* The descriptors of a table, or the one that is given; -1 is none. */
static size_t read_fds(lua_State *L, int index, int fds[CDS_WEB_MAX_WATCHED]) {
  size_t count = 0;
  if (!lua_istable(L, index)) {
    fds[0] = (int)luaL_checkinteger(L, index);
    return fds[0] >= 0;
  }
  for (int i = 1; count < CDS_WEB_MAX_WATCHED; i++) {
    lua_rawgeti(L, index, i);
    bool is_one = lua_type(L, -1) == LUA_TNUMBER;
    if (is_one) fds[count] = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (!is_one) break;
    count += fds[count] >= 0;
  }
  return count;
}

/* web_step(server, fd or {fd, …}, seconds) -> is one readable? Comes back early for any reason, a signal's too. */
static int web_step(lua_State *L) {
  struct cds_web_server *server = check_server(L);
  struct cds_error err = {0};
  int fds[CDS_WEB_MAX_WATCHED];
  size_t count = read_fds(L, 2, fds);
  double ms = luaL_checknumber(L, 3) * 1000;
  bool ready;
  int64_t wait_ms = ms < LONGEST_WAIT_MS ? ms > 0 ? (int64_t)ceil(ms) : 0 : LONGEST_WAIT_MS;
  if (cds_web_step(server, fds, count, wait_ms, &ready, &err) != CDS_OK) return luaL_error(L, "%s", err.message);
  lua_pushboolean(L, ready);
  return 1;
}

/* web_take(server) -> id, method, path, Last-Event-ID, query, status of the gate's refusal (0: none), its reason; nothing
 * when nobody asks */
static int web_take(lua_State *L) {
  struct cds_web_request request;
  struct cds_web_server *server = check_server(L);
  if (!cds_web_take(server, &request)) return 0;
  lua_pushinteger(L, (lua_Integer)request.id);
  lua_pushstring(L, request.method);
  lua_pushstring(L, request.path);
  lua_pushstring(L, request.resume);
  lua_pushstring(L, request.query);
  lua_pushinteger(L, request.refusal);
  lua_pushstring(L, request.reason);
  return 7;
}

/* web_send(server, id, text, more) -> does the connection still take what is sent? */
static int web_send(lua_State *L) {
  size_t length;
  struct cds_web_server *server = check_server(L);
  uint64_t id = (uint64_t)luaL_checkinteger(L, 2);
  const char *text = luaL_checklstring(L, 3, &length);
  lua_pushboolean(L, cds_web_send(server, id, text, length, lua_toboolean(L, 4)));
  return 1;
}

/* web_tell(server, number of the gate's feed from 1, message) -> how many WebSockets it goes to */
static int web_tell(lua_State *L) {
  size_t length;
  struct cds_web_server *server = check_server(L);
  lua_Integer feed = luaL_checkinteger(L, 2);
  const char *text = luaL_checklstring(L, 3, &length);
  luaL_argcheck(L, feed >= 1 && (size_t)feed <= cds_web_feeds(server), 2, "there is no such feed");
  lua_pushinteger(L, (lua_Integer)cds_web_tell(server, (size_t)feed - 1, text, length));
  return 1;
}

void cds_l_open_web(lua_State *L) {
  static const luaL_Reg metamethods[] = {{"__gc", web_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
    {"web_open", web_open}, {"web_close", web_close}, {"web_port", web_port}, {"web_step", web_step},
    {"web_take", web_take}, {"web_send", web_send},   {"web_tell", web_tell}, {NULL, NULL}};
  cds_l_metatable(L, WEB, metamethods);
  lua_pop(L, 1);
  cds_l_setfuncs(L, functions, 0);
}
