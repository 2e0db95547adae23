/* SPDX-License-Identifier: MIT
 * A stream's recording. */
#ifndef CDS_L_RECORD_H
#define CDS_L_RECORD_H

#include "lua/compat.h"

/* Sets the functions in the module table on the stack's top. */
void cds_l_open_record(lua_State *L);

#endif
