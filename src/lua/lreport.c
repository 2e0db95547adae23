/* SPDX-License-Identifier: MIT
 * The Report userdata: lazy reading of fields. */
#include "lua/lreport.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "codec/decimal.h"
#include "lua/lvalue.h"
#include "order/seen.h"

/* Upvalues of every function that reads reports. */
#define UP_CACHE lua_upvalueindex(1)
#define UP_NAMES lua_upvalueindex(2) /* [version] = {name = what it stands for}, [0]: unknown */
#define UP_METHODS lua_upvalueindex(3)

/* What names stood for of late. Lua has each short text once, and those in here are in UP_NAMES for good: a name is
 * known by its address. */
#define CACHE_PLACES 512
#define SHORT_TEXT 40 /* LUAI_MAXSHORTLEN; Lua 5.1 and LuaJIT have all texts once */

struct cache {
  /* What is below under that name, where LuaJIT's FFI finds it: the first member. */
  double (*quick_number)(struct cache *cache, const struct cds_report *report, const char *name);
  const void *metatable; /* of reports */
  uint64_t seed;         /* of report_tag */
  struct place {
    const char *name; /* NULL: none yet */
    const struct cds_schema *schema;
    int meaning;
  } places[CACHE_PLACES];
};

static struct cache *cache_of(lua_State *L) {
  return lua_touserdata(L, UP_CACHE);
}

/* As luaL_checkudata, without its search of the registry. Leaves the metatable on the stack. */
static const struct cds_report *find_report(lua_State *L, const struct cache *cache, int index) {
  const struct cds_report *report = lua_touserdata(L, index);
  if (report && lua_getmetatable(L, index) && lua_topointer(L, -1) == cache->metatable) return report;
  luaL_checkudata(L, index, CDS_L_REPORT); /* raises */
  return NULL;
}

static const struct cds_report *check_report(lua_State *L, const struct cache *cache, int index) {
  const struct cds_report *report = find_report(L, cache, index);
  lua_pop(L, 1);
  return report;
}

const struct cds_report *cds_l_check_report(lua_State *L, int index) {
  return luaL_checkudata(L, index, CDS_L_REPORT);
}

/* Pushes what the name at `key` stands for in the report's schema: a number, or nil. The names of a version are made
 * when the first report of it is read. */
static void push_meaning(lua_State *L, const struct cds_report *report, int key) {
  int version = report->schema ? report->version : 0;
  lua_rawgeti(L, UP_NAMES, version);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    cds_l_push_names(L, report->schema);
    lua_pushvalue(L, -1);
    lua_rawseti(L, UP_NAMES, version);
  }
  lua_pushvalue(L, key);
  lua_rawget(L, -2);
  lua_replace(L, -2);
}

/* The first of the two places that a name of a schema may have. */
static struct place *places_of(struct cache *cache, const struct cds_schema *schema, const char *name) {
  uintptr_t hash = (uintptr_t)name >> 5 ^ (uintptr_t)name >> 13 ^ (uintptr_t)schema >> 6;
  return &cache->places[hash % (CACHE_PLACES / 2) * 2];
}

/* What the name was found to stand for of late, or else CDS_L_NO_MEANING. */
static int remembered(struct cache *cache, const struct cds_schema *schema, const char *name) {
  const struct place *place = places_of(cache, schema, name);
  if (place[0].name == name && place[0].schema == schema) return place[0].meaning;
  if (place[1].name == name && place[1].schema == schema) return place[1].meaning;
  return CDS_L_NO_MEANING;
}

static void remember(struct cache *cache, const struct cds_schema *schema, const char *name, int meaning) {
  struct place *place = places_of(cache, schema, name);
  place[1] = place[0];
  place[0] = (struct place){name, schema, meaning};
}

