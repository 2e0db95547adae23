/* SPDX-License-Identifier: MIT
 * The C module chainlink.core. Private: the Lua files beside it are its only users. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr, RTLD_NODELETE */
#endif

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/trace.h"
#include "lua/lappend.h"
#include "lua/lbell.h"
#include "lua/lcall.h"
#include "lua/lclient.h"
#include "lua/ldecode.h"
#include "lua/lfile.h"
#include "lua/lprivate.h"
#include "lua/lprobe.h"
#include "lua/lrecord.h"
#include "lua/lrecorder.h"
#include "lua/lreplay.h"
#include "lua/lreport.h"
#include "lua/lschema.h"
#include "lua/lsnappy.h"
#include "lua/lsqlite.h"
#include "lua/lstream.h"
#include "lua/lterminal.h"
#include "lua/ltrades.h"
#include "lua/lverify.h"
#include "lua/lweb.h"
#include "lua/lwide.h"
#include "net/tls.h"

#define LONGEST_WAIT_MS (60 * 60 * 1000)

__attribute__((visibility("default"))) int luaopen_chainlink_core(lua_State *L);

/* wait(fd [, seconds]) -> true: readable; false: time ran out; nil: a signal came, wait again. It returns to Lua
 * on a signal so that Ctrl-C can end the script. Without seconds it may also return false, after a long time. */
static int core_wait(lua_State *L) {
  struct pollfd entry = {.fd = (int)luaL_checkinteger(L, 1), .events = POLLIN};
  double seconds = luaL_optnumber(L, 2, HUGE_VAL);
  int timeout = LONGEST_WAIT_MS;
  if (seconds < LONGEST_WAIT_MS / 1000.0) timeout = seconds > 0 ? (int)ceil(seconds * 1000) : 0;
  int ready = poll(&entry, 1, timeout); /* a negative descriptor only waits */
  if (ready >= 0) lua_pushboolean(L, ready > 0);
  else if (errno == EINTR) lua_pushnil(L);
  else return luaL_error(L, "poll failed (errno %d)", errno);
  return 1;
}

static int core_monotonic(lua_State *L) {
  lua_pushnumber(L, (lua_Number)cds_clock_mono_ns() / 1e9);
  return 1;
}

static int core_time(lua_State *L) {
  lua_pushnumber(L, (lua_Number)cds_clock_wall_ms() / 1000);
  return 1;
}

/* isatty(fd), for the command line */
static int core_isatty(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* For the command line: a write to a pipe that nobody reads fails, and does not end the process. */
static int core_ignore_sigpipe(lua_State *L) {
  (void)L;
  signal(SIGPIPE, SIG_IGN);
  return 0;
}

/* uservalue(object): the table that belongs to a client, stream or stream of trades, nil for any other value */
static int core_uservalue(lua_State *L) {
  const char *const names[] = {CDS_L_CLIENT, CDS_L_STREAM, CDS_L_TRADES};
  for (size_t i = 0; lua_isuserdata(L, 1) && i < sizeof names / sizeof *names; i++) {
    luaL_getmetatable(L, names[i]);
    if (lua_getmetatable(L, 1) && lua_rawequal(L, -1, -2)) {
      cds_l_getuservalue(L, 1);
      return 1;
    }
    lua_settop(L, 1);
  }
  return 0;
}

/* A Lua state that closes must not unload code which a thread still runs. */
static void pin_module(void) {
  Dl_info info;
  if (dladdr((void *)(intptr_t)luaopen_chainlink_core, &info) && info.dli_fname)
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

/* Refuses a process whose OpenSSL is not the one this was built for. */
static void check_library(lua_State *L) {
  struct cds_error err = {0};
  if (cds_tls_check_library(&err) != CDS_OK) luaL_error(L, "chainlink.core: %s", err.message);
}

static const luaL_Reg core_functions[] = {{"wait", core_wait},
                                          {"monotonic", core_monotonic},
                                          {"time", core_time},
                                          {"isatty", core_isatty},
                                          {"ignore_sigpipe", core_ignore_sigpipe},
                                          {"uservalue", core_uservalue},
                                          {NULL, NULL}};

static const luaL_Reg no_functions[] = {{NULL, NULL}};

int luaopen_chainlink_core(lua_State *L) {
  check_library(L);
  pin_module();
  cds_trace_begin();
  lua_newtable(L);
  cds_l_setfuncs(L, core_functions, 0);
  lua_pushliteral(L, CDS_VERSION);
  lua_setfield(L, -2, "version");
  cds_l_metatable(L, CDS_L_ERROR, no_functions);
  lua_setfield(L, -2, "error_metatable");
  cds_l_open_report(L);
  cds_l_open_decode(L);
  cds_l_open_schema(L);
  cds_l_open_snappy(L);
  cds_l_open_verify(L);
  cds_l_open_client(L);
  cds_l_open_call(L);
  cds_l_open_stream(L);
  cds_l_open_trades(L);
  cds_l_open_record(L);
  cds_l_open_recorder(L);
  cds_l_open_replay(L);
  cds_l_open_web(L);
  cds_l_open_bell(L);
  cds_l_open_wide(L);
  cds_l_open_file(L);
  cds_l_open_terminal(L);
  cds_l_open_append(L);
  cds_l_open_sqlite(L);
  cds_l_open_private(L);
  cds_l_open_probe(L);
  return 1;
}
