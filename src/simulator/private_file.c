/* SPDX-License-Identifier: MIT
 * Writes under a name of its own, made by mkstemp (exclusively, mode 0600), and gives the whole file the name asked for:
 * by link, which fails where that name is taken, or by rename, which replaces what has it. */
#include "simulator/private_file.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

enum cds_status cds_sim_private_file(const char *path, const char *text, size_t length, struct cds_error *err) {
  return write_file(path, &(struct contents){text, length, S_IRUSR | S_IWUSR}, link, err);
}

enum cds_status cds_sim_public_file(const char *path, const char *text, size_t length, struct cds_error *err) {
  return write_file(path, &(struct contents){text, length, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH}, rename, err);
}
