/* SPDX-License-Identifier: MIT
 * Signers of reports, verification, and the signer registry userdata. lua/chainlink/signers.lua gives it its methods. */
#include "lua/lverify.h"

#include "codec/hex.h"
#include "lua/lreport.h"

struct registry {
  struct cds_signer_registry *registry;
};

struct cds_signer_registry *cds_l_check_signers(lua_State *L, int index) {
  struct registry *box = luaL_checkudata(L, index, CDS_L_SIGNERS);
  luaL_argcheck(L, box->registry, index, "the registry is gone");
  return box->registry;
}

/* ---- arguments and results ---- */

static void push_hex(lua_State *L, const uint8_t *bytes, size_t length) {
  char text[2 + 2 * CDS_DIGEST] = "0x";
  cds_hex_encode(text + 2, bytes, length);
  lua_pushlstring(L, text, 2 + 2 * length);
}

static void check_digest(lua_State *L, uint8_t out[CDS_DIGEST], int index) {
  size_t length;
  const char *text = luaL_checklstring(L, index, &length);
  bool good = length == 2 + 2 * CDS_DIGEST && cds_hex_decode(out, text + 2, 2 * CDS_DIGEST) == 2 * CDS_DIGEST;
  luaL_argcheck(L, good, index, "0x and 64 hex digits expected");
}

/* Arguments index to index + 2: the array of addresses, f, active. */
static enum cds_status read_set(lua_State *L, struct cds_signer_set *set, int index, struct cds_error *err) {
  uint8_t addresses[CDS_MAX_SIGNATURES][CDS_ADDRESS];
  luaL_checktype(L, index, LUA_TTABLE);
  size_t count = cds_l_rawlen(L, index);
  for (size_t i = 0; i < count && count <= CDS_MAX_SIGNATURES; i++) {
    size_t length = 0;
    lua_rawgeti(L, index, (int)i + 1);
    const char *text = lua_tolstring(L, -1, &length);
    if (!text || !cds_address_parse(addresses[i], text, length))
      return cds_error_set(err, CDS_E_CONFIG, "signer %zu is not 0x and 40 hex digits", i + 1);
    lua_pop(L, 1);
  }
  lua_Number f = luaL_checknumber(L, index + 1);
  luaL_argcheck(L, f >= -1e9 && f <= 1e9, index + 1, "f is out of range");
  enum cds_status status = cds_signer_set_init(set, (const uint8_t(*)[CDS_ADDRESS])addresses, count, (int64_t)f, err);
  set->active = lua_toboolean(L, index + 2);
  return status;
}

static int fail(lua_State *L, const struct cds_verification *verification) {
  struct cds_error err = {0};
  cds_verification_error(&err, verification);
  cds_l_fail(L, &err);
  cds_l_set_text(L, "reason", cds_reason_name(verification->reason));
  return 2;
}

static int finish(lua_State *L, struct cds_verification verification) {
  if (verification.reason != CDS_VERIFIED) return fail(L, &verification);
  lua_pushboolean(L, true);
  return 1;
}

/* ---- reports ---- */

static int report_digest(lua_State *L) {
  uint8_t digest[CDS_DIGEST];
  cds_report_digest(digest, cds_l_check_report(L, 1));
  push_hex(L, digest, sizeof digest);
  return 1;
}

