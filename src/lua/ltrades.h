/* SPDX-License-Identifier: MIT
 * The userdata of a stream of trades. */
#ifndef CDS_L_TRADES_H
#define CDS_L_TRADES_H

#include "lua/compat.h"

/* Registers its metatable and sets the functions in the module table on the stack's top. */
void cds_l_open_trades(lua_State *L);

#endif
