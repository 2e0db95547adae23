/* SPDX-License-Identifier: MIT
 * The call userdata. */
#ifndef CDS_L_CALL_H
#define CDS_L_CALL_H

#include "lua/compat.h"

/* Registers its metatable and sets the functions in the module table on the stack's top. */
void cds_l_open_call(lua_State *L);

#endif
