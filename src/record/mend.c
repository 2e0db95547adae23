/* SPDX-License-Identifier: MIT
 * Mends the end of a recording. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memrchr */
#endif

#include "record/mend.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/input.h"
#include "base/limits.h"
#include "codec/scan.h"
#include "record/line.h"

#define MAX_FRAME_BYTES (8u << 20) /* a block of the writer's has less */

/* Reads up to `length` bytes at `offset`; -1: it cannot. */
static ssize_t read_at(char *out, size_t length, int fd, uint64_t offset) {
  size_t done = 0;
  while (done < length) {
    ssize_t got = pread(fd, out + done, length - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (ssize_t)done;
}

static enum cds_status fail(struct cds_error *err, const char *path) {
  return cds_error_set(err, CDS_E_FILE, "cannot mend %.250s: %s", path, strerror(errno));
}

/* Of a file that was cut in its first line only the beginning of that is there. */
static bool is_recording(const char *start, size_t length) {
  size_t whole = sizeof CDS_RECORDING_START - 1;
  return memcmp(start, CDS_RECORDING_START, length < whole ? length : whole) == 0;
}

static enum cds_status not_one(const char *path, struct cds_error *err) {
  return cds_error_set(err, CDS_E_FILE, "%.250s is there and is no recording: it is not written to", path);
}

static enum cds_status check_start(int fd, const char *path, struct cds_error *err) {
  char start[sizeof CDS_RECORDING_START - 1];
  ssize_t got = read_at(start, sizeof start, fd, 0);
  if (got < 0) return fail(err, path);
  return is_recording(start, (size_t)got) ? CDS_OK : not_one(path, err);
}

static bool is_whole(const char *line, size_t length) {
  struct cds_scan scan;
  struct cds_error ignored;
  cds_scan_init(&scan, line, length, &ignored);
  return length > 0 && *line == '{' && cds_scan_skip(&scan, CDS_MAX_JSON_DEPTH) == CDS_OK &&
         cds_scan_end(&scan) == CDS_OK;
}

/* tail: the file's last bytes, as many as a line can have. */
static enum cds_status mend_tail(uint64_t *size, uint64_t *cut, const char *tail, size_t length, int fd,
                                 const char *path, struct cds_error *err) {
  const char *newline = memrchr(tail, '\n', length);
  if (!newline && length < *size)
    return cds_error_set(err, CDS_E_FILE, "%.250s ends in a line longer than any of a recording", path);
  size_t kept = newline ? (size_t)(newline + 1 - tail) : 0;
  if (kept == length) return CDS_OK;
  if (is_whole(tail + kept, length - kept)) {
    if (pwrite(fd, "\n", 1, (off_t)*size) != 1) return fail(err, path);
    *size += 1;
    return CDS_OK;
  }
  *cut = length - kept;
  if (ftruncate(fd, (off_t)(*size - *cut)) != 0) return fail(err, path);
  *size -= *cut;
  return CDS_OK;
}

static enum cds_status mend_plain(uint64_t *size, uint64_t *cut, int fd, const char *path, struct cds_error *err) {
  enum cds_status status = check_start(fd, path, err);
  if (status != CDS_OK || *size == 0) return status;
  size_t length = *size < CDS_RECORD_MAX_LINE ? (size_t)*size : CDS_RECORD_MAX_LINE;
  char *tail = cds_malloc(length);
  if (!tail) return cds_error_set(err, CDS_E_MEMORY, "no memory for the last line of %.250s", path);
  ssize_t got = read_at(tail, length, fd, *size - length);
  if (got == (ssize_t)length) status = mend_tail(size, cut, tail, length, fd, path, err);
  else status = fail(err, path);
  cds_free(tail);
  return status;
}

/* ---- compressed ---- */

/* Reads all. rest: what there is of the last frame, if that is not whole. */
static enum cds_status read_frames(struct cds_buf *rest, struct cds_input *input, const char *path,
                                   struct cds_error *err) {
  char text[16384];
  uint64_t whole = 0;
  ssize_t got;
  for (bool is_first = true; (got = cds_input_read(text, sizeof text, input, path, err)) > 0; is_first = false) {
    if (is_first && !is_recording(text, (size_t)got)) return not_one(path, err);
    if (input->whole != whole) cds_buf_reset(rest);
    whole = input->whole;
    if (input->offset != whole && cds_buf_append(rest, text, (size_t)got) != CDS_OK)
      return cds_error_set(err, CDS_E_FILE, "%.250s cannot be mended: it was not compressed by a recorder", path);
  }
  if (input->whole != whole) cds_buf_reset(rest);
  return got == 0 ? CDS_OK : err->status;
}

/* Writes what is whole of the last frame as one that is. */
static enum cds_status rewrite(uint64_t *size, const struct cds_buf *lines, const struct cds_packer *packer, int fd,
                               const char *path, struct cds_error *err) {
  const struct cds_buf nothing = {0};
  struct cds_buf frame;
  cds_buf_init(&frame, 2 * MAX_FRAME_BYTES);
  enum cds_status status = lines->length > 0 ? cds_pack(&frame, packer, lines, &nothing, err) : CDS_OK;
  if (status == CDS_OK &&
      ((frame.length > 0 && pwrite(fd, frame.data, frame.length, (off_t)*size) != (ssize_t)frame.length) ||
       ftruncate(fd, (off_t)(*size + frame.length)) != 0))
    status = fail(err, path);
  if (status == CDS_OK) *size += frame.length;
  cds_buf_clear(&frame);
  return status;
}

static enum cds_status mend_frames(uint64_t *size, uint64_t *cut, struct cds_input *input, int fd, const char *path,
                                   struct cds_error *err) {
  struct cds_buf rest;
  cds_buf_init(&rest, MAX_FRAME_BYTES);
  enum cds_status status = read_frames(&rest, input, path, err);
  if (status == CDS_OK && input->is_cut) {
    const char *newline = rest.length > 0 ? memrchr(rest.data, '\n', rest.length) : NULL;
    size_t kept = newline ? (size_t)(newline + 1 - rest.data) : 0;
    if (kept < rest.length && is_whole(rest.data + kept, rest.length - kept)) {
      if (cds_buf_append(&rest, "\n", 1) == CDS_OK) kept = rest.length;
    }
    *cut = rest.length - kept;
    if (*cut == 0 && kept == 0) *cut = *size - input->whole;
    rest.length = kept;
    *size = input->whole;
    status = rewrite(size, &rest, input->packer, fd, path, err);
  }
  cds_buf_clear(&rest);
  return status;
}

/* Was it cut within the bytes that tell how it is compressed? */
static bool is_start(const struct cds_input *input, const struct cds_packer *packer) {
  return input->end < packer->start_length && memcmp(input->bytes, packer->start, input->end) == 0;
}

static enum cds_status mend_packed(uint64_t *size, uint64_t *cut, int fd, const char *path,
                                   const struct cds_packer *packer, struct cds_error *err) {
  struct cds_input input;
  enum cds_status status = cds_input_open(&input, path, err);
  if (status != CDS_OK) return status;
  if (input.packer == packer) {
    status = mend_frames(size, cut, &input, fd, path, err);
  } else if (is_start(&input, packer)) {
    *cut = *size;
    *size = 0;
    if (*cut > 0 && ftruncate(fd, 0) != 0) status = fail(err, path);
  } else {
    status = not_one(path, err);
  }
  cds_input_close(&input);
  return status;
}

enum cds_status cds_record_mend(uint64_t *size, uint64_t *cut, int fd, const char *path,
                                const struct cds_packer *packer, struct cds_error *err) {
  *cut = 0;
  return packer ? mend_packed(size, cut, fd, path, packer, err) : mend_plain(size, cut, fd, path, err);
}
