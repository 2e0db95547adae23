/* SPDX-License-Identifier: MIT
 * The Report userdata: lazy reading of fields. */
#include "lua/lreport.h"

#include <string.h>

#include "codec/decimal.h"
#include "codec/hex.h"

/* What a name stands for: an index into the schema's fields, or one of these. */
enum property {
  P_FEED_ID = 1000,
  P_VERSION,
  P_OBSERVATIONS_TIMESTAMP,
  P_VALID_FROM_TIMESTAMP,
  P_DECIMALS,
  P_FULL_REPORT,
  P_REPORT_BLOB,
  P_REPORT_CONTEXT,
  P_SIGNATURES,
  P_CONFIG_DIGEST,
  P_RECEIVED_AT,
  P_BACKFILLED,
  P_ORIGIN
};

static const struct {
  const char *name;
  enum property property;
} properties[] = {
  {"feed_id", P_FEED_ID},
  {"version", P_VERSION},
  {"observations_timestamp", P_OBSERVATIONS_TIMESTAMP},
  {"valid_from_timestamp", P_VALID_FROM_TIMESTAMP},
  {"decimals", P_DECIMALS},
  {"full_report", P_FULL_REPORT},
  {"report_blob", P_REPORT_BLOB},
  {"report_context", P_REPORT_CONTEXT},
  {"signatures", P_SIGNATURES},
  {"config_digest", P_CONFIG_DIGEST},
  {"received_at", P_RECEIVED_AT},
  {"backfilled", P_BACKFILLED},
  {"origin", P_ORIGIN},
};

/* Upvalues of every function that reads reports. */
#define UP_METATABLE lua_upvalueindex(1)
#define UP_NAMES lua_upvalueindex(2) /* [version] = {name = index or property}, [0]: unknown */
#define UP_METHODS lua_upvalueindex(3)

/* As luaL_checkudata, without its search of the registry. */
static const struct cds_report *check_report(lua_State *L, int index) {
  const struct cds_report *report = lua_touserdata(L, index);
  if (report && lua_getmetatable(L, index)) {
    int same = lua_rawequal(L, -1, UP_METATABLE);
    lua_pop(L, 1);
    if (same) return report;
  }
  luaL_checkudata(L, index, CDS_L_REPORT); /* raises */
  return NULL;
}

const struct cds_report *cds_l_check_report(lua_State *L, int index) {
  return luaL_checkudata(L, index, CDS_L_REPORT);
}

/* ---- values ---- */

static void push_hex(lua_State *L, const uint8_t *bytes, size_t length) {
  char *text = lua_newuserdata(L, 2 * length + 2);
  text[0] = '0';
  text[1] = 'x';
  cds_hex_encode(text + 2, bytes, length);
  lua_pushlstring(L, text, 2 * length + 2);
  lua_replace(L, -2);
}

static void push_word(lua_State *L, const uint8_t *word) {
  char text[2 + 2 * CDS_WORD] = "0x";
  cds_hex_encode(text + 2, word, CDS_WORD);
  lua_pushlstring(L, text, sizeof text);
}

static void push_exact(lua_State *L, const uint8_t *word, const struct cds_field *field, unsigned decimals) {
  char text[CDS_DECIMAL_TEXT];
  size_t length = cds_decimal_format(text, word, field->type == CDS_TYPE_INT, decimals);
  lua_pushlstring(L, text, length);
}

/* Text for what is no number; false for numbers. */
static bool push_plain(lua_State *L, const uint8_t *word, const struct cds_field *field) {
  char text[2 + 2 * CDS_WORD] = "0x";
  if (field->type == CDS_TYPE_BYTES32) push_word(L, word);
  else if (field->type == CDS_TYPE_ADDRESS) {
    cds_hex_encode(text + 2, word + 12, 20);
    lua_pushlstring(L, text, 42);
  } else return false;
  return true;
}

static void push_field(lua_State *L, const struct cds_report *report, size_t index) {
  const struct cds_field *field = &report->schema->fields[index];
  const uint8_t *word = cds_report_word(report, index);
  bool is_signed = field->type == CDS_TYPE_INT;
  int64_t value;
  if (push_plain(L, word, field)) return;
  if (field->type == CDS_TYPE_BOOL) lua_pushboolean(L, word[CDS_WORD - 1] != 0);
  else if (field->decimals) lua_pushnumber(L, (lua_Number)cds_decimal_to_double(word, is_signed, field->decimals));
  else if (cds_decimal_to_int64(&value, word, is_signed)) cds_l_push_int64(L, value);
  else push_exact(L, word, field, 0);
}

