/* SPDX-License-Identifier: MIT
 * The doorbell. */
#ifndef CDS_L_BELL_H
#define CDS_L_BELL_H

#include "lua/compat.h"

/* Sets the functions in the module table on the stack's top. */
void cds_l_open_bell(lua_State *L);

#endif
