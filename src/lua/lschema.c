/* SPDX-License-Identifier: MIT
 * The registry of schemas: reading it, and adding to it. */
#include "lua/lschema.h"

#include "codec/registry.h"
#include "lua/lutil.h"

static int market_status_name(lua_State *L) {
  lua_Integer version = luaL_checkinteger(L, 1);
  lua_Number status = luaL_checknumber(L, 2);
  const char *name = NULL;
  if (version >= 0 && version <= UINT16_MAX && status >= 0 && status <= UINT32_MAX)
    name = cds_market_status_name((uint16_t)version, (uint32_t)status);
  lua_pushstring(L, name); /* NULL gives nil */
  return 1;
}

static void push_schema_field(lua_State *L, const struct cds_field *field) {
  char type[16];
  cds_field_type_name(type, field);
  lua_createtable(L, 0, 6);
  cds_l_set_text(L, "name", field->name);
  cds_l_set_text(L, "abi_name", field->abi_name);
  cds_l_set_text(L, "type", type);
  cds_l_set_text(L, "unit", cds_unit_name(field->unit));
  cds_l_set_text(L, "meaning", field->meaning);
  lua_pushinteger(L, (lua_Integer)field->decimals);
  lua_setfield(L, -2, "decimals");
}

static void push_schema(lua_State *L, const struct cds_schema *schema) {
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, schema->version);
  lua_setfield(L, -2, "version");
  cds_l_set_text(L, "name", schema->name);
  if (schema->price >= 0) cds_l_set_text(L, "price", schema->fields[schema->price].name);
  lua_createtable(L, (int)schema->field_count, 0);
  for (size_t f = 0; f < schema->field_count; f++) {
    push_schema_field(L, &schema->fields[f]);
    lua_rawseti(L, -2, (int)f + 1);
  }
  lua_setfield(L, -2, "fields");
}

/* schema(version) -> {version=, name=, price=, fields={…}} | nil */
static int schema_of(lua_State *L) {
  lua_Number version = luaL_checknumber(L, 1);
  const struct cds_schema *schema = NULL;
  if (version >= 0 && version <= UINT16_MAX && version == (lua_Number)(uint16_t)version)
    schema = cds_schema_find((uint16_t)version);
  if (schema) push_schema(L, schema);
  else lua_pushnil(L);
  return 1;
}

/* schema_versions() -> array of the built-in versions */
static int schema_versions(lua_State *L) {
  size_t count;
  const struct cds_schema *list = cds_schema_list(&count);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushinteger(L, list[i].version);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* The text stays alive in the table. NULL when there is none. */
static const char *text_of(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  lua_pop(L, 1);
  return text;
}

/* The table on the stack's top. */
static struct cds_field_definition field_definition(lua_State *L) {
  int index = lua_gettop(L);
  return (struct cds_field_definition){
    .name = text_of(L, index, "name"),
    .type = text_of(L, index, "type"),
    .abi_name = text_of(L, index, "abi_name"),
    .unit = text_of(L, index, "unit"),
    .meaning = text_of(L, index, "meaning"),
    .decimals = (int)cds_l_number(L, index, "decimals", 0),
  };
}

/* schema_register{version=, name=, price=, fields={{name=, type=, abi_name=, unit=, meaning=, decimals=}, …}}
 * -> true | nil, err. The types of the members were checked. */
static int schema_register(lua_State *L) {
  cds_l_check_plain(L, 1);
  lua_settop(L, 1);
  lua_getfield(L, 1, "fields");
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t count = cds_l_rawlen(L, 2);
  struct cds_field_definition *fields = lua_newuserdata(L, count * sizeof *fields);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (int)i + 1);
    cds_l_check_plain(L, -1);
    fields[i] = field_definition(L);
    lua_pop(L, 1);
  }
  struct cds_schema_definition definition = {
    .version = (uint16_t)cds_l_number(L, 1, "version", 0),
    .name = text_of(L, 1, "name"),
    .price = text_of(L, 1, "price"),
    .fields = fields,
    .field_count = count,
  };
  struct cds_error err = {0};
  if (cds_schema_register(&definition, &err) != CDS_OK) return cds_l_fail(L, &err);
  lua_pushboolean(L, true);
  return 1;
}

static const luaL_Reg functions[] = {{"market_status_name", market_status_name},
                                     {"schema", schema_of},
                                     {"schema_versions", schema_versions},
                                     {"schema_register", schema_register},
                                     {NULL, NULL}};

void cds_l_open_schema(lua_State *L) {
  cds_l_setfuncs(L, functions, 0);
}
