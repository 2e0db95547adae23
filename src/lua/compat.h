/* SPDX-License-Identifier: MIT
 * What differs between Lua 5.1, LuaJIT, 5.3, 5.4 and 5.5, under one name each. */
#ifndef CDS_L_COMPAT_H
#define CDS_L_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM == 502
#error "Lua 5.2 is not supported: it may be 5.5, 5.4, 5.3, 5.1 or LuaJIT"
#endif

#if LUA_VERSION_NUM < 502

#define cds_l_rawlen lua_objlen

/* Every object gets an environment table of its own in place of a user value. */
#define cds_l_setuservalue lua_setfenv
#define cds_l_getuservalue lua_getfenv

static inline int cds_l_absindex(lua_State *L, int index) {
  return index > 0 || index <= LUA_REGISTRYINDEX ? index : lua_gettop(L) + 1 + index;
}

static inline void cds_l_setfuncs(lua_State *L, const luaL_Reg *functions, int upvalues) {
  luaL_checkstack(L, upvalues + 1, "too many upvalues");
  for (; functions->name; functions++) {
    for (int i = 0; i < upvalues; i++) lua_pushvalue(L, -upvalues);
    lua_pushcclosure(L, functions->func, upvalues);
    lua_setfield(L, -(upvalues + 2), functions->name);
  }
  lua_pop(L, upvalues);
}

#else

#define cds_l_rawlen lua_rawlen
#define cds_l_setuservalue lua_setuservalue
#define cds_l_getuservalue lua_getuservalue
#define cds_l_absindex lua_absindex
#define cds_l_setfuncs luaL_setfuncs

#endif

/* Later ones call it lua_newuserdatauv; the old names remain as macros there, with one user value. For the collector one
 * without is less to do. */
#if LUA_VERSION_NUM >= 504
#define cds_l_newplain(L, size) lua_newuserdatauv((L), (size), 0)
#else
#define cds_l_newplain lua_newuserdata
#endif

#endif
