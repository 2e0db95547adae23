/* SPDX-License-Identifier: MIT
 * A descriptor for the script's event loop: readable from cds_notify_raise to cds_notify_clear.
 * Not thread-safe by itself: the owner's mutex keeps raise and clear in step with what they announce. */
#ifndef CDS_NOTIFY_H
#define CDS_NOTIFY_H

#include "base/error.h"

struct cds_notify {
  int read_fd;  /* close-on-exec, non-blocking; -1 when closed */
  int write_fd; /* the same descriptor where eventfd is used */
  bool raised;
};

/* CDS_E_MEMORY when no descriptor can be had; *notify is closed then. */
CDS_MUST_CHECK enum cds_status cds_notify_init(struct cds_notify *notify, struct cds_error *err);

/* Both are idempotent, and free of system calls when nothing changes. */
void cds_notify_raise(struct cds_notify *notify);
void cds_notify_clear(struct cds_notify *notify);

void cds_notify_close(struct cds_notify *notify); /* idempotent */

#endif
