/* SPDX-License-Identifier: MIT
 * Two Lua states in two threads, each with a client of its own: nothing is shared, and neither waits for the other.
 * A line is written as one string, so that the two do not write into each other's.
 *
 *   cc examples/embed/threads.c $(pkg-config --cflags --libs lua5.4) -pthread -o threads
 *
 * The credentials come from the environment, as those of the command do. */
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

static const char script[] = "local number = ...\n"
                             "local chainlink = require 'chainlink'\n"
                             "local client = chainlink.client_from_env()\n"
                             "local feed = assert(client:get_feeds())[number]\n"
                             "local stream = client:stream { feed.id }\n"
                             "for _ = 1, 3 do\n"
                             "  local report = assert(stream:read())\n"
                             "  io.write(('%d\\t%s\\t%s\\n'):format(number, feed.name, report.price))\n"
                             "end\n"
                             "client:close()\n";

/* The thread's result is NULL when all went well. */
static void *run(void *number) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return number;
  luaL_openlibs(L);
  int status = luaL_loadstring(L, script);
  lua_pushinteger(L, (lua_Integer)(intptr_t)number);
  if (status == LUA_OK) status = lua_pcall(L, 1, 0, 0);
  if (status != LUA_OK) fprintf(stderr, "threads: %s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  return status == LUA_OK ? NULL : number;
}

int main(void) {
  pthread_t threads[2];
  int failures = 0;
  for (intptr_t i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, run, (void *)(i + 1)) != 0) return 1;
  for (int i = 0; i < 2; i++) {
    void *failed = NULL;
    pthread_join(threads[i], &failed);
    failures += failed != NULL;
  }
  return failures > 0;
}
