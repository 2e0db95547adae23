/* SPDX-License-Identifier: MIT
 * A line that a person types and nobody else is to see. */
#ifndef CDS_TERMINAL_H
#define CDS_TERMINAL_H

#include "base/error.h"

/* Asks on standard error, and reads a line from the terminal fd without echo; its end is left out. CDS_E_CONFIG when fd
 * is no terminal, when it has ended, when the line does not fit, and after a signal (Ctrl-C), whose handler may have its
 * turn then. */
CDS_MUST_CHECK enum cds_status cds_terminal_read_secret(char *out, size_t size, int fd, const char *question,
                                                        struct cds_error *err);

#endif
