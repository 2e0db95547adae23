/* SPDX-License-Identifier: MIT
 * Plain and compressed files. */
#include "base/input.h"

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

/* The first bytes, of which a plain file gives up none: they wait in `bytes`. */
static enum cds_status look(struct cds_input *input, const char *path, struct cds_error *err) {
  input->bytes = cds_malloc(INPUT_BYTES);
  if (!input->bytes) return cds_error_set(err, CDS_E_MEMORY, "no memory to read %.250s", path);
  while (input->end < CDS_PACKER_START) {
    ssize_t got = read_some(input->fd, input->bytes + input->end, INPUT_BYTES - input->end);
    if (got < 0) return fail(err, "read", path);
    if (got == 0) break;
    input->end += (size_t)got;
  }
  input->packer = cds_packer_by_start(input->bytes, input->end);
  return input->packer ? cds_unpack_new(&input->unpack, input->packer, err) : CDS_OK;
}

enum cds_status cds_input_open(struct cds_input *out, const char *path, struct cds_error *err) {
  *out = (struct cds_input){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  if (out->fd < 0) return fail(err, "open", path);
  enum cds_status status = look(out, path, err);
  if (status != CDS_OK) cds_input_close(out);
  return status;
}

static ssize_t read_plain(char *out, size_t size, struct cds_input *input, const char *path, struct cds_error *err) {
  size_t waiting = input->end - input->start;
  if (waiting > 0) {
    if (waiting < size) size = waiting;
    memcpy(out, input->bytes + input->start, size);
    input->start += size;
    return (ssize_t)size;
  }
  ssize_t got = read_some(input->fd, out, size);
  if (got < 0) fail(err, "read", path);
  return got;
}

/* More input; false at the file's end or after a failure, which *got tells. */
static bool refill(ssize_t *got, struct cds_input *input, const char *path, struct cds_error *err) {
  if (input->start < input->end || input->is_pending) return true;
  if (input->is_over) return false;
  *got = read_some(input->fd, input->bytes, INPUT_BYTES);
  if (*got < 0) fail(err, "read", path);
  if (*got == 0) input->is_cut = input->offset != input->whole;
  input->is_over = *got == 0;
  if (*got <= 0) return false;
  input->start = 0;
  input->end = (size_t)*got;
  return true;
}

static ssize_t read_packed(char *out, size_t size, struct cds_input *input, const char *path, struct cds_error *err) {
  ssize_t got = 0;
  for (;;) {
    if (!refill(&got, input, path, err)) return got;
    struct cds_unpack_step step = {
      .in = input->bytes + input->start, .in_length = input->end - input->start, .out = (uint8_t *)out, .room = size};
    enum cds_status status = cds_unpack_step(input->unpack, &step, err);
    if (status != CDS_OK) {
      struct cds_error reason = *err;
      cds_error_set(err, status, "%.200s: %.150s", path, reason.message);
      return -1;
    }
    size_t used = input->end - input->start - step.in_length;
    input->start += used;
    input->offset += used;
    input->is_pending = step.produced == size && !step.is_end;
    if (step.is_end) input->whole = input->offset;
    if (step.produced > 0) return (ssize_t)step.produced;
  }
}

ssize_t cds_input_read(char *out, size_t size, struct cds_input *input, const char *path, struct cds_error *err) {
  return input->packer ? read_packed(out, size, input, path, err) : read_plain(out, size, input, path, err);
}

void cds_input_close(struct cds_input *input) {
  if (input->fd >= 0) close(input->fd);
  cds_unpack_free(input->unpack);
  cds_free(input->bytes);
  *input = (struct cds_input){.fd = -1};
}
