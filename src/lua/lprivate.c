/* SPDX-License-Identifier: MIT
 * What profiles and the command line keep from others: a file, a descriptor's text, a line typed without echo. */
#include "lua/lprivate.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/private_file.h"
#include "base/terminal.h"

#define BOX "chainlink.private"
#define MAX_FILE_BYTES (64 * 1024)
#define MAX_LINE_BYTES (CDS_MAX_CREDENTIAL_BYTES + 64)

/* Holds what was read while Lua makes a text of it. */
struct box {
  struct cds_buf buf;
};

static struct box *new_box(lua_State *L) {
  struct box *box = cds_l_new(L, sizeof *box, BOX);
  cds_buf_init(&box->buf, MAX_FILE_BYTES);
  return box;
}

static int box_gc(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, BOX);
  cds_free_secret(box->buf.data, box->buf.capacity);
  box->buf.data = NULL;
  return 0;
}

static int give(lua_State *L, const struct box *box) {
  lua_pushlstring(L, box->buf.data != NULL ? box->buf.data : "", box->buf.length);
  return 1;
}

/* read_private(path) -> text | nil, err, is it missing */
static int read_private(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct cds_error err = {0};
  bool is_missing;
  struct box *box = new_box(L);
  if (cds_private_file_read(&box->buf, &is_missing, path, &err) == CDS_OK) return give(L, box);
  lua_pushnil(L);
  cds_l_push_error(L, &err);
  lua_pushboolean(L, is_missing);
  return 3;
}

/* write_private(path, text) -> true | nil, err */
static int write_private(lua_State *L) {
  size_t length;
  const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
  struct cds_error err = {0};
  if (cds_private_file_replace(path, text, length, &err) != CDS_OK) return cds_l_fail(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

/* read_fd(fd) -> text | nil, err */
static int read_fd(lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  struct cds_error err = {0};
  struct box *box = new_box(L);
  return cds_read_all(&box->buf, fd, &err) == CDS_OK ? give(L, box) : cds_l_fail(L, &err);
}

/* read_secret(question) -> the line | nil, err: from the terminal at standard input, without echo */
static int read_secret(lua_State *L) {
  const char *question = luaL_checkstring(L, 1);
  char line[MAX_LINE_BYTES];
  struct cds_error err = {0};
  if (cds_terminal_read_secret(line, sizeof line, 0, question, &err) != CDS_OK) return cds_l_fail(L, &err);
  lua_pushstring(L, line);
  return 1;
}

static const luaL_Reg metamethods[] = {{"__gc", box_gc}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"read_private", read_private},
                                     {"write_private", write_private},
                                     {"read_fd", read_fd},
                                     {"read_secret", read_secret},
                                     {NULL, NULL}};

void cds_l_open_private(lua_State *L) {
  cds_l_metatable(L, BOX, metamethods);
  lua_pop(L, 1);
  cds_l_setfuncs(L, functions, 0);
}
