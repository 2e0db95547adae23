/* SPDX-License-Identifier: MIT
 * Databases for Lua, see base/sqlite.h. */
#ifndef CDS_L_SQLITE_H
#define CDS_L_SQLITE_H

#include "lua/lutil.h"

/* Registers the metatables and sets the functions in the module table on the stack's top. */
void cds_l_open_sqlite(lua_State *L);

#endif
