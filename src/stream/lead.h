/* SPDX-License-Identifier: MIT
 * The script does its only connection's work while it waits for it: a report that comes alone need not be handed over
 * from one thread to another. */
#ifndef CDS_LEAD_H
#define CDS_LEAD_H

#include "stream/stream.h"

/* In place of a wait for the descriptor: does what is to be done, and comes back when there may be something to take, or
 * after so many seconds (negative: no end). False, and nothing was done: the caller is to wait, as there are several
 * connections, somebody else may wait for the descriptor too, or the connection's thread is not ready to lend its work;
 * the descriptor tells when it is. What came is to be taken before the caller waits for the descriptor. */
CDS_MUST_CHECK bool cds_stream_lead(struct cds_stream *stream, double seconds);

#endif
