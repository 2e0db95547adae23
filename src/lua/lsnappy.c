/* SPDX-License-Identifier: MIT
 * Compression for Lua. */
#include "lua/lsnappy.h"

#include "codec/snappy.h"
#include "lua/lutil.h"

typedef enum cds_status (*conversion)(struct cds_buf *, const char *, size_t, struct cds_error *);

/* Runs protected: (buffer) -> its bytes */
static int push_bytes(lua_State *L) {
  const struct cds_buf *buffer = lua_touserdata(L, 1);
  lua_pushlstring(L, buffer->data ? buffer->data : "", buffer->length);
  return 1;
}

static int convert(lua_State *L, conversion run) {
  size_t length;
  const char *data = luaL_checklstring(L, 1, &length);
  struct cds_error err = {0};
  struct cds_buf out;
  lua_pushcfunction(L, push_bytes);
  cds_buf_init(&out, 2 * CDS_MAX_MESSAGE_BYTES);
  enum cds_status status = run(&out, data, length, &err);
  lua_pushlightuserdata(L, &out);
  bool good = status != CDS_OK || lua_pcall(L, 1, 1, 0) == 0;
  cds_buf_clear(&out);
  if (!good) return lua_error(L);
  return status == CDS_OK ? 1 : cds_l_fail(L, &err);
}

static int compress(lua_State *L) {
  return convert(L, cds_snappy_compress);
}

static int decompress(lua_State *L) {
  return convert(L, cds_snappy_decompress);
}

static const luaL_Reg functions[] = {{"compress", compress}, {"decompress", decompress}, {NULL, NULL}};

void cds_l_open_snappy(lua_State *L) {
  cds_l_setfuncs(L, functions, 0);
}
