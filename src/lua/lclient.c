/* SPDX-License-Identifier: MIT
 * The client userdata: options in, statistics out. Its REST methods are written in Lua. */
#include "lua/lclient.h"

#include <string.h>

#include "base/alloc.h"
#include "context/config.h"

struct client {
  struct cds_client *client; /* NULL until made, and once finalized */
  struct cds_config config;  /* being filled in; empty afterwards */
};

struct cds_client *cds_l_check_client(lua_State *L, int index) {
  struct client *self = luaL_checkudata(L, index, CDS_L_CLIENT);
  if (!self->client) luaL_argerror(L, index, "the client is gone");
  return self->client;
}

/* ---- options ---- */

static size_t option_size(lua_State *L, int index, const char *name, size_t otherwise) {
  return (size_t)cds_l_number(L, index, name, (double)otherwise);
}

static int option_int(lua_State *L, int index, const char *name, int otherwise) {
  return (int)cds_l_number(L, index, name, otherwise);
}

static bool option_boolean(lua_State *L, int index, const char *name, bool otherwise) {
  lua_getfield(L, index, name);
  bool value = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* The place of a text member in a list of names, or `otherwise` when it is nil. */
static int option_choice(lua_State *L, int index, const char *name, const char *const *names, int otherwise) {
  int choice = otherwise;
  lua_getfield(L, index, name);
  if (!lua_isnil(L, -1)) choice = luaL_checkoption(L, -1, NULL, names);
  lua_pop(L, 1);
  return choice;
}

void cds_l_stream_config(lua_State *L, struct cds_stream_config *config, int index) {
  static const char *const overflows[] = {"block", "latest", "drop_oldest", NULL};
  static const char *const orders[] = {"feed", "arrival", NULL};
  static const char *const protocols[] = {"auto", "v1", "v2", NULL};
  static const char *const levels[] = {"debug", "info", "warn", "error", "none", NULL};
  index = cds_l_absindex(L, index);
  config->ping_interval = option_int(L, index, "ping_interval", config->ping_interval);
  config->pong_timeout = option_int(L, index, "pong_timeout", config->pong_timeout);
  config->max_reconnects = cds_l_number(L, index, "max_reconnects", config->max_reconnects);
  config->reconnect_delay = cds_l_number(L, index, "reconnect_delay", config->reconnect_delay);
  config->reconnect_max_delay = cds_l_number(L, index, "reconnect_max_delay", config->reconnect_max_delay);
  config->feeds_per_connection = option_size(L, index, "feeds_per_connection", config->feeds_per_connection);
  config->ha = option_boolean(L, index, "ha", config->ha);
  config->backfill = option_boolean(L, index, "backfill", config->backfill);
  if (cds_l_boolean(L, index, "stale_timeout")) /* false: none, as by default */
    config->stale_timeout = cds_l_number(L, index, "stale_timeout", config->stale_timeout);
  config->start = (uint32_t)cds_l_number(L, index, "start", config->start);
  config->has_start = config->start > 0;
  config->queue_size = option_size(L, index, "queue_size", config->queue_size);
  config->queue_bytes = option_size(L, index, "queue_bytes", config->queue_bytes);
  config->overflow = (enum cds_overflow)option_choice(L, index, "overflow", overflows, (int)config->overflow);
  config->order = (enum cds_order)option_choice(L, index, "order", orders, (int)config->order);
  config->protocol = (enum cds_protocol)option_choice(L, index, "protocol", protocols, (int)config->protocol);
  config->log_level = (enum cds_log_level)option_choice(L, index, "log_level", levels, (int)config->log_level);
}

static void read_url(lua_State *L, struct cds_url *url, int index, const char *option) {
  struct cds_error err = {0};
  size_t length = 0;
  const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;
  if (!text || strlen(text) != length) luaL_error(L, "option '%s' must be a text without NUL bytes", option);
  if (cds_url_parse(url, text, option, &err) == CDS_OK) return;
  cds_l_push_error(L, &err);
  lua_error(L);
}

static void read_urls(lua_State *L, struct cds_config *config, int index) {
  lua_getfield(L, index, "rest_url");
  read_url(L, &config->rest, -1, "rest_url");
  lua_pop(L, 1);
  lua_getfield(L, index, "price_url");
  read_url(L, &config->prices, -1, "price_url");
  lua_pop(L, 1);
  lua_getfield(L, index, "ws_urls");
  luaL_checktype(L, -1, LUA_TTABLE);
  size_t count = cds_l_rawlen(L, -1);
  if (count > CDS_MAX_ORIGINS) luaL_error(L, "option 'ws_url' lists more than %d origins", CDS_MAX_ORIGINS);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    read_url(L, &config->ws[i], -1, "ws_url");
    config->ws_count = i + 1;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Takes headers = {{name, value}, …}. */
static void read_headers(lua_State *L, struct cds_config *config, int index) {
  lua_getfield(L, index, "headers");
  luaL_checktype(L, -1, LUA_TTABLE);
  size_t count = cds_l_rawlen(L, -1);
  config->headers = cds_calloc(count, sizeof *config->headers);
  if (!config->headers) luaL_error(L, "not enough memory");
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    cds_l_check_plain(L, -1);
    config->header_count = i + 1;
    cds_l_copy_text(L, &config->headers[i].name, lua_gettop(L), "name");
    cds_l_copy_text(L, &config->headers[i].value, lua_gettop(L), "value");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void read_config(lua_State *L, struct cds_config *config, int index) {
  static const char *const clocks[] = {"local", "auto", NULL};
  cds_config_init(config);
  cds_l_copy_text(L, &config->api_key, index, "api_key");
  cds_l_copy_text(L, &config->api_secret, index, "api_secret");
  read_urls(L, config, index);
  config->timeout = cds_l_number(L, index, "timeout", config->timeout);
  config->connect_timeout = cds_l_number(L, index, "connect_timeout", config->connect_timeout);
  config->max_retries = option_int(L, index, "max_retries", config->max_retries);
  config->retry_delay = cds_l_number(L, index, "retry_delay", config->retry_delay);
  config->retry_max_delay = cds_l_number(L, index, "retry_max_delay", config->retry_max_delay);
  config->rate_limit = cds_l_number(L, index, "rate_limit", config->rate_limit);
  config->breaker_failures = option_int(L, index, "breaker_failures", config->breaker_failures);
  config->breaker_cooldown = cds_l_number(L, index, "breaker_cooldown", config->breaker_cooldown);
  read_headers(L, config, index);
  cds_l_copy_text(L, &config->ca_file, index, "ca_file");
  cds_l_copy_text(L, &config->ca_path, index, "ca_path");
  cds_l_copy_text(L, &config->cert_file, index, "cert_file");
  cds_l_copy_text(L, &config->key_file, index, "key_file");
  config->insecure_skip_verify = cds_l_boolean(L, index, "insecure_skip_verify");
  cds_l_copy_text(L, &config->proxy, index, "proxy");
  config->follows_clock = option_choice(L, index, "clock", clocks, 0) == 1;
  config->want_responses = cds_l_boolean(L, index, "want_responses");
  cds_l_stream_config(L, &config->stream, index);
}

/* ---- functions ---- */

/* client(options) -> client | nil, err. The options are checked and complete: lua/chainlink/config.lua made them.
 * The client's user value is a table for the Lua layer. */
static int client_new(lua_State *L) {
  cds_l_check_plain(L, 1);
  struct cds_error err = {0};
  struct client *self = cds_l_new(L, sizeof *self, CDS_L_CLIENT);
  lua_newtable(L);
  cds_l_setuservalue(L, -2);
  read_config(L, &self->config, 1);
  if (cds_client_new(&self->client, &self->config, &err) != CDS_OK) return cds_l_fail(L, &err);
  return 1;
}

static int client_close(lua_State *L) {
  struct client *self = luaL_checkudata(L, 1, CDS_L_CLIENT);
  if (self->client) cds_client_close(self->client);
  return 0;
}

static int client_is_closed(lua_State *L) {
  const struct client *self = luaL_checkudata(L, 1, CDS_L_CLIENT);
  lua_pushboolean(L, !self->client || cds_client_is_closed(self->client));
  return 1;
}

static int client_gc(lua_State *L) {
  struct client *self = luaL_checkudata(L, 1, CDS_L_CLIENT);
  struct cds_client *client = self->client;
  self->client = NULL;
  cds_client_free(client);
  cds_config_clear(&self->config);
  return 0;
}

static int client_stats(lua_State *L) {
  struct cds_client_stats stats;
  cds_client_stats(&stats, cds_l_check_client(L, 1));
  lua_createtable(L, 0, 5);
  cds_l_set_uint(L, "requests", stats.requests);
  cds_l_set_uint(L, "retries", stats.retries);
  cds_l_set_uint(L, "failures", stats.failures);
  cds_l_set_uint(L, "connections", stats.connections);
  cds_l_set_text(L, "circuit", stats.circuit);
  return 1;
}

static const luaL_Reg metamethods[] = {{"__gc", client_gc}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"client", client_new},
                                     {"client_close", client_close},
                                     {"client_is_closed", client_is_closed},
                                     {"client_stats", client_stats},
                                     {NULL, NULL}};

void cds_l_open_client(lua_State *L) {
  cds_l_metatable(L, CDS_L_CLIENT, metamethods);
  lua_setfield(L, -2, "client_metatable");
  cds_l_setfuncs(L, functions, 0);
}
