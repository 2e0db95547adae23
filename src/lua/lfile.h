/* SPDX-License-Identifier: MIT
 * What the command line's output file needs of the system. */
#ifndef CDS_L_FILE_H
#define CDS_L_FILE_H

#include <lua.h>

/* Adds real_path, claim_file, sync_file and release_file to the module's table on the stack. */
void cds_l_open_file(lua_State *L);

#endif
