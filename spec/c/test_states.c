/* SPDX-License-Identifier: MIT
 * Lua states come and go in one process: with clients, calls and streams that are left open. Threads, descriptors and
 * memory do not pile up, and closing a state, which unloads its modules, takes no code away from under anything.
 * The module is found through LUA_PATH and LUA_CPATH, which the Makefile sets. */
#include <lauxlib.h>
#include <lualib.h>

#include "entries.h"
#include "stream_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STATES 250
#else
#define STATES 1000
#endif
#define WARM_UP 100      /* what libraries keep for ever is there by then */
#define NETWORK_EVERY 10 /* such a state talks to the server, the others only make a client */
#define SLACK (8 * 1024) /* bytes that an allocator may set aside; a leak of 9 bytes a state shows */

static const char script[] =
  "local port, talks = ...\n"
  "local chainlink = require 'chainlink'\n"
  "local feed = '0x0003' .. ('0'):rep(58) .. '01'\n"
  "local client = chainlink.client { api_key = 'key', api_secret = 'hunter2', proxy = false,\n"
  "  price_url = 'http://127.0.0.1:1',\n"
  "  max_retries = 0, rest_url = 'http://127.0.0.1:1', ws_url = 'ws://127.0.0.1:' .. port,\n"
  "  logger = function() end, log_level = 'debug' }\n"
  "local core = require 'chainlink.core'\n" /* what is read before an option is wrong goes with the error */
  "assert(not pcall(core.client, { api_key = 'key', api_secret = 'hunter2', rest_url = 'http://127.0.0.1:1',\n"
  "  price_url = 'http://127.0.0.1:1', ws_urls = { 'ws://127.0.0.1:1' }, proxy = 5,\n"
  "  headers = { { name = 'X-A', value = 'b' } } }))\n"
  "if talks then\n"
  "  stream = client:stream({ feed })\n" /* a global: open when the state is closed */
  "  assert(stream:read(60))\n"
  "  assert(stream:latest(feed))\n"
  "  assert(not client:get_latest_report(feed))\n" /* nothing listens; the REST thread runs on */
  "  trades = client:trades { 'A' }\n"
  "else client:close() end\n";

static void send_reports(struct ws_server *server, int number, int fd) {
  (void)number;
  if (ws_accept(server, fd) && ws_send_message(fd, next_message(1, 1)) && ws_send_message(fd, next_message(1, 2)))
    ws_attend(fd);
}

struct usage {
  int descriptors, threads;
  size_t bytes;
};

static struct usage measure(void) {
  return (struct usage){count_entries("/proc/self/fd"), count_threads(), count_heap_bytes()};
}

/* A thread is joined a little before the system has forgotten it. */
static struct usage measure_at_most(const struct usage *before) {
  struct usage usage = measure();
  for (int i = 0; i < WAIT_MS / 10 && (usage.threads > before->threads || usage.descriptors > before->descriptors);
       i++) {
    usleep(10000);
    usage = measure();
  }
  return usage;
}

static bool run_state(int port, bool talks) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return false;
  luaL_openlibs(L);
  bool good = luaL_loadstring(L, script) == 0;
  lua_pushinteger(L, port);
  lua_pushboolean(L, talks);
  good = good && lua_pcall(L, 2, 0, 0) == 0;
  if (!good) printf("# %s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  return good;
}

static int run_states(int port, int count) {
  int good = 0;
  for (int i = 0; i < count; i++) good += run_state(port, i % NETWORK_EVERY == 0);
  return good;
}

/* Of the process's memory map; true where there is none to look into. */
static bool is_loaded(const char *library) {
  char line[4096];
  bool found = false;
  FILE *maps = fopen("/proc/self/maps", "r");
  if (maps == NULL) return true;
  while (!found && fgets(line, sizeof line, maps) != NULL) found = strstr(line, library) != NULL;
  fclose(maps);
  return found;
}

int main(void) {
  struct ws_server *server = ws_start(send_reports, NULL);
  is_number(run_states(server->port, WARM_UP), WARM_UP, "the first states come and go");
  struct usage before = measure();
  is_number(run_states(server->port, STATES - WARM_UP), STATES - WARM_UP, "and the others");
  struct usage after = measure_at_most(&before);
  is_number(after.descriptors, before.descriptors, "no descriptor is left");
  is_number(after.threads, before.threads, "no thread is left");
  if (!ok(after.bytes < before.bytes + SLACK, "no memory is left"))
    printf("# %zu bytes before, %zu after\n", before.bytes, after.bytes);
  ok(is_loaded("/chainlink/core.so"), "the module stays, as a thread that ends late still runs in it");
  ws_stop(server);
  return done();
}
