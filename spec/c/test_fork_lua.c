/* SPDX-License-Identifier: MIT
 * A Lua host that forks, against the simulator over TLS: the child is told what is wrong, may begin anew, and ends in
 * each way without disturbing the parent's connections. test_rest and test_link look at the engine's side of it.
 * The module and the command are found through LUA_PATH, LUA_CPATH and PATH, which the Makefile sets. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

/* ThreadSanitizer allows none in a forked child; a lock of AddressSanitizer's allocator that one of the parent's threads
 * held stays locked there, and a thread that allocates much soon waits for it. */
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
#define HAS_THREADS 0
#else
#define HAS_THREADS 1
#endif

static const char script[] =
  "local how, has_threads = ...\n"
  "local faults = require 'spec.support.faults'\n"
  "local service = faults.service()\n"
  "local client, id = service.client, service.ids[1]\n"
  "local stream = service:stream()\n"
  "local reports = faults.read(stream, 3)\n"
  "local function refused(result, err)\n"
  "  assert(not result and err.kind == 'StreamClosedError' and err.message:find('fork', 1, true), tostring(err))\n"
  "end\n"
  "local function child()\n"
  "  service.sim.pipe = nil\n" /* the simulator is the parent's */
  "  refused(stream:read(60))\n"
  "  refused(stream:connect(60))\n"
  "  refused(stream:poll())\n"
  "  refused(client:get_latest_report(id))\n"
  "  refused(client:stream({ id }))\n"
  "  assert(not pcall(client:reports(id, os.time())))\n"
  "  assert(stream:stats() and client:stats() and tostring(stream) and tostring(client))\n"
  "  assert(stream:latest(id) == nil)\n"
  "  if has_threads then\n"
  "    local own = service.sim:client {}\n"
  "    assert(own:get_latest_report(id))\n"
  "    assert(own:stream({ id }):read(60))\n"
  "    own:close()\n"
  "  end\n"
  "  if how == 'close' then stream:close() client:close() end\n"
  "  if how == 'collect' then stream, client, service = nil, nil, nil collectgarbage() collectgarbage() end\n"
  "  if how == 'exit' then leave() end\n"
  "end\n"
  "for _ = 1, 5 do\n"
  "  local pid = fork()\n"
  "  if pid == 0 then return child() end\n"
  "  assert(wait(pid) == 0, 'the child failed')\n"
  "  assert(client:get_latest_report(id))\n"
  "  faults.read(stream, 5, reports)\n"
  "end\n"
  "service:check_complete(reports)\n"
  "assert(stream:stats().reconnect_count == 0)\n"
  "service:stop()\n";

static bool is_child;

static int fork_state(lua_State *L) {
  fflush(NULL);
  pid_t pid = fork();
  is_child = pid == 0;
  lua_pushinteger(L, pid);
  return 1;
}

static int wait_for(lua_State *L) {
  int status = -1;
  pid_t pid = (pid_t)luaL_checkinteger(L, 1);
  bool ended = waitpid(pid, &status, 0) == pid && WIFEXITED(status);
  lua_pushinteger(L, ended ? WEXITSTATUS(status) : -1);
  return 1;
}

/* Handlers of atexit run, but no leak checker: a child leaves what it cannot free. */
__attribute__((noreturn)) static void end_child(int status) {
#ifdef __SANITIZE_ADDRESS__
  _exit(status);
#else
  exit(status);
#endif
}

static int leave(lua_State *L) {
  (void)L;
  end_child(EXIT_SUCCESS);
}

static bool run(const char *how) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return false;
  luaL_openlibs(L);
  lua_register(L, "fork", fork_state);
  lua_register(L, "wait", wait_for);
  lua_register(L, "leave", leave);
  bool good = luaL_loadstring(L, script) == 0;
  lua_pushstring(L, how);
  lua_pushboolean(L, HAS_THREADS);
  good = good && lua_pcall(L, 2, 0, 0) == 0;
  if (!good) fprintf(stderr, "# %s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  if (is_child) end_child(good ? EXIT_SUCCESS : EXIT_FAILURE);
  return good;
}

int main(void) {
  ok(run("close"), "a child that closes what it inherited");
  ok(run("collect"), "one that collects it");
  ok(run("return"), "one that closes its Lua state");
  ok(run("exit"), "one that just exits");
  return done();
}
