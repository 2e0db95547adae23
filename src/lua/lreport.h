/* SPDX-License-Identifier: MIT
 * The Report userdata: a struct cds_report copied into memory that Lua owns, so that the collector knows what a
 * report weighs and none needs a finalizer. */
#ifndef CDS_L_REPORT_H
#define CDS_L_REPORT_H

#include "codec/report.h"
#include "lua/lutil.h"

/* The Report at `index`; anything else raises. */
const struct cds_report *cds_l_check_report(lua_State *L, int index);

/* Registers the metatable and sets the functions in the module table on the stack's top. */
void cds_l_open_report(lua_State *L);

#endif
