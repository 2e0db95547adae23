/* SPDX-License-Identifier: MIT
 * A report's values as Lua has them, by what their names stand for. */
#ifndef CDS_L_VALUE_H
#define CDS_L_VALUE_H

#include "codec/report.h"
#include "lua/lutil.h"

#define CDS_L_NO_MEANING (-1) /* stands for nothing */

/* Pushes a table: each name that a report of this schema (NULL: of none) has -> a number that stands for its value. */
void cds_l_push_names(lua_State *L, const struct cds_schema *schema);

/* Pushes the value. */
void cds_l_push_value(lua_State *L, const struct cds_report *report, int meaning);

/* The number that cds_l_push_value pushes on a Lua whose numbers are doubles; NaN, which none is: it pushes something
 * else. */
double cds_l_value_number(const struct cds_report *report, int meaning);

/* The field of the blob that it is; -1 when it is none. */
int cds_l_value_field(const struct cds_report *report, int meaning);

/* The digits after the point that a field's number has: in a time of milliseconds, which Lua has in seconds, three. */
unsigned cds_l_value_decimals(const struct cds_report *report, int field);

/* Push a field: its number as exact text (what is no number as the value has it), and the nearest number or nil. */
void cds_l_push_exact(lua_State *L, const struct cds_report *report, int field, unsigned decimals);
void cds_l_push_number(lua_State *L, const struct cds_report *report, int field, unsigned decimals);

#endif
