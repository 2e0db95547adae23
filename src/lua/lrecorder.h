/* SPDX-License-Identifier: MIT
 * The recorder userdata: a recording of what comes from elsewhere than a stream, of which Lua tells. */
#ifndef CDS_L_RECORDER_H
#define CDS_L_RECORDER_H

#include "lua/lutil.h"
#include "record/writer.h"

#define CDS_L_RECORDER "chainlink.recorder"

struct cds_l_recorder {
  struct cds_writer *writer; /* NULL: nothing is recorded */
  struct cds_event *event;   /* a log line that was taken, not yet a table */
};

/* Registers the metatable and sets the functions in the module table on the stack's top. */
void cds_l_open_recorder(lua_State *L);

#endif
