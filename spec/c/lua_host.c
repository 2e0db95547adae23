/* SPDX-License-Identifier: MIT
 * A Lua interpreter for the sanitizer builds: lua_host SCRIPT [argument…]; LUA_INIT may name a file (@NAME). Preloading
 * a sanitizer's library into the system's interpreter would reach its children too, and shells and curl do not survive
 * that. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lua_State *host;

static void raise_interrupt(lua_State *L, lua_Debug *where) {
  (void)where;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/* As the standalone interpreter does it: the hook runs once the script does, and what the script waits for in a library,
 * such as a line of standard input, ends with EINTR. */
static void on_interrupt(int signal_number) {
  (void)signal_number;
  lua_sethook(host, raise_interrupt, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

/* The error with a traceback; error objects are told by their own words. */
static int explain(lua_State *L) {
  const char *text = luaL_tolstring(L, 1, NULL);
  luaL_traceback(L, L, text, 1);
  return 1;
}

static void push_arguments(lua_State *L, int count, char **values) {
  lua_createtable(L, count, 2);
  for (int i = 0; i < count; i++) {
    lua_pushstring(L, values[i]);
    lua_rawseti(L, -2, i - 1);
  }
  lua_setglobal(L, "arg");
}

static int begin(void) {
  const char *name = getenv("LUA_INIT");
  return name != NULL && name[0] == '@' ? luaL_loadfile(host, name + 1) || lua_pcall(host, 0, 0, 0) : LUA_OK;
}

int main(int count, char **values) {
  if (count < 2) return EXIT_FAILURE;
  host = luaL_newstate();
  if (host == NULL) return EXIT_FAILURE;
  luaL_openlibs(host);
  push_arguments(host, count, values);
  struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGINT, &action, NULL);
  lua_pushcfunction(host, explain);
  int failed = begin() || luaL_loadfile(host, strcmp(values[1], "-") == 0 ? NULL : values[1]);
  if (!failed) luaL_checkstack(host, count, "too many arguments");
  for (int i = 2; !failed && i < count; i++) lua_pushstring(host, values[i]);
  if (!failed) failed = lua_pcall(host, count - 2, 0, 1);
  if (failed) fprintf(stderr, "%s: %s\n", values[0], lua_tostring(host, -1));
  lua_close(host);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
