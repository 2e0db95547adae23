/* SPDX-License-Identifier: MIT
 * The terminal of the command line's full-screen view. */
#ifndef CDS_L_TERMINAL_H
#define CDS_L_TERMINAL_H

#include <lua.h>

/* Adds terminal_open, terminal_close, terminal_keys and terminal_size to the module's table on the stack. */
void cds_l_open_terminal(lua_State *L);

#endif
