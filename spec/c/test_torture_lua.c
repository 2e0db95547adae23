/* SPDX-License-Identifier: MIT
 * A Lua state whose memory ends after n allocations, for every n: decoding, a REST call, a stream. Each ends in Lua's
 * "not enough memory" or in a good result, leaves nothing behind, and the same state works on afterwards.
 * The module is found through LUA_PATH and LUA_CPATH, which the Makefile sets. */
#include <lauxlib.h>
#include <lualib.h>

#include "entries.h"
#include "envelope.h"
#include "http_server.h"
#include "tap.h"
#include "ws_server.h"

#define MAX_ALLOCATIONS 20000
#define SLACK (8 * 1024) /* bytes that an allocator may set aside */
#define RUNS_BETWEEN_GOOD_ONES 16

struct heap {
  long made, allowed; /* allowed: how many more may be made, negative for all */
  long refused;
  size_t bytes; /* in use */
};

static void *allocate(void *context, void *memory, size_t old_size, size_t size) {
  struct heap *heap = context;
  size_t before = memory != NULL ? old_size : 0;
  if (size == 0) {
    free(memory);
    heap->bytes -= before;
    return NULL;
  }
  if (size > before && heap->allowed >= 0 && heap->made++ >= heap->allowed) {
    heap->refused++;
    return NULL;
  }
  void *new = realloc(memory, size);
  if (new != NULL) heap->bytes += size - before;
  return new;
}

/* ---- what is run: functions of a table, given the port of a server ---- */

static const char script[] =
  "local hex, limit = ...\n"
  "local core = require 'chainlink.core'\n"
  "local chainlink = require 'chainlink'\n"
  "local feed = '0x0003' .. ('0'):rep(58) .. '01'\n"
  "local function read_all(report)\n"
  "  for _, field in ipairs(chainlink.schemas[report.version].fields) do\n"
  "    assert(report[field.name] ~= nil)\n"
  "    if field.type ~= 'bytes32' then assert(report:exact(field.name), report:raw(field.name)) end\n"
  "  end\n"
  "  assert(#report.signatures == 2 and report.feed_id == feed and #report.full_report > 1000)\n"
  "  assert(report.report_context[3] and report.config_digest and tostring(report) and report:to_table())\n"
  "end\n"
  "local function client(port)\n"
  "  return chainlink.client { api_key = 'key', api_secret = 'hunter2', max_retries = 0, timeout = 20, proxy = false,\n"
  "    headers = { ['X-A'] = 'b', ['X-C'] = 'd' },\n"
  "    rest_url = 'http://127.0.0.1:' .. port, ws_url = 'ws://127.0.0.1:' .. port,\n"
  "    logger = function() end, log_level = 'debug' }\n"
  "end\n"
  "local run = {}\n"
  "function run.decode() read_all(assert(chainlink.decode(hex))) end\n"
  "function run.refuse()\n"
  "  local report, err = chainlink.decode(hex:sub(1, 500))\n"
  "  assert(not report and err.kind == 'DecodeError' and tostring(err))\n"
  "end\n"
  "function run.rest(port)\n"
  "  local c = client(port)\n"
  "  read_all(assert(c:get_latest_report(feed)))\n"
  "  assert(c:stats().requests == 1)\n"
  "  c:close()\n"
  "end\n"
  "function run.stream(port)\n"
  "  local c = client(port)\n"
  "  local s = assert(c:stream({ feed }))\n"
  "  read_all(assert(s:read(20)))\n"
  "  assert(s:latest(feed) and s:stats().accepted == 1)\n"
  "  s:close()\n"
  "  c:close()\n"
  "end\n"
  /* a report that found no room waits for the next poll, and an event for the next look */
  "function run.keep(port)\n"
  "  local c = client(port)\n"
  "  local s = assert(c:stream({ feed }))\n"
  "  repeat core.wait(core.stream_fd(s), 20) until core.stream_stats(s).queue_length == 1\n"
  "  local function ask(take)\n"
  "    for allowed = 0, 1000 do\n"
  "      limit(allowed)\n"
  "      local ok, value = pcall(take, s)\n"
  "      limit(-1)\n"
  "      if ok then return value, allowed end\n"
  "      assert(value == 'not enough memory', value)\n"
  "    end\n"
  "  end\n"
  "  local report, allowed = ask(core.stream_pop)\n"
  "  assert(report.feed_id == feed and allowed > 0, allowed)\n"
  "  assert(core.stream_pop(s) == nil)\n"
  "  local event\n"
  "  event, allowed = ask(core.stream_event)\n"
  "  assert(event.state == 'connecting' or event.kind == 'log', event.state)\n"
  "  assert(allowed > 1, allowed)\n"
  "  s:close()\n"
  "  c:close()\n"
  "end\n"
  /* what found no room and is not asked for again goes with what it was of */
  "local function rounds(port, give_up)\n"
  "  for _ = 1, 50 do\n"
  "    local c = client(port)\n"
  "    give_up(c)\n"
  "    limit(-1)\n"
  "    core.client_close(c)\n"
  "    c = nil\n"
  "    collectgarbage()\n"
  "    collectgarbage()\n"
  "  end\n"
  "end\n"
  "local function refused(allowed, ...)\n"
  "  limit(allowed)\n"
  "  local ok, why = pcall(...)\n"
  "  limit(-1)\n"
  "  assert(not ok and why == 'not enough memory', why)\n"
  "end\n"
  "function run.leave_stream(port)\n"
  "  rounds(port, function(c)\n"
  "    local s = assert(core.stream(c, { feed }, { log_level = 'debug' }))\n"
  "    repeat core.wait(core.stream_fd(s), 20) until core.stream_stats(s).queue_length == 1\n"
  "    refused(0, core.stream_pop, s)\n"
  "    refused(0, core.stream_event, s)\n"
  "    core.stream_close(s)\n"
  "  end)\n"
  "end\n"
  "function run.leave_call(port)\n"
  "  rounds(port, function(c)\n"
  "    local call = assert(core.call(c, 'get_latest_report', { feed }))\n"
  "    repeat core.wait(core.call_fd(call), 20) until core.call_done(call)\n"
  "    refused(0, core.call_event, call)\n"
  "    refused(1, core.call_result, call)\n" /* there is room for the table, and none for the report */
  "  end)\n"
  "end\n"
  "function run.require()\n"
  "  for name in pairs(package.loaded) do\n"
  "    if name:find('^chainlink') then package.loaded[name] = nil end\n"
  "  end\n"
  "  assert(require('chainlink').decode(hex))\n"
  "end\n"
  "return run\n";

