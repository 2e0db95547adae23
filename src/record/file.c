/* SPDX-License-Identifier: MIT
 * The file behind a recording. Its lock is one of the open file (flock), so that it ends with the process. */
#include "record/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "record/mend.h"

#define MAX_PATH_BYTES 4096

static enum cds_status fail(struct cds_error *err, const char *what, const char *path) {
  int reason = errno;
  return cds_error_set(err, reason == ENOMEM ? CDS_E_MEMORY : CDS_E_FILE, "cannot %s %.250s: %s", what, path,
                       strerror(reason));
}

static enum cds_status set_path(struct cds_record_file *file, const char *path, struct cds_error *err) {
  struct cds_buf text;
  struct stat info;
  size_t length = strlen(path);
  bool has_slash = length > 0 && path[length - 1] == '/';
  bool is_folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
  cds_buf_init(&text, MAX_PATH_BYTES);
  enum cds_status status = is_folder ? cds_buf_printf(&text, "%s%srecording.jsonl", path, has_slash ? "" : "/")
                                     : cds_buf_printf(&text, "%s", path);
  if (status == CDS_OK) {
    file->path = text.data;
    file->packer = cds_packer_by_name(text.data);
    return CDS_OK;
  }
  if (status == CDS_E_MEMORY) return cds_error_set(err, status, "no memory for a path");
  return cds_error_set(err, CDS_E_FILE, "the path of a recording is longer than %d bytes", MAX_PATH_BYTES);
}

static enum cds_status open_locked(struct cds_record_file *file, int flags, struct cds_error *err) {
  struct stat info;
  file->fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, 0666);
  if (file->fd < 0) return fail(err, "open", file->path);
  if (fstat(file->fd, &info) != 0) return fail(err, "look at", file->path);
  if (!S_ISREG(info.st_mode))
    return cds_error_set(err, CDS_E_FILE, "%.250s is no plain file: a recording cannot be kept there", file->path);
  if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return cds_error_set(err, CDS_E_FILE, "%.250s is being written by another recorder", file->path);
    return fail(err, "lock", file->path);
  }
  file->size = (uint64_t)info.st_size;
  file->modified_ms = file->size ? (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000 : 0;
  return CDS_OK;
}

enum cds_status cds_record_file_open(struct cds_record_file *out, uint64_t *cut, const char *path,
                                     struct cds_error *err) {
  *out = (struct cds_record_file){.fd = -1};
  *cut = 0;
  enum cds_status status = set_path(out, path, err);
  if (status == CDS_OK) status = open_locked(out, 0, err);
  if (status == CDS_OK) status = cds_record_mend(&out->size, cut, out->fd, out->path, out->packer, err);
  if (status != CDS_OK) cds_record_file_close(out);
  return status;
}

/* -> 0, or why it is not written whole */
static int write_at(int fd, const char *data, size_t length, uint64_t offset) {
  while (length > 0) {
    ssize_t written = pwrite(fd, data, length, (off_t)offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    data += written;
    length -= (size_t)written;
    offset += (uint64_t)written;
  }
  return 0;
}

/* Both behind what is whole; -> 0, or why not */
static int write_both(struct cds_record_file *file, const struct cds_buf *head, const struct cds_buf *lines,
                      bool sync) {
  int reason = write_at(file->fd, head->data, head->length, file->size);
  if (reason == 0) reason = write_at(file->fd, lines->data, lines->length, file->size + head->length);
  if (reason == 0 && sync && fdatasync(file->fd) != 0) reason = errno;
  return reason;
}

static enum cds_status append(struct cds_record_file *file, const struct cds_buf *head, const struct cds_buf *lines,
                              bool sync, struct cds_error *err) {
  int reason = write_both(file, head, lines, sync);
  if (reason == 0) {
    file->size += head->length + lines->length;
    return CDS_OK;
  }
  /* Where this fails too, the next block is written over the rest, or the next start takes it away. */
  if (ftruncate(file->fd, (off_t)file->size) != 0) (void)errno;
  errno = reason;
  return fail(err, "write", file->path);
}

enum cds_status cds_record_file_append(struct cds_record_file *file, const struct cds_buf *head,
                                       const struct cds_buf *lines, bool sync, struct cds_error *err) {
  const struct cds_buf nothing = {0};
  struct cds_buf frame;
  if (!file->packer) return append(file, head, lines, sync, err);
  cds_buf_init(&frame, 2 * (head->limit + lines->limit));
  enum cds_status status = cds_pack(&frame, file->packer, head, lines, err);
  if (status == CDS_OK) status = append(file, &frame, &nothing, sync, err);
  cds_buf_clear(&frame);
  return status;
}

/* The path with the time behind the first part of the file's name. */
static enum cds_status dated_path(struct cds_buf *out, const char *path, int64_t ms) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  const char *dot = *name ? strchr(name + 1, '.') : NULL;
  int stem = (int)(dot ? dot - path : (ptrdiff_t)strlen(path));
  time_t seconds = (time_t)(ms / 1000);
  struct tm parts;
  char text[32];
  gmtime_r(&seconds, &parts);
  strftime(text, sizeof text, "%Y%m%dT%H%M%S", &parts);
  cds_buf_reset(out);
  return cds_buf_printf(out, "%.*s-%s.%03dZ%s", stem, path, text, (int)(ms % 1000), dot ? dot : "");
}

/* A name that no file has. */
static enum cds_status free_name(struct cds_buf *out, const struct cds_record_file *file, int64_t now_ms,
                                 struct cds_error *err) {
  do {
    if (dated_path(out, file->path, now_ms++) != CDS_OK)
      return cds_error_set(err, CDS_E_MEMORY, "no memory for a path");
  } while (access(out->data, F_OK) == 0);
  return CDS_OK;
}

enum cds_status cds_record_file_rotate(struct cds_record_file *file, int64_t now_ms, struct cds_error *err) {
  struct cds_buf dated;
  struct cds_record_file next = {.fd = -1, .path = file->path, .packer = file->packer};
  cds_buf_init(&dated, 2 * MAX_PATH_BYTES);
  enum cds_status status = free_name(&dated, file, now_ms, err);
  if (status == CDS_OK && rename(file->path, dated.data) != 0) status = fail(err, "rename", file->path);
  else if (status == CDS_OK) {
    status = open_locked(&next, O_EXCL, err);
    if (status != CDS_OK && rename(dated.data, file->path) != 0) (void)errno; /* it goes on under its new name */
  }
  cds_buf_clear(&dated);
  if (status != CDS_OK) {
    if (next.fd >= 0) close(next.fd);
    return status;
  }
  close(file->fd);
  *file = next;
  return CDS_OK;
}

void cds_record_file_close(struct cds_record_file *file) {
  if (file->fd >= 0) close(file->fd);
  cds_free(file->path);
  *file = (struct cds_record_file){.fd = -1};
}
