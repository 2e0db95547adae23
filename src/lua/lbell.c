/* SPDX-License-Identifier: MIT
 * The doorbell userdata. It stays inside the Lua layer. */
#include "lua/lbell.h"

#include "context/bell.h"
#include "lua/lutil.h"

#define CDS_L_BELL "chainlink.bell"

struct bell {
  struct cds_bell *bell; /* NULL until made, and once closed */
};

static struct cds_bell *check_bell(lua_State *L) {
  struct bell *self = luaL_checkudata(L, 1, CDS_L_BELL);
  if (!self->bell) luaL_argerror(L, 1, "the bell is closed");
  return self->bell;
}

/* bell() -> bell | nil, err */
static int bell_open(lua_State *L) {
  struct cds_error err = {0};
  struct bell *self = cds_l_new(L, sizeof *self, CDS_L_BELL);
  if (cds_bell_open(&self->bell, &err) != CDS_OK) return cds_l_fail(L, &err);
  return 1;
}

static int bell_address(lua_State *L) {
  lua_pushstring(L, cds_bell_address(check_bell(L)));
  return 1;
}

static int bell_ring(lua_State *L) {
  cds_bell_ring(check_bell(L));
  return 0;
}

/* Also its __gc. */
static int bell_close(lua_State *L) {
  struct bell *self = luaL_checkudata(L, 1, CDS_L_BELL);
  struct cds_bell *bell = self->bell;
  self->bell = NULL;
  cds_bell_close(bell);
  return 0;
}

static const luaL_Reg metamethods[] = {{"__gc", bell_close}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"bell", bell_open},
                                     {"bell_address", bell_address},
                                     {"bell_ring", bell_ring},
                                     {"bell_close", bell_close},
                                     {NULL, NULL}};

void cds_l_open_bell(lua_State *L) {
  cds_l_metatable(L, CDS_L_BELL, metamethods);
  lua_pop(L, 1);
  cds_l_setfuncs(L, functions, 0);
}