/* ---- servers ---- */

static struct sample sample;
static char message[ENVELOPE_MAX];

/* A report of version 3 and feed 1, and the message that carries it. */
static void write_message(void) {
  uint8_t blob[SAMPLE_MAX];
  size_t length = sample_blob(blob, cds_schema_find(3));
  memset(blob, 0, 32);
  blob[1] = 3;
  blob[31] = 1;
  sample_put(blob + 32, 1700000000);
  sample_put(blob + 64, 1700000000);
  sample_report(&sample, blob, length, 2);
  envelope_message(message, &sample, blob, 1700000000, 1700000000);
}

static int serve_nothing(void **server) {
  *server = NULL;
  return 0;
}

static void stop_nothing(void *server) {
  (void)server;
}

static int serve_rest(void **server) {
  static char text[ENVELOPE_MAX + 128];
  snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(message), message);
  struct http_step step = {text, strlen(text), HTTP_KEEP};
  struct http_server *started = http_start(&step, 1);
  *server = started;
  return started->port;
}

static void stop_rest(void *server) {
  http_stop(server);
  http_free(server);
}

static void send_report(struct ws_server *server, int number, int fd) {
  (void)number;
  if (ws_accept(server, fd) && ws_send_message(fd, message)) ws_attend(fd);
}

static int serve_stream(void **server) {
  struct ws_server *started = ws_start(send_report, NULL);
  *server = started;
  return started->port;
}

static void stop_stream(void *server) {
  ws_stop(server);
}

/* ---- runs ---- */

struct run {
  const char *name;
  int (*serve)(void **server);
  void (*stop)(void *server);
  long step; /* 1: every allocation */
};

/* Calls the function of the table at the stack's top; the status of lua_pcall, whose error is left on the stack. */
static int call(lua_State *L, struct heap *heap, const struct run *run, long allowed) {
  void *server;
  int port = run->serve(&server);
  lua_getfield(L, 1, run->name);
  lua_pushinteger(L, port);
  heap->made = heap->refused = 0;
  heap->allowed = allowed;
  int status = lua_pcall(L, 1, 0, 0);
  heap->allowed = -1;
  if (status == 0) lua_pushliteral(L, "");
  long refused = heap->refused;
  lua_gc(L, LUA_GCCOLLECT, 0); /* what the error left behind is closed here */
  heap->refused = refused;
  run->stop(server);
  return status;
}

