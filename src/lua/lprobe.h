/* SPDX-License-Identifier: MIT
 * What the doctor asks of the system, for the table chainlink.core. */
#ifndef CDS_L_PROBE_H
#define CDS_L_PROBE_H

#include "lua/lutil.h"

void cds_l_open_probe(lua_State *L); /* into the table on the stack's top */

#endif
