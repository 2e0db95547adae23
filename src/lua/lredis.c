/* SPDX-License-Identifier: MIT
 * chainlink.redis: pollers and connections to Redis for the relay's Lua (lua/chainlink/relay/wire.lua), a module of its
 * own so that the others need no hiredis. Failures are answered as nil and a text. */
#include "lua/compat.h"
#include "relay/redis.h"

#include <stdint.h>

#define POLLER "chainlink.redis.poller"
#define LINK "chainlink.redis.link"
#define SECURITY "chainlink.redis.security"

struct l_link {
  struct cds_redis *redis; /* NULL once it is closed */
  redisReply *reply;       /* being handed over */
};

static int fail(lua_State *L, const struct cds_error *err) {
  lua_pushnil(L);
  lua_pushstring(L, err->message);
  return 2;
}

/* ---- pollers ---- */

static struct cds_poller *check_poller(lua_State *L) {
  struct cds_poller **self = luaL_checkudata(L, 1, POLLER);
  luaL_argcheck(L, *self, 1, "the poller is closed");
  return *self;
}

/* poller() -> poller | nil, message */
static int poller(lua_State *L) {
  struct cds_error err = {0};
  struct cds_poller **self = cds_l_newplain(L, sizeof *self);
  *self = NULL;
  luaL_getmetatable(L, POLLER);
  lua_setmetatable(L, -2);
  if (cds_poller_open(self, &err) != CDS_OK) return fail(L, &err);
  return 1;
}

static int poller_gc(lua_State *L) {
  struct cds_poller **self = luaL_checkudata(L, 1, POLLER), *old = *self;
  *self = NULL;
  cds_poller_unref(old);
  return 0;
}

static int poller_fd(lua_State *L) {
  lua_pushinteger(L, cds_poller_fd(check_poller(L)));
  return 1;
}

/* poller_arm(poller[, seconds]): readable after so long; nil: not by time */
static int poller_arm(lua_State *L) {
  cds_poller_arm(check_poller(L), luaL_optnumber(L, 2, -1));
  return 0;
}

#define READY_AT_ONCE 64

/* poller_ready(poller) -> {[descriptor] = true, …}: some of the connections that have something to do now */
static int poller_ready(lua_State *L) {
  int fds[READY_AT_ONCE];
  size_t count = cds_poller_ready(fds, READY_AT_ONCE, check_poller(L));
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    lua_pushboolean(L, 1);
    lua_rawseti(L, -2, fds[i]);
  }
  return 1;
}

/* ---- TLS ---- */

static const char *text_of(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name); /* it stays on the stack */
  return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
}

/* security({ca_file=, ca_path=, cert_file=, key_file=}) -> security | nil, message */
static int security(lua_State *L) {
  struct cds_error err = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  const struct cds_tls tls = {.ca_file = text_of(L, 1, "ca_file"),
                              .ca_path = text_of(L, 1, "ca_path"),
                              .cert_file = text_of(L, 1, "cert_file"),
                              .key_file = text_of(L, 1, "key_file")};
  struct cds_security **self = cds_l_newplain(L, sizeof *self);
  *self = NULL;
  luaL_getmetatable(L, SECURITY);
  lua_setmetatable(L, -2);
  if (cds_security_open(self, &tls, &err) != CDS_OK) return fail(L, &err);
  return 1;
}

static int security_gc(lua_State *L) {
  struct cds_security **self = luaL_checkudata(L, 1, SECURITY), *old = *self;
  *self = NULL;
  cds_security_unref(old);
  return 0;
}

static struct cds_security *opt_security(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return NULL;
  struct cds_security **self = luaL_checkudata(L, index, SECURITY);
  luaL_argcheck(L, *self, index, "it is closed");
  return *self;
}

/* ---- connections ---- */

static struct cds_redis *check_link(lua_State *L) {
  struct l_link *self = luaL_checkudata(L, 1, LINK);
  luaL_argcheck(L, self->redis, 1, "the connection is closed");
  return self->redis;
}

/* connect(poller, host, port[, security]) -> link | nil, message; port 0: host is a socket's path */
static int connect_to(lua_State *L) {
  struct cds_error err = {0};
  const char *host = luaL_checkstring(L, 2);
  lua_Integer port = luaL_checkinteger(L, 3);
  luaL_argcheck(L, port >= 0 && port <= 65535, 3, "no port");
  struct cds_security *secure = opt_security(L, 4);
  struct l_link *self = cds_l_newplain(L, sizeof *self);
  *self = (struct l_link){0};
  luaL_getmetatable(L, LINK);
  lua_setmetatable(L, -2);
  if (cds_redis_open(&self->redis, check_poller(L), host, (int)port, secure, &err) != CDS_OK) return fail(L, &err);
  return 1;
}

