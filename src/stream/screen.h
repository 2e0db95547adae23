/* SPDX-License-Identifier: MIT
 * The option `verify`: only reports whose signatures verify go on, whichever way they came. */
#ifndef CDS_SCREEN_H
#define CDS_SCREEN_H

#include "stream/stream_internal.h"

/* No lock is held. True when the stream does not verify, or the report does; otherwise counted and told, for every
 * report and about once a second. host: where it came from. */
CDS_MUST_CHECK bool cds_stream_screen(struct cds_stream *stream, const struct cds_report *report, const char *host);

#endif
