/* SPDX-License-Identifier: MIT
 * Files and lines that are nobody else's, for the table chainlink.core. */
#ifndef CDS_L_PRIVATE_H
#define CDS_L_PRIVATE_H

#include "lua/lutil.h"

void cds_l_open_private(lua_State *L); /* into the table on the stack's top */

#endif