static int link_fd(lua_State *L) {
  lua_pushinteger(L, cds_redis_fd(check_link(L)));
  return 1;
}

/* An answer that is being handed over stays until that is done. */
static int link_close(lua_State *L) {
  struct l_link *self = luaL_checkudata(L, 1, LINK);
  struct cds_redis *redis = self->redis;
  self->redis = NULL;
  cds_redis_free(redis);
  return 0;
}

static void free_reply(struct l_link *self) {
  redisReply *reply = self->reply;
  self->reply = NULL;
  if (reply) freeReplyObject(reply);
}

static int link_gc(lua_State *L) {
  free_reply(luaL_checkudata(L, 1, LINK));
  return link_close(L);
}

/* The texts of the array at index 2, which keeps them; the userdata that has the pointers stays on the stack. */
static int read_arguments(lua_State *L, const char ***arguments, size_t **lengths) {
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t count = cds_l_rawlen(L, 2);
  luaL_argcheck(L, count > 0 && count <= 1u << 20, 2, "no command");
  *arguments = cds_l_newplain(L, count * (sizeof **arguments + sizeof **lengths));
  *lengths = (size_t *)(void *)(*arguments + count);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 2, (int)i + 1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2, "arguments must be strings");
    (*arguments)[i] = lua_tolstring(L, -1, &(*lengths)[i]);
    lua_pop(L, 1);
  }
  return (int)count;
}

/* send(link, {command, argument, …}) -> true | nil, message */
static int link_send(lua_State *L) {
  struct cds_error err = {0};
  const char **arguments;
  size_t *lengths;
  int count = read_arguments(L, &arguments, &lengths);
  if (cds_redis_send(check_link(L), count, arguments, lengths, &err) != CDS_OK) return fail(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

/* work(link) -> true | nil, message: the connection is over, but what it has answered may be taken */
static int link_work(lua_State *L) {
  struct cds_error err = {0};
  if (cds_redis_work(check_link(L), &err) != CDS_OK) return fail(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static void push_value(lua_State *L, const redisReply *reply) {
  luaL_checkstack(L, 4, "an answer of Redis is too deep");
  switch (reply->type) {
  case REDIS_REPLY_STRING:
  case REDIS_REPLY_STATUS: lua_pushlstring(L, reply->str, reply->len); break;
  case REDIS_REPLY_INTEGER: lua_pushnumber(L, (lua_Number)reply->integer); break;
  case REDIS_REPLY_ERROR:
    lua_createtable(L, 0, 1);
    lua_pushlstring(L, reply->str, reply->len);
    lua_setfield(L, -2, "error");
    break;
  case REDIS_REPLY_ARRAY:
    lua_createtable(L, (int)reply->elements, 0);
    for (size_t i = 0; i < reply->elements; i++) {
      push_value(L, reply->element[i]);
      lua_rawseti(L, -2, (int)i + 1);
    }
    break;
  default: lua_pushboolean(L, 0); /* nothing */
  }
}

/* reply(link) -> true, value | false: none yet | nil, message. A value is a text, a number, an array, false for nothing,
 * or {error = text}. */
static int link_reply(lua_State *L) {
  struct cds_error err = {0};
  struct cds_redis *redis = check_link(L);
  struct l_link *self = lua_touserdata(L, 1);
  free_reply(self); /* memory ran out when it was handed over */
  if (cds_redis_reply(&self->reply, redis, &err) != CDS_OK) return fail(L, &err);
  lua_pushboolean(L, self->reply != NULL);
  if (!self->reply) return 1;
  push_value(L, self->reply);
  free_reply(self);
  return 2;
}

static const luaL_Reg functions[] = {{"poller", poller},
                                     {"poller_fd", poller_fd},
                                     {"poller_arm", poller_arm},
                                     {"poller_ready", poller_ready},
                                     {"security", security},
                                     {"connect", connect_to},
                                     {"fd", link_fd},
                                     {"send", link_send},
                                     {"work", link_work},
                                     {"reply", link_reply},
                                     {"close", link_close},
                                     {NULL, NULL}};

/* It stays on the stack. */
static void metatable(lua_State *L, const char *name, lua_CFunction gc) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable");
}

__attribute__((visibility("default"))) int luaopen_chainlink_redis(lua_State *L);

int luaopen_chainlink_redis(lua_State *L) {
  metatable(L, POLLER, poller_gc);
  metatable(L, LINK, link_gc);
  metatable(L, SECURITY, security_gc);
  lua_newtable(L);
  cds_l_setfuncs(L, functions, 0);
  return 1;
}
