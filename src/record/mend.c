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
#include "base/limits.h"
#include "codec/scan.h"
#include "record/line.h"

#define MAX_LINE_BYTES (2 * CDS_MAX_REPORT_BYTES + 4096u)

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

static enum cds_status check_start(int fd, const char *path, struct cds_error *err) {
  char start[sizeof CDS_RECORDING_START - 1];
  ssize_t got = read_at(start, sizeof start, fd, 0);
  if (got < 0) return fail(err, path);
  if (is_recording(start, (size_t)got)) return CDS_OK;
  return cds_error_set(err, CDS_E_FILE, "%.250s is there and is no recording: it is not written to", path);
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

enum cds_status cds_record_mend(uint64_t *size, uint64_t *cut, int fd, const char *path, struct cds_error *err) {
  *cut = 0;
  enum cds_status status = check_start(fd, path, err);
  if (status != CDS_OK || *size == 0) return status;
  size_t length = *size < MAX_LINE_BYTES ? (size_t)*size : MAX_LINE_BYTES;
  char *tail = cds_malloc(length);
  if (!tail) return cds_error_set(err, CDS_E_MEMORY, "no memory for the last line of %.250s", path);
  ssize_t got = read_at(tail, length, fd, *size - length);
  if (got == (ssize_t)length) status = mend_tail(size, cut, tail, length, fd, path, err);
  else status = fail(err, path);
  cds_free(tail);
  return status;
}
