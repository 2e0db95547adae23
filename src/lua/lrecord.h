/* SPDX-License-Identifier: MIT
 * A recording, of a stream or by a recorder. */
#ifndef CDS_L_RECORD_H
#define CDS_L_RECORD_H

#include "lua/compat.h"

/* Sets the functions in the module table on the stack's top. */
void cds_l_open_record(lua_State *L);

#endif
