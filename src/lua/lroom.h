/* SPDX-License-Identifier: MIT
 * Reports on their way into Lua: room first, then the report. */
#ifndef CDS_L_ROOM_H
#define CDS_L_ROOM_H

#include "codec/report.h"
#include "lua/lutil.h"

/* A Report is made in two steps: room for one of up to `length` bytes, pushed; then, with nothing that allocates or
 * raises, the room on the stack's top becomes a Report made from *from, whose reference is dropped. The metatable is the
 * value at index `metatable`. */
struct cds_report *cds_l_push_room(lua_State *L, size_t length);
void cds_l_fill_room(lua_State *L, struct cds_report *from, int metatable);

/* The same where the report was read into the room. */
void cds_l_finish_room(lua_State *L, int metatable);

/* Takes the report out of *slot, a userdata's on the stack, and pushes a Report made from it. False, with nothing
 * pushed, when a finalizer took it meanwhile. When Lua's memory runs out *slot still holds the report. */
bool cds_l_give_report(lua_State *L, struct cds_report **slot, int metatable);

#endif
