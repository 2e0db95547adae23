/* SPDX-License-Identifier: MIT
 * The HTTP server userdata. lua/chainlink/web/server.lua makes answers of what comes in here. */
#include "lua/lweb.h"

#include "lua/lutil.h"
#include "web/server.h"

#include <math.h>

#define WEB "chainlink.web"
#define LONGEST_WAIT_MS (60 * 60 * 1000)

struct box {
  struct cds_web_server *server;
};

static struct cds_web_server *check_server(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, WEB);
  luaL_argcheck(L, box->server, 1, "the server is closed");
  return box->server;
}

/* web_open(host, port) -> server | nil, err */
static int web_open(lua_State *L) {
  struct cds_error err = {0};
  const char *host = luaL_checkstring(L, 1);
  int port = (int)luaL_checkinteger(L, 2);
  struct box *box = cds_l_new(L, sizeof *box, WEB);
  return cds_web_server_new(&box->server, host, port, &err) == CDS_OK ? 1 : cds_l_fail(L, &err);
}

static int web_close(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, WEB);
  cds_web_server_free(box->server);
  box->server = NULL;
  return 0;
}

static int web_port(lua_State *L) {
  lua_pushinteger(L, cds_web_port(check_server(L)));
  return 1;
}

/* web_step(server, fd, seconds) -> is fd readable? Comes back early for any reason, a signal's too. */
static int web_step(lua_State *L) {
  struct cds_web_server *server = check_server(L);
  struct cds_error err = {0};
  int fd = (int)luaL_checkinteger(L, 2);
  double ms = luaL_checknumber(L, 3) * 1000;
  bool ready;
  int64_t wait_ms = ms < LONGEST_WAIT_MS ? ms > 0 ? (int64_t)ceil(ms) : 0 : LONGEST_WAIT_MS;
  if (cds_web_step(server, fd, wait_ms, &ready, &err) != CDS_OK) return luaL_error(L, "%s", err.message);
  lua_pushboolean(L, ready);
  return 1;
}

/* web_take(server) -> id, method, path, Last-Event-ID; nothing when nobody asks */
static int web_take(lua_State *L) {
  struct cds_web_request request;
  struct cds_web_server *server = check_server(L);
  luaL_checkstack(L, 4, NULL);
  if (!cds_web_take(server, &request)) return 0;
  lua_pushinteger(L, (lua_Integer)request.id);
  lua_pushstring(L, request.method);
  lua_pushstring(L, request.path);
  lua_pushstring(L, request.resume);
  return 4;
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

void cds_l_open_web(lua_State *L) {
  static const luaL_Reg metamethods[] = {{"__gc", web_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"web_open", web_open},
                                       {"web_close", web_close},
                                       {"web_port", web_port},
                                       {"web_step", web_step},
                                       {"web_take", web_take},
                                       {"web_send", web_send},
                                       {NULL, NULL}};
  cds_l_metatable(L, WEB, metamethods);
  lua_pop(L, 1);
  cds_l_setfuncs(L, functions, 0);
}
