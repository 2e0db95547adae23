/* SPDX-License-Identifier: MIT
 * The module's pure functions: decoding and feed ids. */
#include "lua/ldecode.h"

#include <inttypes.h>
#include <stdio.h>

#include "lua/lreport.h"
#include "lua/lroom.h"
#include "order/seen.h"

static bool is_hex_text(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!digit) return false;
  }
  return true;
}

static int decode_hex(lua_State *L, const char *hex, size_t length) {
  struct cds_error err;
  size_t bytes = length / 2;
  struct cds_report *room = cds_l_push_room(L, bytes < CDS_MAX_REPORT_BYTES ? bytes : CDS_MAX_REPORT_BYTES);
  if (cds_report_read_hex(room, hex, length, &err) != CDS_OK) return cds_l_fail(L, &err);
  cds_l_finish_room(L, lua_upvalueindex(1));
  return 1;
}

static int decode_bytes(lua_State *L, const char *bytes, size_t length) {
  struct cds_error err;
  struct cds_report *report;
  cds_l_push_room(L, length < CDS_MAX_REPORT_BYTES ? length : CDS_MAX_REPORT_BYTES);
  if (cds_report_from_bytes(&report, (const uint8_t *)bytes, length, &err) != CDS_OK) return cds_l_fail(L, &err);
  cds_l_fill_room(L, report, lua_upvalueindex(1));
  return 1;
}

/* decode(text): hex with or without 0x, or the bytes. These always hold NUL bytes, so no text is ambiguous. */
static int decode(lua_State *L) {
  size_t length;
  luaL_checktype(L, 1, LUA_TSTRING);
  const char *text = lua_tolstring(L, 1, &length);
  bool has_prefix = length >= 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
  if (has_prefix) return decode_hex(L, text + 2, length - 2);
  return is_hex_text(text, length) ? decode_hex(L, text, length) : decode_bytes(L, text, length);
}

/* ---- a report of a stream, kept elsewhere ---- */

/* What a report has besides its bytes, in milliseconds; 0: unknown. The blob tells the first two if it has a schema. */
struct told {
  uint64_t observed, valid_from, received_at;
  bool backfilled;
  const char *origin;
};

static uint64_t check_ms(lua_State *L, int index) {
  return (uint64_t)cds_l_check_exact(L, index, 0, "milliseconds must be from 0 to 2^53");
}

static uint64_t in_unit_of(const struct cds_report *report, uint64_t ms) {
  return report->resolution == CDS_RESOLUTION_MILLISECONDS ? ms : ms / 1000;
}

static void tell(struct cds_report *report, const struct told *told) {
  if (!report->schema && told->observed) cds_report_set_observations(report, in_unit_of(report, told->observed));
  if (!report->schema && told->valid_from) cds_report_set_valid_from(report, in_unit_of(report, told->valid_from));
  report->received_at_ms = (int64_t)told->received_at;
  report->backfilled = told->backfilled;
  snprintf(report->origin, sizeof report->origin, "%s", told->origin);
}

/* restore(bytes, observed, valid_from, received_at, backfilled, origin): the report as the stream gave it | nil, err */
static int restore(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  const struct told told = {check_ms(L, 2), check_ms(L, 3), check_ms(L, 4), lua_toboolean(L, 5),
                            luaL_checkstring(L, 6)};
  cds_l_push_room(L, length < CDS_MAX_REPORT_BYTES ? length : CDS_MAX_REPORT_BYTES);
  struct cds_report *report;
  struct cds_error err = {0};
  if (cds_report_from_bytes(&report, (const uint8_t *)bytes, length, &err) != CDS_OK) return cds_l_fail(L, &err);
  tell(report, &told);
  cds_l_fill_room(L, report, lua_upvalueindex(1));
  return 1;
}

/* Observation and beginning of validity in milliseconds, 0: not known. */
static uint64_t observed_ms(const struct cds_report *report) {
  return report->has_observations_timestamp ? cds_report_observed_ms(report) : 0;
}

static uint64_t valid_from_ms(const struct cds_report *report) {
  if (!report->has_valid_from_timestamp) return 0;
  return report->valid_from_time * (report->resolution == CDS_RESOLUTION_MILLISECONDS ? 1 : 1000);
}

/* keep(number, report) -> text: a line of what its bytes do not tell (number, feed id, observed, valid from, received at,
 * backfilled, origin), and its bytes */
static int keep(lua_State *L) {
  char line[256], feed[CDS_FEED_ID_TEXT + 1];
  double number = luaL_checknumber(L, 1);
  const struct cds_report *report = cds_l_check_report(L, 2);
  cds_feed_id_format(feed, &report->feed_id);
  int length =
    snprintf(line, sizeof line, "%.0f %s %" PRIu64 " %" PRIu64 " %" PRId64 " %d %s\n", number, feed,
             observed_ms(report), valid_from_ms(report), report->received_at_ms, report->backfilled, report->origin);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  luaL_addlstring(&text, line, (size_t)length);
  luaL_addlstring(&text, (const char *)report->bytes, report->length);
  luaL_pushresult(&text);
  return 1;
}

/* mark(seed, report) -> when it was observed, and a tag of its blob, in 29 characters: two reports of a feed that have the
 * same are the same */
static int mark(lua_State *L) {
  char text[64];
  uint64_t seed = (uint64_t)cds_l_check_exact(L, 1, 0, "a seed is from 0 to 2^53");
  const struct cds_report *report = cds_l_check_report(L, 2);
  uint64_t tag = cds_seen_tag(seed, report->bytes + report->blob.offset, report->blob.length);
  lua_pushlstring(L, text, (size_t)snprintf(text, sizeof text, "%013" PRIu64 "%016" PRIx64, observed_ms(report), tag));
  return 1;
}

/* feed_id(text) -> lower-case text, version, "s" or "ms" or nil | nil, err */
static int feed_id(lua_State *L) {
  size_t length;
  luaL_checktype(L, 1, LUA_TSTRING);
  const char *text = lua_tolstring(L, 1, &length);
  char lower[CDS_FEED_ID_TEXT + 1];
  struct cds_feed_id id;
  struct cds_error err = {0};
  if (cds_feed_id_parse(&id, text, length, &err) != CDS_OK) return cds_l_fail(L, &err);
  cds_feed_id_format(lower, &id);
  lua_pushlstring(L, lower, CDS_FEED_ID_TEXT);
  lua_pushinteger(L, cds_feed_id_version(&id));
  cds_l_push_resolution(L, cds_feed_id_resolution(&id));
  return 3;
}

/* ---- registration ---- */

static const luaL_Reg functions[] = {{"feed_id", feed_id}, {"keep", keep}, {"mark", mark}, {NULL, NULL}};

static const luaL_Reg decoders[] = {{"decode", decode}, {"restore", restore}, {NULL, NULL}};

void cds_l_open_decode(lua_State *L) {
  luaL_getmetatable(L, CDS_L_REPORT);
  cds_l_setfuncs(L, decoders, 1);
  cds_l_setfuncs(L, functions, 0);
}
