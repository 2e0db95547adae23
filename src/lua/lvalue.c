/* SPDX-License-Identifier: MIT
 * Values of reports: fields of the blob, and what every report has. */
#include "lua/lvalue.h"

#include <math.h>

#include "codec/decimal.h"
#include "codec/hex.h"

/* What a name stands for: an index into the schema's fields, or one of these. */
enum property {
  P_FEED_ID = 1000,
  P_VERSION,
  P_RESOLUTION,
  P_OBSERVATIONS_TIMESTAMP,
  P_VALID_FROM_TIMESTAMP,
  P_EXPIRES_AT,
  P_OBSERVATIONS_MS,
  P_VALID_FROM_MS,
  P_EXPIRES_MS,
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
  {"resolution", P_RESOLUTION},
  {"observations_timestamp", P_OBSERVATIONS_TIMESTAMP},
  {"valid_from_timestamp", P_VALID_FROM_TIMESTAMP},
  {"expires_at", P_EXPIRES_AT},
  {"observations_timestamp_ms", P_OBSERVATIONS_MS},
  {"valid_from_timestamp_ms", P_VALID_FROM_MS},
  {"expires_at_ms", P_EXPIRES_MS},
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

static void push_part(lua_State *L, const struct cds_report *report, int field) {
  size_t length;
  const uint8_t *bytes = cds_report_part(&length, report, (size_t)field);
  if (report->schema->fields[field].type == CDS_TYPE_STRING) lua_pushlstring(L, (const char *)bytes, length);
  else push_hex(L, bytes, length);
}

/* Text for what is no number; false for numbers. */
static bool push_plain(lua_State *L, const struct cds_report *report, int index) {
  const struct cds_field *field = &report->schema->fields[index];
  const uint8_t *word = cds_report_word(report, (size_t)index);
  char text[2 + 2 * CDS_WORD] = "0x";
  if (field->type == CDS_TYPE_BYTES32) push_word(L, word);
  else if (cds_schema_is_dynamic(field)) push_part(L, report, index);
  else if (field->type == CDS_TYPE_ADDRESS) {
    cds_hex_encode(text + 2, word + 12, 20);
    lua_pushlstring(L, text, 42);
  } else return false;
  return true;
}

void cds_l_push_exact(lua_State *L, const struct cds_report *report, int field, unsigned decimals) {
  const struct cds_field *about = &report->schema->fields[field];
  const uint8_t *word = cds_report_word(report, (size_t)field);
  char text[CDS_DECIMAL_TEXT];
  if (push_plain(L, report, field)) return;
  size_t length = cds_decimal_format(text, word, about->type == CDS_TYPE_INT, decimals);
  lua_pushlstring(L, text, length);
}

void cds_l_push_number(lua_State *L, const struct cds_report *report, int field, unsigned decimals) {
  const struct cds_field *about = &report->schema->fields[field];
  const uint8_t *word = cds_report_word(report, (size_t)field);
  if (about->type != CDS_TYPE_UINT && about->type != CDS_TYPE_INT && about->type != CDS_TYPE_BOOL) lua_pushnil(L);
  else lua_pushnumber(L, (lua_Number)cds_decimal_to_double(word, about->type == CDS_TYPE_INT, decimals));
}

unsigned cds_l_value_decimals(const struct cds_report *report, int field) {
  bool in_ms = report->resolution == CDS_RESOLUTION_MILLISECONDS && cds_schema_is_time(report->schema, (size_t)field);
  return in_ms ? 3 : report->schema->fields[field].decimals;
}

static void push_field(lua_State *L, const struct cds_report *report, size_t index) {
  const struct cds_field *field = &report->schema->fields[index];
  const uint8_t *word = cds_report_word(report, index);
  bool is_signed = field->type == CDS_TYPE_INT;
  int64_t value;
  if (field->type == CDS_TYPE_BOOL) lua_pushboolean(L, word[CDS_WORD - 1] != 0);
  else if (!is_signed && field->type != CDS_TYPE_UINT) push_plain(L, report, (int)index);
  else if (field->decimals) lua_pushnumber(L, (lua_Number)cds_decimal_to_double(word, is_signed, field->decimals));
  else if (cds_decimal_to_int64(&value, word, is_signed)) cds_l_push_int64(L, value);
  else cds_l_push_exact(L, report, (int)index, 0);
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

/* ---- times ---- */

/* One of the head's times in the feed's unit, by either of its names. */
static bool find_time(uint64_t *out, const struct cds_report *report, enum property property) {
  int expires_at = report->schema ? report->schema->expires_at : -1;
  switch (property) {
  case P_OBSERVATIONS_TIMESTAMP:
  case P_OBSERVATIONS_MS: *out = report->observations_time; return report->has_observations_timestamp;
  case P_VALID_FROM_TIMESTAMP:
  case P_VALID_FROM_MS: *out = report->valid_from_time; return report->has_valid_from_timestamp;
  default: *out = expires_at < 0 ? 0 : cds_abi_u64(cds_report_word(report, (size_t)expires_at)); return expires_at >= 0;
  }
}

/* The same in seconds or milliseconds, as the name says, whatever the feed's unit. */
static bool time_in(uint64_t *out, const struct cds_report *report, enum property property) {
  bool feed_in_ms = report->resolution == CDS_RESOLUTION_MILLISECONDS;
  bool in_ms = property == P_OBSERVATIONS_MS || property == P_VALID_FROM_MS || property == P_EXPIRES_MS;
  if (!find_time(out, report, property)) return false;
  if (feed_in_ms != in_ms) *out = in_ms ? *out * 1000 : *out / 1000;
  return true;
}

static void push_time(lua_State *L, const struct cds_report *report, enum property property) {
  uint64_t time;
  if (time_in(&time, report, property)) cds_l_push_uint64(L, time);
  else lua_pushnil(L);
}

int cds_l_value_field(const struct cds_report *report, int meaning) {
  const struct cds_schema *schema = report->schema;
  if (meaning < P_FEED_ID) return meaning;
  if (!schema) return -1;
  switch ((enum property)meaning) {
  case P_OBSERVATIONS_TIMESTAMP: return schema->observations_timestamp;
  case P_VALID_FROM_TIMESTAMP: return schema->valid_from_timestamp;
  case P_EXPIRES_AT: return schema->expires_at;
  default: return -1;
  }
}

/* ---- properties ---- */

static void push_property(lua_State *L, const struct cds_report *report, enum property property) {
  switch (property) {
  case P_FEED_ID: push_word(L, report->feed_id.bytes); return;
  case P_VERSION: lua_pushinteger(L, report->version); return;
  case P_RESOLUTION: cds_l_push_resolution(L, report->resolution); return;
  case P_OBSERVATIONS_TIMESTAMP:
  case P_VALID_FROM_TIMESTAMP:
  case P_EXPIRES_AT:
  case P_OBSERVATIONS_MS:
  case P_VALID_FROM_MS:
  case P_EXPIRES_MS: push_time(L, report, property); return;
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

void cds_l_push_value(lua_State *L, const struct cds_report *report, int meaning) {
  if (meaning < P_FEED_ID) push_field(L, report, (size_t)meaning);
  else push_property(L, report, (enum property)meaning);
}

/* ---- numbers ---- */

static double whole_number(const uint8_t *word, bool is_signed) {
  int64_t value;
  bool is_exact =
    cds_decimal_to_int64(&value, word, is_signed) && value >= -CDS_L_MAX_EXACT && value <= CDS_L_MAX_EXACT;
  return is_exact ? (double)value : (double)NAN;
}

static double property_number(const struct cds_report *report, int meaning) {
  uint64_t time;
  switch (meaning) {
  case P_OBSERVATIONS_TIMESTAMP:
  case P_VALID_FROM_TIMESTAMP:
  case P_EXPIRES_AT:
  case P_OBSERVATIONS_MS:
  case P_VALID_FROM_MS:
  case P_EXPIRES_MS:
    if (time_in(&time, report, (enum property)meaning) && time <= (uint64_t)CDS_L_MAX_EXACT) return (double)time;
    return (double)NAN;
  default: return (double)NAN;
  }
}

double cds_l_value_number(const struct cds_report *report, int meaning) {
  if (meaning >= P_FEED_ID) return property_number(report, meaning);
  const struct cds_field *field = &report->schema->fields[meaning];
  const uint8_t *word = cds_report_word(report, (size_t)meaning);
  bool is_signed = field->type == CDS_TYPE_INT;
  if (!is_signed && field->type != CDS_TYPE_UINT) return (double)NAN;
  return field->decimals ? cds_decimal_to_double(word, is_signed, field->decimals) : whole_number(word, is_signed);
}

/* ---- names ---- */

static void set_meaning(lua_State *L, const char *name, int meaning) {
  lua_pushinteger(L, meaning);
  lua_setfield(L, -2, name);
}

/* A schema's fields win over the properties that every report has, but for the head's times. */
void cds_l_push_names(lua_State *L, const struct cds_schema *schema) {
  lua_newtable(L);
  for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
    set_meaning(L, properties[i].name, (int)properties[i].property);
  if (!schema) return;
  if (schema->price >= 0) set_meaning(L, "price", schema->price);
  for (size_t i = 0; i < schema->field_count; i++)
    if (!cds_schema_is_time(schema, i)) set_meaning(L, schema->fields[i].name, (int)i);
}
