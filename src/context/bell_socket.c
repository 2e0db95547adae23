/* SPDX-License-Identifier: MIT
 * Bound in a folder of its own, opened by name, and taken off the disk. */
#define _GNU_SOURCE /* O_PATH, mkdtemp */
#include "context/bell_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(sizeof((struct sockaddr_un *)0)->sun_path <= CDS_BELL_PATH, "a socket's path fits");

static bool make_folder(char folder[CDS_BELL_PATH]) {
  const char *parent = getenv("TMPDIR");
  if (parent == NULL || strlen(parent) > CDS_BELL_PATH / 2) parent = "/tmp";
  snprintf(folder, CDS_BELL_PATH, "%s/chainlink-XXXXXX", parent);
  if (mkdtemp(folder) != NULL) return true;
  folder[0] = '\0';
  return false;
}

static bool prepare(int fd) {
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

static bool listen_at(int fd, const char *path) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
  return bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, SOMAXCONN) == 0;
}

static void remove_file(struct cds_bell_socket *listener) {
  char path[CDS_BELL_PATH + 8];
  if (listener->folder[0] == '\0') return;
  snprintf(path, sizeof path, "%s/bell", listener->folder);
  unlink(path);
  rmdir(listener->folder);
  listener->folder[0] = '\0';
}

/* True when /proc has a name for it, by which it can be found without its file. */
static bool find_in_proc(struct cds_bell_socket *listener) {
#ifdef O_PATH
  char name[CDS_BELL_PATH];
  listener->name_fd = open(listener->address, O_PATH | O_CLOEXEC);
  snprintf(name, sizeof name, "/proc/%ld/fd/%d", (long)getpid(), listener->name_fd);
  if (listener->name_fd < 0 || access(name, F_OK) != 0) return false;
  memcpy(listener->address, name, sizeof name);
  return true;
#else
  (void)listener;
  return false;
#endif
}

enum cds_status cds_bell_socket_open(struct cds_bell_socket *out, struct cds_error *err) {
  *out = (struct cds_bell_socket){.fd = socket(AF_UNIX, SOCK_STREAM, 0), .name_fd = -1};
  bool good = out->fd >= 0 && prepare(out->fd) && make_folder(out->folder);
  if (good) {
    snprintf(out->address, sizeof out->address, "%.90s/bell", out->folder);
    good = listen_at(out->fd, out->address);
  }
  if (!good) {
    int reason = errno;
    cds_bell_socket_close(out, true);
    return cds_error_set(err, CDS_E_MEMORY, "no unix socket for notifications: %s", strerror(reason));
  }
  if (find_in_proc(out)) remove_file(out);
  return CDS_OK;
}

void cds_bell_socket_close(struct cds_bell_socket *listener, bool remove) {
  if (remove) remove_file(listener);
  if (listener->fd >= 0) close(listener->fd);
  if (listener->name_fd >= 0) close(listener->name_fd);
  listener->fd = listener->name_fd = -1;
}
