/* SPDX-License-Identifier: MIT
 * What the binding's files share: userdata, option tables, errors, numbers, events.
 *
 * A userdata is made first, closed and with its metatable, and acquires afterwards; whatever C memory is held
 * while a Lua function that may raise runs hangs on a userdata with __gc.
 *
 * Where Lua allocates it may run finalizers, and these may do anything: take what the same stream has, close it, free
 * the client. So what is to be handed out is taken when there is room for it, and a pointer got from a userdata is got
 * again after each allocation. */
#ifndef CDS_L_UTIL_H
#define CDS_L_UTIL_H

#include "codec/feed_id.h"
#include "context/event.h"
#include "lua/compat.h"

#define CDS_L_CLIENT "chainlink.client"
#define CDS_L_CALL "chainlink.call"
#define CDS_L_STREAM "chainlink.stream"
#define CDS_L_TRADES "chainlink.trades"
#define CDS_L_REPORT "chainlink.report"
#define CDS_L_ERROR "chainlink.error"

/* Makes the registry's metatable `name` from the metamethods and leaves it on the stack. */
void cds_l_metatable(lua_State *L, const char *name, const luaL_Reg *metamethods);

/* Pushes a zeroed userdata with that metatable. */
void *cds_l_new(lua_State *L, size_t size, const char *name);

/* The table at `index`; one with a metatable raises, so that reading its members runs no Lua. */
void cds_l_check_plain(lua_State *L, int index);

/* 2^53: every whole number up to there is a double of its own. */
#define CDS_L_MAX_EXACT (INT64_C(1) << 53)

/* The number at `index`, which is from `lowest` to CDS_L_MAX_EXACT, and never NaN; anything else raises with the text. */
lua_Number cds_l_check_exact(lua_State *L, int index, int64_t lowest, const char *expected);

/* Pushes nil and the error object; returns 2. */
int cds_l_fail(lua_State *L, const struct cds_error *err);
void cds_l_push_error(lua_State *L, const struct cds_error *err);

/* As an integer where Lua has them and it fits, as a number where that is exact, otherwise as decimal text. */
void cds_l_push_int64(lua_State *L, int64_t value);
/* "s", "ms" or nil */
void cds_l_push_resolution(lua_State *L, enum cds_resolution resolution);

void cds_l_push_uint64(lua_State *L, uint64_t value);

/* The value of a member of the table at `index`, or `otherwise` when it is nil; a wrong type raises. */
double cds_l_number(lua_State *L, int index, const char *name, double otherwise);
bool cds_l_boolean(lua_State *L, int index, const char *name);

/* A malloc'd copy of a text member into *out; left alone when it is nil. Runs no finalizer. Raises when memory runs
 * out. */
void cds_l_copy_text(lua_State *L, char **out, int index, const char *name);

/* Reads the array of feed ids at `index` into a buffer that a value pushed on the stack owns. A text that is
 * no feed id raises an InvalidFeedIDError. */
struct cds_feed_id *cds_l_feed_ids(lua_State *L, size_t *count, int index);

/* Takes the event out of *slot, a userdata's on the stack, and pushes a table that describes it. False, with nothing
 * pushed, when a finalizer took it meanwhile. When Lua's memory runs out *slot has the event again. */
bool cds_l_give_event(lua_State *L, struct cds_event **slot);

void cds_l_set_text(lua_State *L, const char *name, const char *value); /* t[name] = value, "" is left out */
void cds_l_set_number(lua_State *L, const char *name, double value);
void cds_l_set_uint(lua_State *L, const char *name, uint64_t value);

#endif
