/* SPDX-License-Identifier: MIT
 * A listening Unix socket that this user alone can reach. */
#ifndef CDS_WEB_LOCAL_H
#define CDS_WEB_LOCAL_H

#include "base/error.h"

#include <sys/types.h>
#include <sys/un.h>

struct cds_web_local {
  int fd; /* -1: none */
  char path[sizeof((struct sockaddr_un *)0)->sun_path];
  dev_t device;
  ino_t inode;
};

/* A socket that is there already is replaced if nobody listens to it. CDS_E_CONFIG: the path is too long or something
 * else is there; CDS_E_NETWORK: no listening there. */
CDS_MUST_CHECK enum cds_status cds_web_local_open(struct cds_web_local *local, const char *path, struct cds_error *err);

int cds_web_local_accept(const struct cds_web_local *local); /* -1: nobody waits */

void cds_web_local_close(struct cds_web_local *local); /* removes the socket, if it still is this one */

#endif