/* The same of a name that was not in use lately. Not inline, as hardly any is. */
__attribute__((noinline)) static int learn(lua_State *L, struct cache *cache, const struct cds_report *report,
                                           const char *name) {
  push_meaning(L, report, 2);
  int meaning = lua_isnil(L, -1) ? CDS_L_NO_MEANING : (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (meaning != CDS_L_NO_MEANING && cds_l_rawlen(L, 2) <= SHORT_TEXT) remember(cache, report->schema, name, meaning);
  return meaning;
}

/* What the text at index 2 stands for in the report's schema, NO_MEANING when it is no field or property of it, or no
 * text. */
static int meaning_of(lua_State *L, struct cache *cache, const struct cds_report *report) {
  const char *name = lua_tostring(L, 2);
  if (!name) return CDS_L_NO_MEANING;
  int meaning = remembered(cache, report->schema, name);
  return meaning != CDS_L_NO_MEANING ? meaning : learn(L, cache, report, name);
}

/* ---- metamethods and methods ---- */

static int report_index(lua_State *L) {
  struct cache *cache = cache_of(L);
  const struct cds_report *report = find_report(L, cache, 1);
  int meaning = meaning_of(L, cache, report);
  if (meaning != CDS_L_NO_MEANING) {
    cds_l_push_value(L, report, meaning);
    return 1;
  }
  lua_settop(L, 2);
  lua_rawget(L, UP_METHODS);
  return 1;
}

/* For LuaJIT, whose traces call it by its address (lua/chainlink/report.lua): what report[name] is if that is a number
 * and the name was in use lately; NaN, which no value is: ask report_index. */
static double quick_number(struct cache *cache, const struct cds_report *report, const char *name) {
  int meaning = remembered(cache, report->schema, name);
  return meaning != CDS_L_NO_MEANING ? cds_l_value_number(report, meaning) : (double)NAN;
}

static int report_newindex(lua_State *L) {
  return luaL_error(L, "a report is read-only");
}

static int report_eq(lua_State *L) {
  const struct cds_report *a = check_report(L, cache_of(L), 1), *b = check_report(L, cache_of(L), 2);
  bool same = cds_feed_id_compare(&a->feed_id, &b->feed_id) == 0 &&
              a->has_observations_timestamp == b->has_observations_timestamp &&
              a->observations_time == b->observations_time && a->blob.length == b->blob.length &&
              memcmp(a->bytes + a->blob.offset, b->bytes + b->blob.offset, a->blob.length) == 0;
  lua_pushboolean(L, same);
  return 1;
}

static int report_len(lua_State *L) {
  const struct cds_report *report = check_report(L, cache_of(L), 1);
  lua_pushinteger(L, report->schema ? (lua_Integer)report->schema->field_count : 0);
  return 1;
}

static int report_bytes(lua_State *L) {
  const struct cds_report *report = check_report(L, cache_of(L), 1);
  lua_pushlstring(L, (const char *)report->bytes, report->length);
  return 1;
}

/* The field named by argument 2, -1 when the report has none of that name. */
static int named_field(lua_State *L, const struct cds_report *report) {
  luaL_checktype(L, 2, LUA_TSTRING);
  int meaning = meaning_of(L, cache_of(L), report);
  return meaning == CDS_L_NO_MEANING ? -1 : cds_l_value_field(report, meaning);
}

static unsigned decimals_argument(lua_State *L, unsigned otherwise) {
  if (lua_isnoneornil(L, 3)) return otherwise;
  lua_Number decimals = luaL_checknumber(L, 3);
  luaL_argcheck(L, decimals >= 0 && decimals <= CDS_MAX_DECIMALS && decimals == (lua_Number)(int)decimals, 3,
                "decimals must be a whole number from 0 to 77");
  return (unsigned)decimals;
}

/* report:exact(field [, decimals]): exact decimal text */
static int report_exact(lua_State *L) {
  const struct cds_report *report = check_report(L, cache_of(L), 1);
  int field = named_field(L, report);
  if (field < 0) lua_pushnil(L);
  else cds_l_push_exact(L, report, field, decimals_argument(L, cds_l_value_decimals(report, field)));
  return 1;
}

/* report:raw(field): the integer on the chain, as text */
static int report_raw(lua_State *L) {
  const struct cds_report *report = check_report(L, cache_of(L), 1);
  int field = named_field(L, report);
  if (field < 0) lua_pushnil(L);
  else cds_l_push_exact(L, report, field, 0);
  return 1;
}

/* report:number(field [, decimals]): the nearest number */
static int report_number(lua_State *L) {
  const struct cds_report *report = check_report(L, cache_of(L), 1);
  int field = named_field(L, report);
  if (field < 0) lua_pushnil(L);
  else cds_l_push_number(L, report, field, decimals_argument(L, cds_l_value_decimals(report, field)));
  return 1;
}

/* report_tag(report): a number by which its blob is known in this state; 53 bits, exact in every Lua */
static int report_tag(lua_State *L) {
  struct cache *cache = cache_of(L);
  const struct cds_report *report = check_report(L, cache, 1);
  uint64_t tag = cds_seen_tag(cache->seed, report->bytes + report->blob.offset, report->blob.length);
  lua_pushnumber(L, (lua_Number)(tag >> 11));
  return 1;
}

/* ---- registration ---- */

static const luaL_Reg report_metamethods[] = {
  {"__index", report_index}, {"__newindex", report_newindex}, {"__eq", report_eq}, {"__len", report_len}, {NULL, NULL}};

static const luaL_Reg report_methods[] = {
  {"exact", report_exact}, {"raw", report_raw}, {"number", report_number}, {"bytes", report_bytes}, {NULL, NULL}};

static const luaL_Reg no_functions[] = {{NULL, NULL}};

/* Pushes the cache, the names and the methods, the upvalues of the functions registered next. */
static void push_upvalues(lua_State *L, int first) {
  for (int i = 0; i < 3; i++) lua_pushvalue(L, first + i);
}

void cds_l_open_report(lua_State *L) {
  int module = lua_gettop(L);
  int first = module + 1; /* cache, names, methods */
  struct cache *cache = lua_newuserdata(L, sizeof *cache);
  memset(cache, 0, sizeof *cache);
  lua_newtable(L);
  lua_newtable(L);
  lua_pushvalue(L, first + 2);
  push_upvalues(L, first);
  cds_l_setfuncs(L, report_methods, 3);
  lua_setfield(L, module, "report_methods");
  cds_l_metatable(L, CDS_L_REPORT, no_functions);
  cache->quick_number = quick_number;
  cache->metatable = lua_topointer(L, -1);
  cache->seed = (uint64_t)(uintptr_t)cache ^ (uint64_t)cds_clock_mono_ns();
  push_upvalues(L, first);
  cds_l_setfuncs(L, report_metamethods, 3);
  lua_setfield(L, module, "report_metatable");
  push_upvalues(L, first);
  lua_pushcclosure(L, report_tag, 3);
  lua_setfield(L, module, "report_tag");
  lua_pushvalue(L, first);
  lua_setfield(L, module, "report_cache");
  lua_settop(L, module);
}