static void push_context(lua_State *L, const struct cds_report *report) {
  lua_createtable(L, 3, 0);
  for (int i = 0; i < 3; i++) {
    push_word(L, report->bytes + i * CDS_WORD);
    lua_rawseti(L, -2, i + 1);
  }
}

/* Array of {r=, s=, v=}; v is 27 or 28, as ecrecover takes it. */
static void push_signatures(lua_State *L, const struct cds_report *report) {
  size_t count = report->rs.length > report->ss.length ? report->rs.length : report->ss.length;
  const uint8_t *raw_vs = report->bytes + 6 * CDS_WORD;
  lua_createtable(L, count < 64 ? (int)count : 0, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 3);
    if (i < report->rs.length) {
      push_word(L, report->bytes + report->rs.offset + i * CDS_WORD);
      lua_setfield(L, -2, "r");
    }
    if (i < report->ss.length) {
      push_word(L, report->bytes + report->ss.offset + i * CDS_WORD);
      lua_setfield(L, -2, "s");
    }
    if (i < CDS_WORD) cds_l_set_uint(L, "v", 27u + raw_vs[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

static void push_property(lua_State *L, const struct cds_report *report, enum property property) {
  switch (property) {
  case P_FEED_ID: push_word(L, report->feed_id.bytes); return;
  case P_VERSION: lua_pushinteger(L, report->version); return;
  case P_OBSERVATIONS_TIMESTAMP:
    if (report->has_observations_timestamp) cds_l_push_int64(L, report->observations_timestamp);
    else lua_pushnil(L);
    return;
  case P_VALID_FROM_TIMESTAMP:
    if (report->has_valid_from_timestamp) cds_l_push_int64(L, report->valid_from_timestamp);
    else lua_pushnil(L);
    return;
  case P_DECIMALS:
    if (report->schema && report->schema->price >= 0)
      lua_pushinteger(L, (lua_Integer)report->schema->fields[report->schema->price].decimals);
    else lua_pushnil(L);
    return;
  case P_FULL_REPORT: push_hex(L, report->bytes, report->length); return;
  case P_REPORT_BLOB: push_hex(L, report->bytes + report->blob.offset, report->blob.length); return;
  case P_REPORT_CONTEXT: push_context(L, report); return;
  case P_SIGNATURES: push_signatures(L, report); return;
  case P_CONFIG_DIGEST: push_word(L, report->bytes); return;
  case P_RECEIVED_AT:
    if (report->received_at_ms) lua_pushnumber(L, (lua_Number)report->received_at_ms / 1000);
    else lua_pushnil(L);
    return;
  case P_BACKFILLED: lua_pushboolean(L, report->backfilled); return;
  case P_ORIGIN:
    if (report->origin[0]) lua_pushstring(L, report->origin);
    else lua_pushnil(L);
    return;
  }
}

/* ---- names ---- */

static void set_meaning(lua_State *L, const char *name, int meaning) {
  lua_pushinteger(L, meaning);
  lua_setfield(L, -2, name);
}

/* The names of one version: its fields win over the properties that every report has. */
static void push_names(lua_State *L, const struct cds_schema *schema) {
  lua_newtable(L);
  for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
    set_meaning(L, properties[i].name, (int)properties[i].property);
  if (!schema) return;
  if (schema->price >= 0) set_meaning(L, "price", schema->price);
  for (size_t i = 0; i < schema->field_count; i++) set_meaning(L, schema->fields[i].name, (int)i);
}

/* Pushes what the name at `key` stands for in the report's schema: a number, or nil. The names of a version are made
 * when the first report of it is read. */
static void push_meaning(lua_State *L, const struct cds_report *report, int key) {
  int version = report->schema ? report->version : 0;
  lua_rawgeti(L, UP_NAMES, version);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    push_names(L, report->schema);
    lua_pushvalue(L, -1);
    lua_rawseti(L, UP_NAMES, version);
  }
  lua_pushvalue(L, key);
  lua_rawget(L, -2);
  lua_replace(L, -2);
}

/* ---- metamethods and methods ---- */

static int report_index(lua_State *L) {
  lua_settop(L, 2);
  const struct cds_report *report = check_report(L, 1);
  push_meaning(L, report, 2);
  if (lua_isnil(L, -1)) {
    lua_pushvalue(L, 2);
    lua_rawget(L, UP_METHODS);
    return 1;
  }
  int meaning = (int)lua_tointeger(L, -1);
  if (meaning < P_FEED_ID) push_field(L, report, (size_t)meaning);
  else push_property(L, report, (enum property)meaning);
  return 1;
}

static int report_newindex(lua_State *L) {
  return luaL_error(L, "a report is read-only");
}

static int report_eq(lua_State *L) {
  const struct cds_report *a = check_report(L, 1), *b = check_report(L, 2);
  bool same = cds_feed_id_compare(&a->feed_id, &b->feed_id) == 0 &&
              a->has_observations_timestamp == b->has_observations_timestamp &&
              a->observations_timestamp == b->observations_timestamp && a->blob.length == b->blob.length &&
              memcmp(a->bytes + a->blob.offset, b->bytes + b->blob.offset, a->blob.length) == 0;
  lua_pushboolean(L, same);
  return 1;
}

static int report_len(lua_State *L) {
  const struct cds_report *report = check_report(L, 1);
  lua_pushinteger(L, report->schema ? (lua_Integer)report->schema->field_count : 0);
  return 1;
}

static int report_bytes(lua_State *L) {
  const struct cds_report *report = check_report(L, 1);
  lua_pushlstring(L, (const char *)report->bytes, report->length);
  return 1;
}

/* The field named by argument 2, NULL when the report has none of that name. */
static const struct cds_field *named_field(lua_State *L, const struct cds_report *report, const uint8_t **word) {
  luaL_checktype(L, 2, LUA_TSTRING);
  push_meaning(L, report, 2);
  int meaning = lua_isnil(L, -1) ? P_FEED_ID : (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (meaning >= P_FEED_ID) return NULL;
  *word = cds_report_word(report, (size_t)meaning);
  return &report->schema->fields[meaning];
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
  const uint8_t *word;
  const struct cds_field *field = named_field(L, check_report(L, 1), &word);
  if (!field) lua_pushnil(L);
  else if (!push_plain(L, word, field)) push_exact(L, word, field, decimals_argument(L, field->decimals));
  return 1;
}

/* report:raw(field): the integer on the chain, as text */
static int report_raw(lua_State *L) {
  const uint8_t *word;
  const struct cds_field *field = named_field(L, check_report(L, 1), &word);
  if (!field) lua_pushnil(L);
  else if (!push_plain(L, word, field)) push_exact(L, word, field, 0);
  return 1;
}

/* report:number(field [, decimals]): the nearest number */
static int report_number(lua_State *L) {
  const uint8_t *word;
  const struct cds_field *field = named_field(L, check_report(L, 1), &word);
  if (!field || field->type == CDS_TYPE_BYTES32 || field->type == CDS_TYPE_ADDRESS) lua_pushnil(L);
  else
    lua_pushnumber(
      L, (lua_Number)cds_decimal_to_double(word, field->type == CDS_TYPE_INT, decimals_argument(L, field->decimals)));
  return 1;
}

/* ---- registration ---- */

static const luaL_Reg report_metamethods[] = {
  {"__index", report_index}, {"__newindex", report_newindex}, {"__eq", report_eq}, {"__len", report_len}, {NULL, NULL}};

static const luaL_Reg report_methods[] = {
  {"exact", report_exact}, {"raw", report_raw}, {"number", report_number}, {"bytes", report_bytes}, {NULL, NULL}};

static const luaL_Reg no_functions[] = {{NULL, NULL}};

/* Pushes the metatable, the names and the methods, the upvalues of the functions registered next. */
static void push_upvalues(lua_State *L, int first) {
  for (int i = 0; i < 3; i++) lua_pushvalue(L, first + i);
}

void cds_l_open_report(lua_State *L) {
  int module = lua_gettop(L);
  int first = module + 1; /* metatable, names, methods */
  cds_l_metatable(L, CDS_L_REPORT, no_functions);
  lua_newtable(L);
  lua_newtable(L);
  lua_pushvalue(L, first + 2);
  push_upvalues(L, first);
  cds_l_setfuncs(L, report_methods, 3);
  lua_setfield(L, module, "report_methods");
  lua_pushvalue(L, first);
  push_upvalues(L, first);
  cds_l_setfuncs(L, report_metamethods, 3);
  lua_setfield(L, module, "report_metatable");
  lua_settop(L, module);
}
