/* SPDX-License-Identifier: MIT
 * Decoding and feed ids. */
#ifndef CDS_L_DECODE_H
#define CDS_L_DECODE_H

#include "lua/compat.h"

/* Sets the functions in the module table on the stack's top; after cds_l_open_report. */
void cds_l_open_decode(lua_State *L);

#endif
