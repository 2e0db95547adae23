/* SPDX-License-Identifier: MIT
 * A signal that comes while a script waits is no end of its time. The module is found through LUA_PATH and LUA_CPATH,
 * which the Makefile sets. */
#include "tap.h"

#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <sys/time.h>

static void on_alarm(int signal) {
  (void)signal;
}

/* Again and again, so that one comes while the script waits, however late that is. */
static void send_signals(bool on) {
  const struct itimerval each = {.it_interval.tv_usec = on ? 20000 : 0, .it_value.tv_usec = on ? 20000 : 0};
  setitimer(ITIMER_REAL, &each, NULL);
}

/* The text's one result, in words. */
static void gives(lua_State *L, const char *text, const char *expected, const char *name) {
  lua_settop(L, 0);
  if (luaL_loadstring(L, text) != 0 || lua_pcall(L, 0, 1, 0) != 0) {
    ok(false, "%s: %s", name, lua_tostring(L, -1));
    return;
  }
  const char *got = lua_isnil(L, 1) ? "nil" : lua_isboolean(L, 1) ? lua_toboolean(L, 1) ? "true" : "false" : "other";
  is_string(got, expected, name);
}

int main(void) {
  const struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  sigaction(SIGALRM, &action, NULL);
  gives(L, "return require 'chainlink.core'.wait(-1, 0)", "false", "time that has run out");
  send_signals(true);
  gives(L, "return require 'chainlink.core'.wait(-1, 60)", "nil", "a signal is told from that");
  gives(L,
        "local core, block = require 'chainlink.core', require 'chainlink.loop.block'\n"
        "local until_time = core.monotonic() + 0.2\n"
        "return not block.wait(-1, 0.2) and core.monotonic() >= until_time",
        "true", "and a wait goes on over signals to its end");
  send_signals(false);
  lua_close(L);
  return done();
}
