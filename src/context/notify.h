/* SPDX-License-Identifier: MIT
 * A descriptor for the script's event loop: readable from cds_notify_raise to cds_notify_clear.
 * Not thread-safe by itself: the owner's mutex keeps raise and clear in step with what they announce. */
#ifndef CDS_NOTIFY_H
#define CDS_NOTIFY_H

#include <stdatomic.h>

#include "base/error.h"

struct cds_notify {
  int read_fd;         /* close-on-exec, non-blocking; -1 when closed */
  int write_fd;        /* the same descriptor where eventfd is used */
  bool raised;         /* a token is inside, or will be */
  bool is_due;         /* raised by cds_notify_promise, and not taken yet */
  atomic_uint writers; /* between take and the end of write */
};

/* CDS_E_MEMORY when no descriptor can be had; *notify is closed then. */
CDS_MUST_CHECK enum cds_status cds_notify_init(struct cds_notify *notify, struct cds_error *err);

/* Both are idempotent, and free of system calls when nothing changes. */
void cds_notify_raise(struct cds_notify *notify);
void cds_notify_clear(struct cds_notify *notify);

/* Raises in three steps, so that whoever is woken does not meet the mutex that announced it: promise and take under the
 * mutex, write after it. A clear that finds the token not written yet leaves it to the next one: the descriptor is then
 * readable once more than there is to tell. take: the descriptor to write to, or -1 when nothing was promised. */
void cds_notify_promise(struct cds_notify *notify);
CDS_MUST_CHECK int cds_notify_take(struct cds_notify *notify);
void cds_notify_write(struct cds_notify *notify, int fd);

/* The last is idempotent; not while another thread is between take and the end of write, which wait_written waits for. */
void cds_notify_wait_written(const struct cds_notify *notify);
void cds_notify_close(struct cds_notify *notify);

#endif
