/* SPDX-License-Identifier: MIT
 * chainlink.simulator: run(options) serves until SIGINT or SIGTERM. Options are checked in Lua before
 * (chainlink.cli.simulate); all memory of this file is Lua's, so that an error cannot leak any. */
#include "base/private_file.h"
#include "lua/compat.h"
#include "simulator/simulator.h"

#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

static volatile bool stop; /* the signal handlers' only means */
static volatile sig_atomic_t stop_signal;

struct ready_call {
  lua_State *L;
  int function, callback; /* stack indexes: push_ready and the script's function */
  bool failed;            /* the error is on the stack's top */
  const struct cds_sim_ready *ready;
};

static void set_stop(int signal_number) {
  stop_signal = signal_number;
  stop = true;
}

/* Runs protected: (callback, ready) */
static int push_ready(lua_State *L) {
  const struct cds_sim_ready *ready = lua_touserdata(L, 2);
  lua_settop(L, 1);
  lua_createtable(L, 0, 6);
  lua_pushinteger(L, ready->port);
  lua_setfield(L, -2, "port");
  lua_pushinteger(L, (lua_Integer)getpid());
  lua_setfield(L, -2, "pid");
  lua_pushstring(L, ready->rest_url);
  lua_setfield(L, -2, "rest_url");
  lua_pushstring(L, ready->ws_url);
  lua_setfield(L, -2, "ws_url");
  lua_pushstring(L, ready->ca_file); /* nil when plain */
  lua_setfield(L, -2, "ca_file");
  lua_pushstring(L, ready->oracles);
  lua_setfield(L, -2, "oracles");
  lua_call(L, 1, 0);
  return 0;
}

/* The simulator holds memory here, so nothing may raise: stack slots are reserved, the rest is protected. */
static void on_ready(const struct cds_sim_ready *ready, void *context) {
  struct ready_call *call = context;
  lua_pushvalue(call->L, call->function);
  lua_pushvalue(call->L, call->callback);
  lua_pushlightuserdata(call->L, (void *)(uintptr_t)ready);
  if (lua_pcall(call->L, 2, 0, 0) == 0) return;
  call->failed = true;
  stop = true;
}

/* The stack index of the table that holds the options' texts while run() runs: the options table may be changed. */
#define TEXTS 2

/* Pops a value: its text, or NULL when it is none. */
static const char *keep_text(lua_State *L) {
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  luaL_ref(L, TEXTS);
  return text;
}

static const char *text_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  return keep_text(L);
}

static const char *needed_text(lua_State *L, int table, const char *name) {
  const char *text = text_field(L, table, name);
  if (!text) luaL_error(L, "option '%s' must be a text", name);
  return text;
}

static double number_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  if (lua_type(L, -1) != LUA_TNUMBER) luaL_error(L, "option '%s' must be a number", name);
  double value = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value;
}

static bool flag_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  bool value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* A list of strings; the array is left on the stack. NULL and 0 when the field is absent. */
static const char *const *list_field(lua_State *L, int table, const char *name, size_t *count) {
  *count = 0;
  lua_getfield(L, table, name);
  if (!lua_istable(L, -1)) return NULL; /* the nil stays in the array's place */
  *count = cds_l_rawlen(L, -1);
  const char **list = lua_newuserdata(L, *count * sizeof *list);
  for (size_t i = 0; i < *count; i++) {
    lua_rawgeti(L, -2, (int)i + 1);
    const char *text = keep_text(L);
    list[i] = text ? text : "";
  }
  lua_remove(L, -2);
  return list;
}

