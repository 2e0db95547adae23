/* SPDX-License-Identifier: MIT
 * Streams of recordings. */
#ifndef CDS_L_REPLAY_H
#define CDS_L_REPLAY_H

#include "lua/compat.h"

/* Sets the functions in the module table on the stack's top. */
void cds_l_open_replay(lua_State *L);

#endif
