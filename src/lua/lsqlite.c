/* SPDX-License-Identifier: MIT
 * Databases and their queries as userdata. */
#include "lua/lsqlite.h"

#include "base/sqlite.h"

#define DATABASE "chainlink.database"
#define QUERY "chainlink.query"
#define MAX_VALUES 100 /* of a query */

struct database {
  struct cds_sqlite *sqlite; /* NULL: closed */
};

struct query {
  struct cds_sqlite_query *query;
};

/* sqlite_open(path, writes) -> database | nil, err */
static int open_database(lua_State *L) {
  struct cds_error err = {0};
  const char *path = luaL_checkstring(L, 1);
  bool writes = lua_toboolean(L, 2);
  struct database *self = cds_l_new(L, sizeof *self, DATABASE);
  return cds_sqlite_open(&self->sqlite, path, writes, &err) == CDS_OK ? 1 : cds_l_fail(L, &err);
}

/* sqlite_close(database): once its queries are collected too. Again is harmless. */
static int close_database(lua_State *L) {
  struct database *self = luaL_checkudata(L, 1, DATABASE);
  cds_sqlite_close(self->sqlite);
  self->sqlite = NULL;
  return 0;
}

/* sqlite_prepare(database, sql) -> query | nil, err */
static int prepare(lua_State *L) {
  struct cds_error err = {0};
  const char *sql = luaL_checkstring(L, 2);
  struct query *query = cds_l_new(L, sizeof *query, QUERY);
  struct database *self = luaL_checkudata(L, 1, DATABASE);
  if (!self->sqlite) return luaL_error(L, "the database is closed");
  return cds_sqlite_prepare(&query->query, self->sqlite, sql, &err) == CDS_OK ? 1 : cds_l_fail(L, &err);
}

static int free_query(lua_State *L) {
  struct query *self = luaL_checkudata(L, 1, QUERY);
  cds_sqlite_free(self->query);
  self->query = NULL;
  return 0;
}

static struct cds_sqlite_query *check_query(lua_State *L) {
  struct query *self = luaL_checkudata(L, 1, QUERY);
  if (!self->query) luaL_error(L, "the query is over");
  return self->query;
}

/* sqlite_bind(query, count, values...) -> true | nil, err: begins anew with these values, texts, numbers or nil */
static int bind(lua_State *L) {
  struct cds_error err = {0};
  cds_sqlite_reset(check_query(L));
  int count = (int)luaL_checkinteger(L, 2);
  luaL_argcheck(L, count >= 0 && count <= MAX_VALUES, 2, "too many values");
  luaL_checkstack(L, MAX_VALUES, "no room for the values");
  lua_settop(L, count + 2);
  for (int i = 1; i <= count; i++) {
    size_t length = 0;
    const char *text = lua_isnil(L, i + 2) ? NULL : luaL_checklstring(L, i + 2, &length);
    if (cds_sqlite_bind(check_query(L), i, text, length, &err) != CDS_OK) return cds_l_fail(L, &err);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* sqlite_step(query) -> the next row, an array of texts and false for no value; false at the end | nil, err */
static int step(lua_State *L) {
  struct cds_error err = {0};
  bool has_row;
  struct cds_sqlite_query *query = check_query(L);
  if (cds_sqlite_step(&has_row, query, &err) != CDS_OK) return cds_l_fail(L, &err);
  if (!has_row) {
    lua_pushboolean(L, 0);
    return 1;
  }
  int count = cds_sqlite_columns(query);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    size_t length;
    const char *text = cds_sqlite_text(&length, check_query(L), i);
    if (text) lua_pushlstring(L, text, length);
    else lua_pushboolean(L, 0);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static const luaL_Reg database_metamethods[] = {{"__gc", close_database}, {NULL, NULL}};
static const luaL_Reg query_metamethods[] = {{"__gc", free_query}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"sqlite_open", open_database},
                                     {"sqlite_close", close_database},
                                     {"sqlite_prepare", prepare},
                                     {"sqlite_bind", bind},
                                     {"sqlite_step", step},
                                     {"sqlite_free", free_query},
                                     {NULL, NULL}};

void cds_l_open_sqlite(lua_State *L) {
  cds_l_metatable(L, DATABASE, database_metamethods);
  cds_l_metatable(L, QUERY, query_metamethods);
  lua_pop(L, 2);
  cds_l_setfuncs(L, functions, 0);
}
