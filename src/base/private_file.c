/* SPDX-License-Identifier: MIT
 * Writes under a name of its own, made by mkstemp (exclusively, mode 0600), and gives the whole file the name asked for:
 * by link, which fails where that name is taken, or by rename, which replaces what has it. A private file is judged by
 * its descriptor, so that it cannot become another one between the look at it and its reading. */
#include "base/private_file.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS (S_IRWXG | S_IRWXO)

/* ---- written ---- */

/* link or rename: gives the file `from` the name `to` */
typedef int place_fn(const char *from, const char *to);

struct contents {
  const char *text;
  size_t length;
  mode_t mode;
};

static bool write_all(int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text += written;
    length -= (size_t)written;
  }
  return true;
}

/* Fills the file and gives it its name; errno tells the reason. */
static bool fill(int fd, const char *temporary, const char *path, const struct contents *contents, place_fn *place) {
  bool good = write_all(fd, contents->text, contents->length) && fchmod(fd, contents->mode) == 0;
  int reason = errno;
  if (close(fd) != 0 && good) {
    reason = errno;
    good = false;
  }
  if (good && place(temporary, path) != 0) {
    reason = errno;
    good = false;
  }
  unlink(temporary); /* not there any more after a rename */
  errno = reason;
  return good;
}

static enum cds_status write_file(const char *path, const struct contents *contents, place_fn *place,
                                  struct cds_error *err) {
  size_t size = strlen(path) + sizeof ".XXXXXX";
  char *temporary = cds_malloc(size);
  if (!temporary) return cds_error_set(err, CDS_E_MEMORY, "no memory for a file's name");
  snprintf(temporary, size, "%s.XXXXXX", path);
  int fd = mkstemp(temporary);
  bool good = fd >= 0 && fill(fd, temporary, path, contents, place);
  int reason = errno;
  cds_free(temporary);
  if (good) return CDS_OK;
  return cds_error_set(err, CDS_E_CONFIG, "cannot write %.200s: %s%s", path, strerror(reason),
                       reason == EEXIST ? "; it must be a new file" : "");
}

enum cds_status cds_private_file_new(const char *path, const char *text, size_t length, struct cds_error *err) {
  return write_file(path, &(struct contents){text, length, S_IRUSR | S_IWUSR}, link, err);
}

enum cds_status cds_public_file(const char *path, const char *text, size_t length, struct cds_error *err) {
  return write_file(path, &(struct contents){text, length, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH}, rename, err);
}

/* Each folder on the way to the file; what cannot be made is told by what follows. */
static void make_folders(const char *path) {
  char folder[PATH_MAX];
  if (strlen(path) >= sizeof folder) return;
  strcpy(folder, path);
  for (char *at = strchr(folder + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
    *at = 0;
    (void)mkdir(folder, S_IRWXU);
    *at = '/';
  }
}

enum cds_status cds_private_file_replace(const char *path, const char *text, size_t length, struct cds_error *err) {
  char real[PATH_MAX];
  make_folders(path);
  const char *place = realpath(path, real) != NULL ? real : path;
  return write_file(place, &(struct contents){text, length, S_IRUSR | S_IWUSR}, rename, err);
}

/* ---- read ---- */

static bool is_trusted(uid_t owner) {
  return owner == geteuid() || owner == 0;
}

static enum cds_status check_link(const char *path, struct cds_error *err) {
  struct stat about;
  if (lstat(path, &about) != 0 || !S_ISLNK(about.st_mode) || is_trusted(about.st_uid)) return CDS_OK;
  return cds_error_set(err, CDS_E_CONFIG, "%.200s: a symbolic link of another user is not followed", path);
}

static enum cds_status check_file(int fd, const char *path, struct cds_error *err) {
  struct stat about;
  if (fstat(fd, &about) != 0) return cds_error_set(err, CDS_E_CONFIG, "%.200s: %s", path, strerror(errno));
  if (!S_ISREG(about.st_mode)) return cds_error_set(err, CDS_E_CONFIG, "%.200s: is no file", path);
  if (!is_trusted(about.st_uid)) return cds_error_set(err, CDS_E_CONFIG, "%.200s: belongs to another user", path);
  if ((about.st_mode & OTHERS) != 0)
    return cds_error_set(err, CDS_E_CONFIG, "%.200s: others may read or write it (mode %03o); chmod 600 it", path,
                         (unsigned)about.st_mode & 0777u);
  return CDS_OK;
}

enum cds_status cds_read_all(struct cds_buf *out, int fd, struct cds_error *err) {
  char block[4096];
  ssize_t got;
  while ((got = read(fd, block, sizeof block)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cds_error_set(err, CDS_E_CONFIG, "cannot be read: %s", strerror(errno));
    enum cds_status status = cds_buf_append(out, block, (size_t)got);
    if (status == CDS_E_MEMORY) return cds_error_set(err, status, "out of memory");
    if (status != CDS_OK) return cds_error_set(err, CDS_E_CONFIG, "has more than %zu bytes", out->limit);
  }
  return CDS_OK;
}

enum cds_status cds_private_file_read(struct cds_buf *out, bool *is_missing, const char *path, struct cds_error *err) {
  struct cds_error why = {0};
  *is_missing = false;
  enum cds_status status = check_link(path, err);
  if (status != CDS_OK) return status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe of that name is refused, not waited for */
  if (fd < 0) {
    *is_missing = errno == ENOENT || errno == ENOTDIR;
    return cds_error_set(err, CDS_E_CONFIG, "%.200s: %s", path, strerror(errno));
  }
  status = check_file(fd, path, err);
  if (status == CDS_OK) {
    status = cds_read_all(out, fd, &why);
    if (status != CDS_OK) cds_error_set(err, status, "%.200s: %s", path, why.message);
  }
  close(fd);
  return status;
}
