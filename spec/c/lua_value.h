/* SPDX-License-Identifier: MIT
 * What an expression of Lua is worth, with the module at hand as `core`. It is found through LUA_PATH and LUA_CPATH,
 * which the Makefile sets. */
#ifndef LUA_VALUE_H
#define LUA_VALUE_H

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>

/* Its first value as text, or the error. */
static const char *value_of(lua_State *L, const char *expression) {
  static char text[256];
  char chunk[512];
  snprintf(chunk, sizeof chunk, "local core = require 'chainlink.core'; return %s", expression);
  lua_settop(L, 0);
  bool good = luaL_loadstring(L, chunk) == 0 && lua_pcall(L, 0, 1, 0) == 0;
  if (good && lua_type(L, 1) == LUA_TNUMBER) snprintf(text, sizeof text, "%.14g", (double)lua_tonumber(L, 1));
  else if (lua_isstring(L, 1)) snprintf(text, sizeof text, "%s", lua_tostring(L, 1));
  else snprintf(text, sizeof text, "%s", lua_isnil(L, 1) ? "nil" : lua_toboolean(L, 1) ? "true" : "false");
  return text;
}

#endif
