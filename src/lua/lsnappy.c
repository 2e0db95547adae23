/* SPDX-License-Identifier: MIT
 * Compression for Lua. */
#include "lua/lsnappy.h"

#include "codec/snappy.h"
#include "lua/lutil.h"

#define CDS_L_BUFFER "chainlink.buffer"

typedef enum cds_status (*conversion)(struct cds_buf *, const char *, size_t, struct cds_error *);

static int buffer_gc(lua_State *L) {
  cds_buf_clear(lua_touserdata(L, 1));
  return 0;
}

static int convert(lua_State *L, conversion run) {
  size_t length;
  const char *data = luaL_checklstring(L, 1, &length);
  struct cds_error err = {0};
  struct cds_buf *out = cds_l_new(L, sizeof *out, CDS_L_BUFFER); /* frees it whatever happens below */
  cds_buf_init(out, 2 * CDS_MAX_MESSAGE_BYTES);
  if (run(out, data, length, &err) != CDS_OK) return cds_l_fail(L, &err);
  lua_pushlstring(L, out->data ? out->data : "", out->length);
  cds_buf_clear(out);
  return 1;
}

static int compress(lua_State *L) {
  return convert(L, cds_snappy_compress);
}

static int decompress(lua_State *L) {
  return convert(L, cds_snappy_decompress);
}

static const luaL_Reg functions[] = {{"compress", compress}, {"decompress", decompress}, {NULL, NULL}};
static const luaL_Reg buffer_metamethods[] = {{"__gc", buffer_gc}, {NULL, NULL}};

void cds_l_open_snappy(lua_State *L) {
  cds_l_metatable(L, CDS_L_BUFFER, buffer_metamethods);
  lua_pop(L, 1);
  cds_l_setfuncs(L, functions, 0);
}
