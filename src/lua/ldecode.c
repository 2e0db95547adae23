/* SPDX-License-Identifier: MIT
 * The module's pure functions: decoding and feed ids. */
#include "lua/ldecode.h"

#include "lua/lreport.h"
#include "lua/lroom.h"

static bool is_hex_text(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!digit) return false;
  }
  return true;
}

/* decode(text): hex with or without 0x, or the bytes. These always hold NUL bytes, so no text is ambiguous. */
static int decode(lua_State *L) {
  size_t length;
  luaL_checktype(L, 1, LUA_TSTRING);
  const char *text = lua_tolstring(L, 1, &length);
  bool has_prefix = length >= 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
  bool is_hex = has_prefix || is_hex_text(text, length);
  size_t skip = has_prefix ? 2 : 0, bytes = is_hex ? (length - skip) / 2 : length;
  cds_l_push_room(L, bytes < CDS_MAX_REPORT_BYTES ? bytes : CDS_MAX_REPORT_BYTES);
  struct cds_report *report;
  struct cds_error err = {0};
  enum cds_status status = is_hex ? cds_report_from_hex(&report, text + skip, length - skip, &err)
                                  : cds_report_from_bytes(&report, (const uint8_t *)text, length, &err);
  if (status != CDS_OK) return cds_l_fail(L, &err);
  cds_l_fill_room(L, report, lua_upvalueindex(1));
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

static const luaL_Reg functions[] = {{"feed_id", feed_id}, {NULL, NULL}};

void cds_l_open_decode(lua_State *L) {
  luaL_getmetatable(L, CDS_L_REPORT);
  lua_pushcclosure(L, decode, 1);
  lua_setfield(L, -2, "decode");
  cds_l_setfuncs(L, functions, 0);
}
