/* SPDX-License-Identifier: MIT
 * A listening unix socket without a name that could outlive the process: its file is gone as soon as it is made, and
 * who may look into this process (a worker of the same nginx, say) connects by way of /proc. Without a /proc the file
 * stays, in a folder that only its owner may enter, until the socket is closed. */
#ifndef CDS_BELL_SOCKET_H
#define CDS_BELL_SOCKET_H

#include "base/error.h"

#define CDS_BELL_PATH 108 /* what fits into a struct sockaddr_un */

struct cds_bell_socket {
  int fd;                      /* listening, non-blocking; -1 when closed */
  int name_fd;                 /* keeps the file's name in /proc; -1 where the file itself stays */
  char address[CDS_BELL_PATH]; /* what to connect to */
  char folder[CDS_BELL_PATH];  /* "" when it is gone, and the file with it */
};

/* CDS_E_MEMORY when no socket can be had; *out is closed then. */
CDS_MUST_CHECK enum cds_status cds_bell_socket_open(struct cds_bell_socket *out, struct cds_error *err);

/* remove: the file too, where it is there; a forked child leaves its parent's alone. Idempotent. */
void cds_bell_socket_close(struct cds_bell_socket *listener, bool remove);

#endif
