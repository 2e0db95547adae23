/* SPDX-License-Identifier: MIT
 * The command line's HTTP server, as functions of chainlink.core. */
#ifndef CDS_L_WEB_H
#define CDS_L_WEB_H

#include "lua/compat.h"

void cds_l_open_web(lua_State *L); /* adds them to the table on the stack's top */

#endif