static bool is_memory_error(lua_State *L) {
  const char *text = luaL_tolstring(L, -1, NULL);
  bool good = strstr(text, "not enough memory") != NULL;
  lua_pop(L, 1);
  return good;
}

static bool works(lua_State *L, struct heap *heap, const struct run *run) {
  bool good = call(L, heap, run, -1) == 0;
  if (!good) printf("# %s\n", luaL_tolstring(L, -1, NULL));
  lua_settop(L, 1);
  return good;
}

static void torture(lua_State *L, struct heap *heap, const struct run *run) {
  long allowed = 0, wrong = 0;
  bool refused = true, alive = works(L, heap, run);
  for (; refused && alive && allowed < MAX_ALLOCATIONS; allowed += run->step) {
    int status = call(L, heap, run, allowed);
    refused = heap->refused > 0;
    if (status != 0 && !(refused && is_memory_error(L))) {
      printf("# %s: allocation %ld: %s\n", run->name, allowed, luaL_tolstring(L, -1, NULL));
      wrong++;
    }
    lua_settop(L, 1);
    if (allowed % RUNS_BETWEEN_GOOD_ONES == 0) alive = works(L, heap, run);
  }
  ok(wrong == 0, "%s: \"not enough memory\" or a good end, nothing else", run->name);
  ok(!refused && allowed > 1, "%s: %s of %ld allocations was the first to fail", run->name,
     run->step == 1 ? "each" : "one in some", allowed - run->step);
  ok(alive && works(L, heap, run), "%s: the state works on", run->name);
}

static int open_descriptors(void) {
  return count_entries("/proc/self/fd");
}

/* limit(n): of the allocations from now on n are made; negative: all */
static int set_limit(lua_State *L) {
  struct heap *heap = lua_touserdata(L, lua_upvalueindex(1));
  heap->made = 0;
  heap->allowed = (long)lua_tointeger(L, 1);
  return 0;
}

static void load_script(lua_State *L, struct heap *heap) {
  char hex[2 * SAMPLE_MAX + 1];
  envelope_hex(hex, sample.bytes, sample.length);
  luaL_openlibs(L);
  http_check(luaL_loadstring(L, script) == 0, "the script");
  lua_pushstring(L, hex);
  lua_pushlightuserdata(L, heap);
  lua_pushcclosure(L, set_limit, 1);
  if (lua_pcall(L, 2, 1, 0) == 0) return;
  printf("Bail out! %s\n", lua_tostring(L, -1));
  exit(1);
}

/* Bytes that C has in use, whatever Lua's heap has become. */
static long long c_bytes(const struct heap *heap) {
  size_t all = count_heap_bytes();
  return all == 0 ? 0 : (long long)all - (long long)heap->bytes;
}

static void leave(lua_State *L, struct heap *heap, const struct run *run) {
  bool good = works(L, heap, run);
  long long before = c_bytes(heap);
  ok(good && works(L, heap, run), "%s: goes with what it was of", run->name);
  long long more = c_bytes(heap) - before;
  if (!ok(more < SLACK, "%s: and leaves no memory", run->name)) printf("# %lld bytes more\n", more);
}

int main(void) {
  const struct run runs[] = {{"decode", serve_nothing, stop_nothing, 1},
                             {"refuse", serve_nothing, stop_nothing, 1},
                             {"rest", serve_rest, stop_rest, 1},
                             {"stream", serve_stream, stop_stream, 1},
                             {"require", serve_nothing, stop_nothing, 11}};
  struct heap heap = {.allowed = -1};
  write_message();
#if LUA_VERSION_NUM >= 505
  lua_State *L = lua_newstate(allocate, &heap, 1);
#else
  lua_State *L = lua_newstate(allocate, &heap);
#endif
  if (L == NULL) return 2;
  load_script(L, &heap);
  ok(works(L, &heap, &runs[3]), "a stream works"); /* what libwebsockets 4.5 keeps of the first is there then */
  int descriptors = open_descriptors();
  for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) torture(L, &heap, &runs[i]);
  const struct run keep = {"keep", serve_stream, stop_stream, 1};
  ok(works(L, &heap, &keep), "keep: what found no room is there at the next call");
  const struct run left[] = {{"leave_stream", serve_stream, stop_stream, 1}, {"leave_call", serve_rest, stop_rest, 1}};
  for (size_t i = 0; i < sizeof left / sizeof *left; i++) leave(L, &heap, &left[i]);
  lua_close(L);
  is_number((long long)heap.bytes, 0, "the closed state holds no memory");
  is_number(open_descriptors(), descriptors, "and no descriptor is left open");
  return done();
}
