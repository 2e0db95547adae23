/* SPDX-License-Identifier: MIT
 * The registry of schemas. */
#ifndef CDS_L_SCHEMA_H
#define CDS_L_SCHEMA_H

#include "lua/compat.h"

/* Sets the functions in the module table on the stack's top. */
void cds_l_open_schema(lua_State *L);

#endif
