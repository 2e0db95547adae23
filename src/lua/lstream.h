/* SPDX-License-Identifier: MIT
 * The stream userdata. */
#ifndef CDS_L_STREAM_H
#define CDS_L_STREAM_H

#include "lua/lsource.h"
#include "lua/lutil.h"
#include "record/writer.h"

struct cds_l_stream {
  struct cds_l_source source;
  struct cds_report *report; /* popped, not yet a userdata: whoever asks first gets it */
  struct cds_event *event;   /* taken, not yet a table */
  unsigned pops;             /* since events were last looked for */
  struct cds_writer *writer; /* of what is given to the script; NULL: it is not recorded */
};

/* Registers the metatable and sets the functions in the module table on the stack's top. */
void cds_l_open_stream(lua_State *L);

#endif
