/* SPDX-License-Identifier: MIT
 * Files in blocks, and lines in these. */
#include "base/lines.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"

#define BLOCK_BYTES (256u * 1024)
#define MAX_FILES 100000
#define MAX_PATH_BYTES 8192

static enum cds_status fail(struct cds_error *err, const char *what, const char *path) {
  int reason = errno;
  return cds_error_set(err, reason == ENOMEM ? CDS_E_MEMORY : CDS_E_FILE, "cannot %s %.250s: %s", what, path,
                       strerror(reason));
}

static enum cds_status no_memory(struct cds_error *err) {
  return cds_error_set(err, CDS_E_MEMORY, "no memory to read a recording");
}

/* ---- which files ---- */

/* Room for one more: for twice as many, where all that there is is used. */
static char **room_for_one(const struct cds_lines *lines) {
  size_t count = lines->count;
  bool is_full = (count & (count - 1)) == 0; /* 0, 1, 2, 4, 8, ... */
  return is_full ? cds_realloc(lines->paths, (count ? 2 * count : 1) * sizeof *lines->paths) : lines->paths;
}

/* Takes path. */
static enum cds_status add(struct cds_lines *lines, char *path, struct cds_error *err) {
  char **paths = path && lines->count < MAX_FILES ? room_for_one(lines) : NULL;
  if (!paths) {
    cds_free(path);
    return no_memory(err);
  }
  paths[lines->count++] = path;
  lines->paths = paths;
  return CDS_OK;
}

static int is_recording(const struct dirent *entry) {
  return entry->d_name[0] != '.' && strstr(entry->d_name, ".jsonl") != NULL;
}

/* By bytes: what was rotated away, which has its time in its name, comes before what is written. */
static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static enum cds_status add_folder(struct cds_lines *lines, const char *path, struct cds_error *err) {
  struct dirent **entries;
  int count = scandir(path, &entries, is_recording, by_name);
  if (count < 0) return fail(err, "read the folder", path);
  enum cds_status status = CDS_OK;
  if (count == 0) status = cds_error_set(err, CDS_E_FILE, "there is no recording (*.jsonl) in %.250s", path);
  for (int i = 0; i < count; i++) {
    struct cds_buf name;
    cds_buf_init(&name, MAX_PATH_BYTES);
    if (status == CDS_OK) {
      bool good = cds_buf_printf(&name, "%s/%s", path, entries[i]->d_name) == CDS_OK;
      status = good ? add(lines, name.data, err) : no_memory(err);
    }
    free(entries[i]); /* scandir's */
  }
  free(entries);
  return status;
}

static enum cds_status add_path(struct cds_lines *lines, const char *path, struct cds_error *err) {
  struct stat info;
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return add_folder(lines, path, err);
  return add(lines, cds_strdup(path), err);
}

/* ---- reading ---- */

static enum cds_status open_next(struct cds_lines *lines, struct cds_error *err) {
  const char *path = lines->paths[lines->at++];
  cds_input_close(&lines->input);
  lines->number = 0;
  return cds_input_open(&lines->input, path, err);
}

enum cds_status cds_lines_open(struct cds_lines *out, const char *const *paths, size_t count, size_t max_line,
                               struct cds_error *err) {
  *out = (struct cds_lines){.input.fd = -1, .max_line = max_line};
  enum cds_status status = CDS_OK;
  for (size_t i = 0; status == CDS_OK && i < count; i++) status = add_path(out, paths[i], err);
  if (status == CDS_OK) {
    out->room = BLOCK_BYTES;
    out->buffer = cds_malloc(out->room);
    status = out->buffer ? open_next(out, err) : no_memory(err);
  }
  if (status != CDS_OK) cds_lines_close(out);
  return status;
}

/* Makes room behind what is there. */
static enum cds_status make_room(struct cds_lines *lines, struct cds_error *err) {
  size_t length = lines->end - lines->start;
  if (lines->start > 0) {
    memmove(lines->buffer, lines->buffer + lines->start, length);
    lines->looked -= lines->start;
    lines->start = 0;
    lines->end = length;
  }
  if (length < lines->room) return CDS_OK;
  if (length >= lines->max_line)
    return cds_error_set(err, CDS_E_DECODE, "%.200s: line %llu is longer than any of a recording",
                         cds_lines_path(lines), (unsigned long long)lines->number + 1);
  char *buffer = cds_realloc(lines->buffer, 2 * lines->room);
  if (!buffer) return no_memory(err);
  lines->buffer = buffer;
  lines->room *= 2;
  return CDS_OK;
}

/* -> bytes read, 0 at the file's end, -1 after a failure */
static ssize_t fill(struct cds_lines *lines, struct cds_error *err) {
  if (make_room(lines, err) != CDS_OK) return -1;
  ssize_t got =
    cds_input_read(lines->buffer + lines->end, lines->room - lines->end, &lines->input, cds_lines_path(lines), err);
  if (got > 0) lines->end += (size_t)got;
  return got;
}

enum cds_next_line cds_lines_next(const char **text, size_t *length, struct cds_lines *lines, struct cds_error *err) {
  for (;;) {
    char *newline = memchr(lines->buffer + lines->looked, '\n', lines->end - lines->looked);
    *text = lines->buffer + lines->start;
    *length = (newline ? (size_t)(newline - lines->buffer) : lines->end) - lines->start;
    if (newline) {
      lines->start = lines->looked = lines->start + *length + 1;
      lines->number++;
      return CDS_NEXT_LINE;
    }
    lines->looked = lines->end;
    ssize_t got = fill(lines, err);
    if (got < 0) return CDS_NEXT_FAILED;
    if (got > 0) continue;
    if (lines->end > lines->start || lines->input.is_cut) {
      lines->input.is_cut = false;
      *text = lines->buffer + lines->start;
      *length = lines->end - lines->start;
      lines->start = lines->looked = lines->end;
      lines->number++;
      return CDS_NEXT_CUT;
    }
    if (lines->at == lines->count) return CDS_NEXT_END;
    if (open_next(lines, err) != CDS_OK) return CDS_NEXT_FAILED;
  }
}

const char *cds_lines_path(const struct cds_lines *lines) {
  return lines->paths[lines->at - 1];
}

void cds_lines_close(struct cds_lines *lines) {
  cds_input_close(&lines->input);
  for (size_t i = 0; i < lines->count; i++) cds_free(lines->paths[i]);
  cds_free(lines->paths);
  cds_free(lines->buffer);
  *lines = (struct cds_lines){.input.fd = -1};
}
