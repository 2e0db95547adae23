/* SPDX-License-Identifier: MIT
 * What LuaJIT's traces call by its address, beside what a script reads: the same number, or none. In every Lua, as no
 * other makes traces. The module is found through LUA_PATH and LUA_CPATH, which the Makefile sets. */
#include <lauxlib.h>
#include <lualib.h>

#include "tap.h"

typedef double quick_number(void *cache, const void *report, const char *name);

/* quick(cache, report, name) -> number, NaN for none */
static int quick(lua_State *L) {
  void *cache = lua_touserdata(L, 1);
  quick_number *const *first = cache; /* its first member */
  lua_pushnumber(L, (lua_Number)(*first)(cache, lua_touserdata(L, 2), lua_tostring(L, 3)));
  return 1;
}

static const char script[] =
  "local quick = ...\n"
  "package.path = './?.lua;' .. package.path\n"
  "local chainlink = require 'chainlink'\n"
  "local core = require 'chainlink.core'\n"
  "local sample = require 'spec.support.sample'\n"
  "local reports, names, decimal = {}, {}, { price = true }\n"
  "for _, name in ipairs { 'v3', 'v8', 'v8_ns', 'ms_v3', 'ms_largest', 'v99' } do\n"
  "  reports[#reports + 1] = assert(chainlink.decode(sample[name]))\n"
  "end\n"
  "local function read(report, name)\n"
  "  local value, number = report[name], quick(core.report_cache, report, name)\n"
  "  local exact = type(value) == 'number' and value >= -2^53 and value <= 2^53 or value == 0\n"
  "  if type(value) == 'number' and decimal[name] then exact = true end\n"
  "  if exact then assert(number == value, name) else assert(number ~= number, name) end\n"
  "  return exact\n"
  "end\n"
  /* before a name was read there is nothing to be known of it */
  "assert(quick(core.report_cache, reports[1], 'price') ~= quick(core.report_cache, reports[1], 'price'))\n"
  "local counts = {}\n"
  "for _, report in ipairs(reports) do\n"
  "  names[report] = { 'nothing', 'feed_id', 'version', 'resolution', 'observations_timestamp', "
  "'valid_from_timestamp',\n"
  "    'expires_at', 'observations_timestamp_ms', 'valid_from_timestamp_ms', 'expires_at_ms', 'decimals', 'origin',\n"
  "    'full_report', 'config_digest', 'backfilled', 'received_at', 'price', 'exact' }\n"
  "  local schema = core.schema(report.version)\n"
  "  for _, field in ipairs(schema and schema.fields or {}) do \n"
  "    table.insert(names[report], field.name)\n"
  "    if (field.decimals or 0) > 0 then decimal[field.name] = true end\n"
  "  end\n"
  "  local count = 0\n"
  "  for _, name in ipairs(names[report]) do\n"
  "    if name ~= 'version' and name ~= 'decimals' and name ~= 'received_at' and read(report, name) then\n"
  "      count = count + 1\n"
  "    end\n"
  "  end\n"
  "  counts[#counts + 1] = count\n"
  "end\n"
  /* two names are remembered wherever they lie */
  "local lost = 0\n"
  "local function is_lost(report, name, value)\n"
  "  return value == value and quick(core.report_cache, report, name) ~= value\n"
  "end\n"
  "local function numbers_of(report, name)\n"
  "  local value = report[name]\n"
  "  return quick(core.report_cache, report, name), value\n"
  "end\n"
  "for _, one in ipairs(reports) do\n"
  "  for _, first in ipairs(names[one]) do\n"
  "    for _, two in ipairs(reports) do\n"
  "      for _, second in ipairs(names[two]) do\n"
  "        local a, b = numbers_of(one, first), numbers_of(two, second)\n"
  "        numbers_of(one, first)\n"
  "        if is_lost(one, first, a) or is_lost(two, second, b) then lost = lost + 1 end\n"
  "      end\n"
  "    end\n"
  "  end\n"
  "end\n"
  "return lost, table.concat(counts, ' ')\n";

int main(void) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return 1;
  luaL_openlibs(L);
  bool good = luaL_loadstring(L, script) == 0;
  lua_pushcfunction(L, quick);
  good = good && lua_pcall(L, 1, 2, 0) == 0;
  if (!ok(good, "each field is the number that a script reads, or none")) printf("# %s\n", lua_tostring(L, -1));
  if (good) {
    is_number(lua_tointeger(L, -2), 0, "of two names none is forgotten");
    is_string(lua_tostring(L, -1), "15 14 14 15 4 0", "so many are numbers");
  }
  lua_close(L);
  return done();
}
