/* SPDX-License-Identifier: MIT
 * Locking and cutting files that the io library has opened. */
#include "lua/lappend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <lualib.h>

/* An open file: that it is the Lua layer has seen to. In each Lua what its userdata begins with is a FILE *. */
static FILE *check_file(lua_State *L) {
  return *(FILE **)luaL_checkudata(L, 1, LUA_FILEHANDLE);
}

/* file_lock(file) -> true, or false where another process has it; until it is closed */
static int lock(lua_State *L) {
  lua_pushboolean(L, flock(fileno(check_file(L)), LOCK_EX | LOCK_NB) == 0);
  return 1;
}

/* file_cut(file, size) -> true | nil, the reason: what is beyond is gone */
static int cut(lua_State *L) {
  FILE *file = check_file(L);
  off_t size = (off_t)luaL_checknumber(L, 2);
  if (fflush(file) == 0 && ftruncate(fileno(file), size) == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, strerror(errno));
  return 2;
}

static const luaL_Reg functions[] = {{"file_lock", lock}, {"file_cut", cut}, {NULL, NULL}};

void cds_l_open_append(lua_State *L) {
  cds_l_setfuncs(L, functions, 0);
}
