/* SPDX-License-Identifier: MIT
 * What the script sees of a call's attempts, from the REST thread. No secret is shown. */
#ifndef CDS_CALL_LOG_H
#define CDS_CALL_LOG_H

#include "rest/call.h"

void cds_call_log(struct cds_call *call, enum cds_log_level level, const char *format, ...) CDS_PRINTF(3, 4);

/* An attempt is being sent: for a trace. */
void cds_call_trace_sent(const struct cds_call *call);

/* What an answer's Date tells of the clocks, into the client's clock; told when that changes. */
void cds_call_note_clock(struct cds_call *call);

/* Of an attempt that is over: a line, and the answer if the script wants answers. */
void cds_call_log_attempt(struct cds_call *call);
void cds_call_tell_response(struct cds_call *call);

#endif
