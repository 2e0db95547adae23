/* SPDX-License-Identifier: MIT
 * What files of the io library cannot do: be locked, and cut. */
#ifndef CDS_L_APPEND_H
#define CDS_L_APPEND_H

#include "lua/lutil.h"

void cds_l_open_append(lua_State *L); /* sets the functions in the module table on the stack's top */

#endif
