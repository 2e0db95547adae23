/* SPDX-License-Identifier: MIT
 * Plain and compressed files. */
#include "record/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define INPUT_BYTES (64u * 1024)

static enum cds_status fail(struct cds_error *err, const char *what, const char *path) {
  return cds_error_set(err, CDS_E_FILE, "cannot %s %.250s: %s", what, path, strerror(errno));
}

/* -> as read(2), without EINTR */
static ssize_t read_some(int fd, void *out, size_t size) {
  ssize_t got;
  do got = read(fd, out, size);
  while (got < 0 && errno == EINTR);
  return got;
}

/* The first bytes, of which a plain file gives up none: they wait in input. */
static enum cds_status look(struct cds_record_bytes *bytes, const char *path, struct cds_error *err) {
  bytes->input = cds_malloc(INPUT_BYTES);
  if (!bytes->input) return cds_error_set(err, CDS_E_MEMORY, "no memory to read %.250s", path);
  while (bytes->end < 2) {
    ssize_t got = read_some(bytes->fd, bytes->input + bytes->end, INPUT_BYTES - bytes->end);
    if (got < 0) return fail(err, "read", path);
    if (got == 0) return CDS_OK;
    bytes->end += (size_t)got;
  }
  bytes->is_packed = bytes->input[0] == 0x1f && bytes->input[1] == 0x8b;
  return bytes->is_packed ? cds_gunzip_new(&bytes->gunzip, err) : CDS_OK;
}

enum cds_status cds_record_bytes_open(struct cds_record_bytes *out, const char *path, struct cds_error *err) {
  *out = (struct cds_record_bytes){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  if (out->fd < 0) return fail(err, "open", path);
  enum cds_status status = look(out, path, err);
  if (status != CDS_OK) cds_record_bytes_close(out);
  return status;
}

static ssize_t read_plain(char *out, size_t size, struct cds_record_bytes *bytes, const char *path,
                          struct cds_error *err) {
  size_t waiting = bytes->end - bytes->start;
  if (waiting > 0) {
    if (waiting < size) size = waiting;
    memcpy(out, bytes->input + bytes->start, size);
    bytes->start += size;
    return (ssize_t)size;
  }
  ssize_t got = read_some(bytes->fd, out, size);
  if (got < 0) fail(err, "read", path);
  return got;
}

/* More input; false at the file's end or after a failure, which *got tells. */
static bool refill(ssize_t *got, struct cds_record_bytes *bytes, const char *path, struct cds_error *err) {
  if (bytes->start < bytes->end) return true;
  if (bytes->is_over) return false;
  *got = read_some(bytes->fd, bytes->input, INPUT_BYTES);
  if (*got < 0) fail(err, "read", path);
  if (*got == 0) bytes->is_cut = bytes->offset != bytes->whole;
  bytes->is_over = *got == 0;
  if (*got <= 0) return false;
  bytes->start = 0;
  bytes->end = (size_t)*got;
  return true;
}

static ssize_t read_packed(char *out, size_t size, struct cds_record_bytes *bytes, const char *path,
                           struct cds_error *err) {
  ssize_t got = 0;
  for (;;) {
    if (!refill(&got, bytes, path, err)) return got;
    struct cds_gunzip_step step = {
      .in = bytes->input + bytes->start, .in_length = bytes->end - bytes->start, .out = (uint8_t *)out, .room = size};
    enum cds_status status = cds_gunzip_step(bytes->gunzip, &step, err);
    if (status != CDS_OK) {
      struct cds_error reason = *err;
      cds_error_set(err, status, "%.200s: %.150s", path, reason.message);
      return -1;
    }
    size_t used = bytes->end - bytes->start - step.in_length;
    bytes->start += used;
    bytes->offset += used;
    if (step.is_end) bytes->whole = bytes->offset;
    if (step.produced > 0) return (ssize_t)step.produced;
  }
}

ssize_t cds_record_bytes_read(char *out, size_t size, struct cds_record_bytes *bytes, const char *path,
                              struct cds_error *err) {
  return bytes->is_packed ? read_packed(out, size, bytes, path, err) : read_plain(out, size, bytes, path, err);
}

void cds_record_bytes_close(struct cds_record_bytes *bytes) {
  if (bytes->fd >= 0) close(bytes->fd);
  cds_gunzip_free(bytes->gunzip);
  cds_free(bytes->input);
  *bytes = (struct cds_record_bytes){.fd = -1};
}
