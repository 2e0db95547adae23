/* SPDX-License-Identifier: MIT
 * A game's loop in C with Lua in it: 60 frames a second, each of which takes the reports that are there and never
 * waits for one.   frames [REPORTS]: ends after so many, default 10
 *
 *   cc examples/embed/frames.c $(pkg-config --cflags --libs lua5.4) -o frames
 *
 * The credentials come from the environment, as those of the command do. */
#define _POSIX_C_SOURCE 200809L
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FRAME_NS (1000000000L / 60)

static const char script[] = "local chainlink = require 'chainlink'\n"
                             "local client = chainlink.client_from_env()\n"
                             "local feed = assert(client:get_feeds())[1]\n"
                             "local stream = client:stream({ feed.id }, { overflow = 'latest' })\n"
                             "local count = 0\n"
                             "function update()\n"
                             "  for report in function() return stream:poll() end do\n"
                             "    print(feed.name, report.price)\n"
                             "    count = count + 1\n"
                             "  end\n"
                             "  return count\n"
                             "end\n"
                             "function quit() client:close() end\n";

static void fail(lua_State *L) {
  fprintf(stderr, "frames: %s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  exit(1);
}

/* Calls a global function; its number, 0 when it has none. */
static lua_Integer call(lua_State *L, const char *name) {
  lua_getglobal(L, name);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) fail(L);
  lua_Integer number = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return number;
}

static void wait_for_next_frame(struct timespec *frame) {
  frame->tv_nsec += FRAME_NS;
  if (frame->tv_nsec >= 1000000000L) {
    frame->tv_nsec -= 1000000000L;
    frame->tv_sec++;
  }
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, frame, NULL) != 0) continue;
}

int main(int argc, char **argv) {
  long wanted = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
  lua_State *L = luaL_newstate();
  if (L == NULL) return 1;
  luaL_openlibs(L);
  if (luaL_dostring(L, script) != LUA_OK) fail(L);
  struct timespec frame;
  clock_gettime(CLOCK_MONOTONIC, &frame);
  while (call(L, "update") < wanted) wait_for_next_frame(&frame);
  call(L, "quit");
  lua_close(L);
  return 0;
}
