/* SPDX-License-Identifier: MIT
 * A request for diagnosis, the libraries' versions, and how many files may be open. */
#include "lua/lprobe.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "context/context.h"
#include "lua/lclient.h"
#include "net/probe.h"
#include "net/versions.h"

static void push_certificate(lua_State *L, const struct cds_journey *journey) {
  lua_createtable(L, 0, 5);
  cds_l_set_text(L, "subject", journey->subject);
  cds_l_set_text(L, "issuer", journey->issuer);
  cds_l_set_text(L, "names", journey->names);
  if (journey->valid_from >= 0) cds_l_set_number(L, "from", (double)journey->valid_from);
  if (journey->valid_until >= 0) cds_l_set_number(L, "till", (double)journey->valid_until);
}

static void push_origins(lua_State *L, const struct cds_origins *origins) {
  lua_createtable(L, (int)origins->count, 0);
  for (size_t i = 0; i < origins->count; i++) {
    lua_pushstring(L, origins->names[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/* All of it is values of the stack: nothing is lost when Lua's memory runs out. */
static void push_probe(lua_State *L, const struct cds_probe *probe) {
  const struct cds_journey *journey = &probe->journey;
  lua_createtable(L, 0, 16);
  if (probe->err.status != CDS_OK) {
    cds_l_push_error(L, &probe->err);
    lua_setfield(L, -2, "error");
  }
  cds_l_set_text(L, "stage", cds_stage_name(journey->stage));
  cds_l_set_text(L, "address", journey->address);
  cds_l_set_number(L, "name_seconds", journey->name_s);
  cds_l_set_number(L, "tcp_seconds", journey->tcp_s);
  cds_l_set_number(L, "tls_seconds", journey->tls_s);
  cds_l_set_number(L, "sent_seconds", journey->sent_s);
  cds_l_set_number(L, "total_seconds", journey->total_s);
  cds_l_set_number(L, "status", probe->http_status);
  cds_l_set_number(L, "sent_at", (double)probe->sent_ms / 1000);
  cds_l_set_number(L, "received_at", (double)probe->received_ms / 1000);
  if (probe->has_date) cds_l_set_number(L, "date", probe->date);
  if (probe->has_origins) {
    push_origins(L, &probe->origins);
    lua_setfield(L, -2, "origins");
  }
  if (journey->has_certificate) {
    push_certificate(L, journey);
    lua_setfield(L, -2, "certificate");
  }
}

/* probe(client, endpoint, signed, trusting) -> what a HEAD / met. endpoint: 0 for REST, 1 … for the WebSocket's hosts;
 * trusting: whatever certificate there is. Blocks. */
static int probe(lua_State *L) {
  struct cds_client *client = cds_l_check_client(L, 1);
  lua_Integer endpoint = luaL_checkinteger(L, 2);
  struct cds_error err = {0};
  luaL_argcheck(L, endpoint >= 0 && (size_t)endpoint <= client->config.ws_count, 2, "there is no such endpoint");
  if (cds_client_check(client, &err) != CDS_OK) return cds_l_fail(L, &err);
  struct cds_rest_options options = cds_config_rest(&client->config);
  char target[CDS_MAX_URL_BYTES + 2];
  if (endpoint > 0) options.url = &client->config.ws[endpoint - 1];
  if (lua_toboolean(L, 4)) options.tls.insecure_skip_verify = true;
  snprintf(target, sizeof target, "%s/", options.url->base);
  struct cds_probe result;
  cds_probe(&result, &options, target, lua_toboolean(L, 3));
  push_probe(L, &result);
  return 1;
}

/* versions() -> {libcurl=, libwebsockets=, openssl=}, err: without libcurl where it cannot be loaded */
static int versions(lua_State *L) {
  struct cds_versions found;
  struct cds_error err = {0};
  enum cds_status status = cds_versions(&found, &err);
  lua_createtable(L, 0, 3);
  cds_l_set_text(L, "libcurl", found.libcurl != NULL ? found.libcurl : "");
  cds_l_set_text(L, "libwebsockets", found.libwebsockets);
  cds_l_set_text(L, "openssl", found.openssl);
  if (status == CDS_OK) return 1;
  cds_l_push_error(L, &err);
  return 2;
}

/* file_limit() -> how many files this process may have open */
static int file_limit(lua_State *L) {
  struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  lua_pushnumber(L, limit.rlim_cur == RLIM_INFINITY ? HUGE_VAL : (double)limit.rlim_cur);
  return 1;
}

static const luaL_Reg functions[] = {
  {"probe", probe}, {"versions", versions}, {"file_limit", file_limit}, {NULL, NULL}};

void cds_l_open_probe(lua_State *L) {
  cds_l_setfuncs(L, functions, 0);
}
