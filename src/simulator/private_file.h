/* SPDX-License-Identifier: MIT
 * A new file that only its owner can read. */
#ifndef CDS_SIM_PRIVATE_FILE_H
#define CDS_SIM_PRIVATE_FILE_H

#include "base/error.h"

/* Makes the file: whoever waits for it sees all of it or nothing. What is there already, a symbolic link too, is
 * neither followed nor replaced. */
CDS_MUST_CHECK enum cds_status cds_sim_private_file(const char *path, const char *text, size_t length,
                                                    struct cds_error *err);

#endif