/* report:signers() -> array of addresses in the order of the signatures | nil, err */
static int report_signers(lua_State *L) {
  const struct cds_report *report = cds_l_check_report(L, 1);
  uint8_t digest[CDS_DIGEST], address[CDS_ADDRESS];
  size_t count = report->rs.length;
  struct cds_verification bad = {CDS_REASON_MISMATCHED, report->ss.length, count};
  if (report->ss.length != count) return fail(L, &bad);
  bad = (struct cds_verification){CDS_REASON_SIGNATURE_COUNT, count, CDS_MAX_SIGNATURES};
  if (count > CDS_MAX_SIGNATURES) return fail(L, &bad);
  cds_report_digest(digest, report);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    bad = (struct cds_verification){.reason = cds_recover_signer(address, report, digest, i), .got = i + 1};
    if (bad.reason != CDS_VERIFIED) return fail(L, &bad);
    push_hex(L, address, sizeof address);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* verify(report, registry) -> true | nil, err */
static int verify(lua_State *L) {
  return finish(L, cds_verify_report(cds_l_check_signers(L, 2), cds_l_check_report(L, 1)));
}

/* verify_by(report, addresses, f, active) -> true | nil, err: a ConfigError when the set breaks a rule */
static int verify_by(lua_State *L) {
  const struct cds_report *report = cds_l_check_report(L, 1);
  struct cds_signer_set set;
  struct cds_error err = {0};
  if (read_set(L, &set, 2, &err) != CDS_OK) return cds_l_fail(L, &err);
  return finish(L, cds_verify(&set, report));
}

/* ---- the registry ---- */

/* signers_new([addresses, f, active]) -> registry | nil, err. With a set every digest has that one. */
static int signers_new(lua_State *L) {
  struct cds_signer_set set;
  struct cds_error err = {0};
  bool has_set = !lua_isnoneornil(L, 1);
  if (has_set && read_set(L, &set, 1, &err) != CDS_OK) return cds_l_fail(L, &err);
  struct registry *box = cds_l_new(L, sizeof *box, CDS_L_SIGNERS);
  box->registry = cds_signer_registry_new(has_set ? &set : NULL);
  if (!box->registry) return luaL_error(L, "not enough memory");
  return 1;
}

static int signers_gc(lua_State *L) {
  struct registry *box = luaL_checkudata(L, 1, CDS_L_SIGNERS);
  cds_signer_registry_unref(box->registry);
  box->registry = NULL;
  return 0;
}

/* signers_put(registry, digest, addresses, f, active) -> true | nil, err */
static int signers_put(lua_State *L) {
  uint8_t digest[CDS_DIGEST];
  struct cds_signer_set set;
  struct cds_error err = {0};
  check_digest(L, digest, 2);
  if (read_set(L, &set, 3, &err) != CDS_OK ||
      cds_signer_registry_put(cds_l_check_signers(L, 1), digest, &set, &err) != CDS_OK)
    return cds_l_fail(L, &err);
  lua_pushboolean(L, true);
  return 1;
}

/* signers_remove(registry, digest) -> whether it was there | nil, err */
static int signers_remove(lua_State *L) {
  uint8_t digest[CDS_DIGEST];
  struct cds_error err = {0};
  bool found;
  check_digest(L, digest, 2);
  if (cds_signer_registry_remove(&found, cds_l_check_signers(L, 1), digest, &err) != CDS_OK) return cds_l_fail(L, &err);
  lua_pushboolean(L, found);
  return 1;
}

/* signers_get(registry, digest) -> {signers=, f=, active=} | nil */
static int signers_get(lua_State *L) {
  uint8_t digest[CDS_DIGEST];
  struct cds_signer_set set;
  check_digest(L, digest, 2);
  if (!cds_signer_registry_find(&set, cds_l_check_signers(L, 1), digest)) return 0;
  lua_createtable(L, 0, 3);
  lua_createtable(L, set.count, 0);
  for (int i = 0; i < set.count; i++) {
    push_hex(L, set.addresses[i], CDS_ADDRESS);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "signers");
  lua_pushinteger(L, set.f);
  lua_setfield(L, -2, "f");
  lua_pushboolean(L, set.active);
  lua_setfield(L, -2, "active");
  return 1;
}

/* signers_digests(registry) -> array of the digests, ascending */
static int signers_digests(lua_State *L) {
  uint8_t digest[CDS_DIGEST];
  struct cds_signer_set set;
  lua_newtable(L);
  for (size_t i = 0; cds_signer_registry_at(digest, &set, cds_l_check_signers(L, 1), i); i++) {
    push_hex(L, digest, sizeof digest);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* ---- registration ---- */

static const luaL_Reg functions[] = {{"verify", verify},
                                     {"verify_by", verify_by},
                                     {"signers_new", signers_new},
                                     {"signers_put", signers_put},
                                     {"signers_remove", signers_remove},
                                     {"signers_get", signers_get},
                                     {"signers_digests", signers_digests},
                                     {NULL, NULL}};

static const luaL_Reg report_functions[] = {{"digest", report_digest}, {"signers", report_signers}, {NULL, NULL}};

static const luaL_Reg signers_metamethods[] = {{"__gc", signers_gc}, {NULL, NULL}};

void cds_l_open_verify(lua_State *L) {
  cds_l_setfuncs(L, functions, 0);
  lua_getfield(L, -1, "report_methods");
  cds_l_setfuncs(L, report_functions, 0);
  lua_pop(L, 1);
  cds_l_metatable(L, CDS_L_SIGNERS, signers_metamethods);
  lua_setfield(L, -2, "signers_metatable");
}
