/* SPDX-License-Identifier: MIT
 * What goes over the wire, told on standard error as it happens, where CHAINLINK_STREAMS_TRACE asks for that. Whoever
 * tells sees to it that no secret, signature or header's value is in it. */
#ifndef CDS_TRACE_H
#define CDS_TRACE_H

#include "base/cds.h"

/* Looks at the environment, once a process. Before that nothing is told. */
void cds_trace_begin(void);

/* To be asked before anything is made for a trace. */
bool cds_trace_is_on(void);

/* One line with the time. Control characters are shown as \xNN, and a line that is too long is cut. Any thread. */
void cds_trace(const char *format, ...) CDS_PRINTF(1, 2);

#endif
