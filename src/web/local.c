/* SPDX-License-Identifier: MIT
 * libwebsockets would remove whatever lies at the path, and let the group in. */
#define _GNU_SOURCE /* accept4 */
#include "web/local.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 64

static enum cds_status refuse(struct cds_error *err, const char *path, const char *why) {
  return cds_error_set(err, CDS_E_NETWORK, "cannot listen on %.108s: %s", path, why);
}

/* Somebody may be reached there, or nothing that can be told. */
static bool is_left_over(const struct sockaddr_un *address) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool left = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
  if (fd >= 0) close(fd);
  return left;
}

static enum cds_status make_room(const struct sockaddr_un *address, struct cds_error *err) {
  struct stat found;
  if (lstat(address->sun_path, &found) != 0)
    return errno == ENOENT ? CDS_OK : refuse(err, address->sun_path, strerror(errno));
  if (!S_ISSOCK(found.st_mode))
    return cds_error_set(err, CDS_E_CONFIG, "%.108s is there, and no socket", address->sun_path);
  if (!is_left_over(address)) return refuse(err, address->sun_path, "another process listens there");
  return unlink(address->sun_path) == 0 ? CDS_OK : refuse(err, address->sun_path, strerror(errno));
}

/* The mode of the socket itself says who may connect from the moment that it is bound; before listen() nobody can. */
static enum cds_status bind_to(struct cds_web_local *local, const struct sockaddr_un *address, struct cds_error *err) {
  struct stat made;
  if (bind(local->fd, (const struct sockaddr *)address, sizeof *address) != 0)
    return refuse(err, local->path, strerror(errno));
  if (lstat(local->path, &made) != 0) return refuse(err, local->path, strerror(errno));
  local->device = made.st_dev;
  local->inode = made.st_ino;
  if (chmod(local->path, S_IRUSR | S_IWUSR) == 0 && listen(local->fd, BACKLOG) == 0) return CDS_OK;
  return refuse(err, local->path, strerror(errno));
}

enum cds_status cds_web_local_open(struct cds_web_local *local, const char *path, struct cds_error *err) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  *local = (struct cds_web_local){.fd = -1};
  if (!*path || strlen(path) >= sizeof address.sun_path)
    return cds_error_set(err, CDS_E_CONFIG, "the path of a socket has 1 to %zu bytes", sizeof address.sun_path - 1);
  strcpy(address.sun_path, path);
  enum cds_status status = make_room(&address, err);
  if (status != CDS_OK) return status;
  strcpy(local->path, path);
  local->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  status = local->fd >= 0 ? bind_to(local, &address, err) : refuse(err, path, strerror(errno));
  if (status != CDS_OK) cds_web_local_close(local);
  return status;
}

int cds_web_local_accept(const struct cds_web_local *local) {
  return accept4(local->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

void cds_web_local_close(struct cds_web_local *local) {
  struct stat found;
  if (local->fd < 0) return;
  close(local->fd);
  local->fd = -1;
  if (local->inode && lstat(local->path, &found) == 0 && found.st_dev == local->device && found.st_ino == local->inode)
    (void)unlink(local->path);
}
