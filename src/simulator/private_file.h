/* SPDX-License-Identifier: MIT
 * Files made whole, under names that others cannot guess until then. */
#ifndef CDS_SIM_PRIVATE_FILE_H
#define CDS_SIM_PRIVATE_FILE_H

#include "base/error.h"

/* Makes a file that only its owner can read: whoever waits for it sees all of it or nothing. What is there already, a symbolic link too, is
 * neither followed nor replaced. */
CDS_MUST_CHECK enum cds_status cds_sim_private_file(const char *path, const char *text, size_t length,
                                                    struct cds_error *err);

/* Makes a file that all can read, in place of what is there; of a symbolic link, in place of the link itself. */
CDS_MUST_CHECK enum cds_status cds_sim_public_file(const char *path, const char *text, size_t length,
                                                   struct cds_error *err);

#endif
