/* SPDX-License-Identifier: MIT
 * Reports on their way into Lua. */
#include "lua/lroom.h"

#include <string.h>

struct cds_report *cds_l_push_room(lua_State *L, size_t length) {
  return cds_l_newplain(L, cds_report_size(length));
}

void cds_l_finish_room(lua_State *L, int metatable) {
  lua_pushvalue(L, metatable);
  lua_setmetatable(L, -2);
}

void cds_l_fill_room(lua_State *L, struct cds_report *from, int metatable) {
  struct cds_report *to = lua_touserdata(L, -1);
  size_t size = offsetof(struct cds_report, bytes) + from->length;
  size_t skip = offsetof(struct cds_report, version); /* refs may be changing on another thread */
  metatable = cds_l_absindex(L, metatable);
  memcpy((char *)to + skip, (const char *)from + skip, size - skip);
  to->refs = 1;
  cds_report_unref(from);
  cds_l_finish_room(L, metatable);
}

bool cds_l_give_report(lua_State *L, struct cds_report **slot, int metatable) {
  size_t room = (*slot)->length;
  metatable = cds_l_absindex(L, metatable);
  cds_l_push_room(L, room);
  struct cds_report *report = *slot;
  if (report && report->length <= room) {
    *slot = NULL;
    cds_l_fill_room(L, report, metatable);
    return true;
  }
  lua_pop(L, 1);
  return false;
}
