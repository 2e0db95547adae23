/* SPDX-License-Identifier: MIT
 * The module's pure functions: decoding and feed ids. */
#include "lua/ldecode.h"

#include "lua/lreport.h"

/* Keeps a decoded report from leaking while its userdata is made. */
struct slot {
  struct cds_report *report;
};

static int slot_gc(lua_State *L) {
  struct slot *slot = lua_touserdata(L, 1);
  cds_report_unref(slot->report);
  slot->report = NULL;
  return 0;
}

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
  struct slot *slot = lua_touserdata(L, lua_upvalueindex(2));
  struct cds_error err = {0};
  enum cds_status status;
  cds_report_unref(slot->report);
  slot->report = NULL;
  if (length >= 2 && text[0] == '0' && (text[1] | 0x20) == 'x')
    status = cds_report_from_hex(&slot->report, text + 2, length - 2, &err);
  else if (is_hex_text(text, length)) status = cds_report_from_hex(&slot->report, text, length, &err);
  else status = cds_report_from_bytes(&slot->report, (const uint8_t *)text, length, &err);
  if (status != CDS_OK) return cds_l_fail(L, &err);
  cds_l_push_report(L, &slot->report, lua_upvalueindex(1));
  return 1;
}

/* feed_id(text) -> lower-case text, version | nil, err */
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
  return 2;
}

/* ---- registration ---- */

static const luaL_Reg functions[] = {{"feed_id", feed_id}, {NULL, NULL}};

static const luaL_Reg slot_metamethods[] = {{"__gc", slot_gc}, {NULL, NULL}};

void cds_l_open_decode(lua_State *L) {
  luaL_getmetatable(L, CDS_L_REPORT);
  cds_l_metatable(L, "chainlink.slot", slot_metamethods);
  lua_pop(L, 1);
  cds_l_new(L, sizeof(struct slot), "chainlink.slot");
  lua_pushcclosure(L, decode, 2); /* upvalues: report metatable, slot */
  lua_setfield(L, -2, "decode");
  cds_l_setfuncs(L, functions, 0);
}