static void read_keys(lua_State *L, int table, struct cds_sim_options *options) {
  lua_getfield(L, table, "keys");
  luaL_checktype(L, -1, LUA_TTABLE);
  int keys = lua_gettop(L);
  options->key_count = cds_l_rawlen(L, keys);
  struct cds_sim_key *list = lua_newuserdata(L, options->key_count * sizeof *list);
  luaL_checkstack(L, (int)options->key_count + 8, "too many keys");
  for (size_t i = 0; i < options->key_count; i++) {
    lua_rawgeti(L, keys, (int)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    int entry = lua_gettop(L);
    list[i] = (struct cds_sim_key){.key = text_field(L, entry, "key"), .secret = text_field(L, entry, "secret")};
    if (!list[i].key || !list[i].secret) luaL_error(L, "keys[%d] needs a key and a secret", (int)i + 1);
    list[i].feeds = list_field(L, entry, "feeds", &list[i].feed_count);
    lua_remove(L, entry); /* the feeds' array stays */
  }
  options->keys = list;
}

static void read_options(lua_State *L, int table, struct cds_sim_options *options) {
  options->host = needed_text(L, table, "host");
  options->port = (int)number_field(L, table, "port");
  options->plain = flag_field(L, table, "plain");
  options->certificate_dir = text_field(L, table, "certificate_dir");
  options->certificate = needed_text(L, table, "certificate");
  options->seed = (uint64_t)number_field(L, table, "seed");
  options->rate = (int)number_field(L, table, "rate");
  options->fast_count = (size_t)number_field(L, table, "fast_count");
  options->fast_rate = (int)number_field(L, table, "fast_rate");
  options->ms_count = (size_t)number_field(L, table, "ms_count");
  options->outages = list_field(L, table, "outages", &options->outage_count);
  options->irregular = (size_t)number_field(L, table, "irregular");
  options->presign = (unsigned)number_field(L, table, "presign");
  options->oracles = (int)number_field(L, table, "oracles");
  options->signers = (int)number_field(L, table, "signers");
  options->rate_limit = number_field(L, table, "rate_limit");
  options->clock_offset = number_field(L, table, "clock_offset");
  options->replays = list_field(L, table, "replay", &options->replay_count);
  options->replay_speed = number_field(L, table, "speed");
  options->replay_loops = flag_field(L, table, "loop");
  options->origins = list_field(L, table, "origins", &options->origin_count);
  options->faults = list_field(L, table, "faults", &options->fault_count);
  options->feeds = list_field(L, table, "feed_ids", &options->feed_count);
  if (!options->feeds) options->feed_count = (size_t)number_field(L, table, "feeds");
  luaL_argcheck(L, options->origin_count > 0, 1, "origins must be a list of names");
  read_keys(L, table, options);
}

static void die_with_parent(bool wanted) {
#ifdef __linux__
  pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, wanted ? SIGTERM : 0);
  if (getppid() != parent) stop = true; /* it went in between */
#else
  (void)wanted;
#endif
}

static enum cds_status serve(const struct cds_sim_options *options, bool with_parent, struct ready_call *call,
                             struct cds_error *err) {
  struct sigaction handler = {.sa_handler = set_stop}, interrupt, terminate;
  sigemptyset(&handler.sa_mask);
  stop = false;
  stop_signal = 0;
  sigaction(SIGINT, &handler, &interrupt);
  sigaction(SIGTERM, &handler, &terminate);
  if (with_parent) die_with_parent(true);
  enum cds_status status = cds_sim_run(options, &stop, on_ready, call, err);
  if (with_parent) die_with_parent(false);
  sigaction(SIGINT, &interrupt, NULL);
  sigaction(SIGTERM, &terminate, NULL);
  return status;
}

/* run(options) -> "interrupted" (by SIGINT) or "terminated" | nil, message. Calls options.on_ready{port, pid, rest_url,
 * ws_url, ca_file, oracles} once it listens. */
static int run(lua_State *L) {
  struct cds_sim_options options = {0};
  struct cds_error err = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_newtable(L); /* TEXTS */
  read_options(L, 1, &options);
  bool with_parent = flag_field(L, 1, "exit_with_parent");
  struct ready_call call = {.L = L};
  lua_pushcfunction(L, push_ready);
  call.function = lua_gettop(L);
  lua_getfield(L, 1, "on_ready");
  luaL_checktype(L, -1, LUA_TFUNCTION);
  call.callback = lua_gettop(L);
  luaL_checkstack(L, 8, "no room on the stack");
  enum cds_status status = serve(&options, with_parent, &call, &err);
  if (call.failed) return lua_error(L);
  if (status != CDS_OK) {
    lua_pushnil(L);
    lua_pushstring(L, err.message);
    return 2;
  }
  lua_pushstring(L, stop_signal == SIGINT ? "interrupted" : "terminated");
  return 1;
}

/* write_private(path, text) -> true | nil, message */
static int write_private(lua_State *L) {
  struct cds_error err = {0};
  size_t length;
  const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
  if (cds_private_file_new(path, text, length, &err) == CDS_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, err.message);
  return 2;
}

__attribute__((visibility("default"))) int luaopen_chainlink_simulator(lua_State *L);

int luaopen_chainlink_simulator(lua_State *L) {
  static const luaL_Reg functions[] = {{"run", run}, {"write_private", write_private}, {NULL, NULL}};
  lua_newtable(L);
  cds_l_setfuncs(L, functions, 0);
  return 1;
}
