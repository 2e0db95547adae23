/* SPDX-License-Identifier: MIT
 * The stream userdata. */
#ifndef CDS_L_STREAM_H
#define CDS_L_STREAM_H

#include "lua/lutil.h"

/* Registers the metatable and sets the functions in the module table on the stack's top. */
void cds_l_open_stream(lua_State *L);

#endif
