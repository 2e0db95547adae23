/* SPDX-License-Identifier: MIT
 * Exact integers for Lua, as decimal text: what bars, averages and guards reckon with. Text that is no integer of up to
 * 384 bits, or a result that is none, raises: no report's value and no time leads there. */
#include "lua/lwide.h"

#include "codec/wide.h"
#include "lua/lutil.h"

static struct cds_wide check_wide(lua_State *L, int index) {
  size_t length;
  struct cds_wide value = {0};
  luaL_checktype(L, index, LUA_TSTRING);
  const char *text = lua_tolstring(L, index, &length);
  luaL_argcheck(L, cds_wide_parse(&value, text, length), index, "an integer of up to 384 bits is expected");
  return value;
}

static int64_t check_whole(lua_State *L, int index, int64_t lowest) {
  static const char expected[] = "a whole number is expected";
  lua_Number number = cds_l_check_exact(L, index, lowest, expected);
  luaL_argcheck(L, number == (lua_Number)(int64_t)number, index, expected);
  return (int64_t)number;
}

static int push_wide(lua_State *L, const struct cds_wide *value) {
  char text[CDS_WIDE_TEXT];
  lua_pushlstring(L, text, cds_wide_format(text, value));
  return 1;
}

/* exact_compare(a, b) -> below 0, 0 or above 0 */
static int exact_compare(lua_State *L) {
  struct cds_wide a = check_wide(L, 1), b = check_wide(L, 2);
  lua_pushinteger(L, cds_wide_compare(&a, &b));
  return 1;
}

/* exact_add(sum, value, factor) -> sum + value * factor */
static int exact_add(lua_State *L) {
  struct cds_wide sum = check_wide(L, 1), value = check_wide(L, 2);
  if (!cds_wide_add_product(&sum, &value, check_whole(L, 3, -CDS_L_MAX_EXACT)))
    return luaL_error(L, "a sum beyond 384 bits");
  return push_wide(L, &sum);
}

/* exact_divide(value, divisor) -> the quotient, rounded toward zero */
static int exact_divide(lua_State *L) {
  struct cds_wide value = check_wide(L, 1);
  cds_wide_divide(&value, (uint64_t)check_whole(L, 2, 1));
  return push_wide(L, &value);
}

/* exact_moved(last, now, numerator, denominator) -> are they that share of last apart, and not equal? */
static int exact_moved(lua_State *L) {
  struct cds_wide last = check_wide(L, 1), now = check_wide(L, 2);
  bool fits;
  bool moved = cds_wide_moved(&fits, &last, &now, check_whole(L, 3, 0), check_whole(L, 4, 1));
  if (!fits) return luaL_error(L, "a product beyond 384 bits");
  lua_pushboolean(L, moved);
  return 1;
}

static const luaL_Reg functions[] = {{"exact_compare", exact_compare},
                                     {"exact_add", exact_add},
                                     {"exact_divide", exact_divide},
                                     {"exact_moved", exact_moved},
                                     {NULL, NULL}};

void cds_l_open_wide(lua_State *L) {
  cds_l_setfuncs(L, functions, 0);
}
