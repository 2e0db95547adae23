/* SPDX-License-Identifier: MIT
 * The client userdata. */
#ifndef CDS_L_CLIENT_H
#define CDS_L_CLIENT_H

#include "client/client.h"
#include "lua/lutil.h"

/* The client at `index`, as long as it has one: a client that was closed still answers with its reasons. */
struct cds_client *cds_l_check_client(lua_State *L, int index);

/* Reads the options that a stream may override from the table at `index`; what is not there stays as it was. */
void cds_l_stream_config(lua_State *L, struct cds_stream_config *config, int index);

/* Registers the metatable and sets the functions in the module table on the stack's top. */
void cds_l_open_client(lua_State *L);

#endif
