/* SPDX-License-Identifier: MIT
 * Compression. */
#ifndef CDS_L_SNAPPY_H
#define CDS_L_SNAPPY_H

#include "lua/compat.h"

/* Sets the functions in the module table on the stack's top. */
void cds_l_open_snappy(lua_State *L);

#endif
