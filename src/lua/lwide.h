/* SPDX-License-Identifier: MIT
 * Exact integers for Lua, as decimal text. */
#ifndef CDS_L_WIDE_H
#define CDS_L_WIDE_H

#include "lua/lutil.h"

/* Sets the functions in the module table on the stack's top. */
void cds_l_open_wide(lua_State *L);

#endif
