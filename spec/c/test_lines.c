/* SPDX-License-Identifier: MIT
 * Lines of several files: of any length, across blocks, of folders, of files that are cut; limits and failures. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif

#include "base/lines.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "recorded.h"
#include "system_faults.h"

#define BLOCK (256 * 1024)
#define MOST 100000 /* files */

static struct system_fault of_scandir;

SYSTEM_CALL int scandir(const char *path, struct dirent ***entries, int (*filter)(const struct dirent *),
                        int (*compare)(const struct dirent **, const struct dirent **)) {
  typedef int scan_fn(const char *, struct dirent ***, int (*)(const struct dirent *),
                      int (*)(const struct dirent **, const struct dirent **));
  scan_fn *next;
  *(void **)&next = dlsym(RTLD_NEXT, "scandir");
  return system_fails(&of_scandir) ? -1 : next(path, entries, filter, compare);
}

static struct cds_error err;
static char text[4 * BLOCK];

static bool open_paths(struct cds_lines *lines, const char *const *paths, size_t count, size_t max_line) {
  cds_error_clear(&err);
  return cds_lines_open(lines, paths, count, max_line, &err) == CDS_OK;
}

static bool open_one(struct cds_lines *lines, size_t max_line) {
  const char *path = recorded_path;
  return open_paths(lines, &path, 1, max_line);
}

static enum cds_next_line next(struct cds_lines *lines, const char **line, size_t *length) {
  cds_error_clear(&err);
  return cds_lines_next(line, length, lines, &err);
}

/* All lines of all files, each with its end as a newline, and with a `|` where a file was cut. */
static size_t read_all(char *out, const char *const *paths, size_t count) {
  struct cds_lines lines;
  const char *line;
  size_t length, all = 0;
  if (!open_paths(&lines, paths, count, sizeof text)) return 0;
  enum cds_next_line found;
  while ((found = next(&lines, &line, &length)) == CDS_NEXT_LINE || found == CDS_NEXT_CUT) {
    memcpy(out + all, line, length);
    all += length;
    out[all++] = found == CDS_NEXT_LINE ? '\n' : '|';
  }
  ok(found == CDS_NEXT_END && next(&lines, &line, &length) == CDS_NEXT_END, "the end comes, and stays");
  cds_lines_close(&lines);
  cds_lines_close(&lines);
  out[all] = 0;
  return all;
}

/* Lines of 0 to some thousand bytes, which lie across every border of a block. */
static void test_blocks(void) {
  static char out[sizeof text + 1];
  const char *path = recorded_path;
  size_t length = 0;
  for (size_t i = 0; length + 6000 < sizeof text; i++) {
    size_t line = i * 997 % 5000;
    memset(text + length, (int)('a' + i % 26), line);
    length += line;
    text[length++] = '\n';
  }
  recorded_put(recorded_path, text, length);
  ok(read_all(out, &path, 1) == length && memcmp(out, text, length) == 0, "lines come as they are");
  recorded_put(recorded_path, text, length - 1);
  size_t last = length - 1;
  while (text[last - 1] != '\n') last--;
  ok(read_all(out, &path, 1) == length && memcmp(out, text, length - 1) == 0 && out[length - 1] == '|',
     "a last one that is cut too");
  recorded_put(recorded_path, "", 0);
  is_number((long long)read_all(out, &path, 1), 0, "an empty file has none");
  recorded_put(recorded_path, "\n\n", 2);
  ok(read_all(out, &path, 1) == 2 && strcmp(out, "\n\n") == 0, "empty lines are lines");
  recorded_put(recorded_path, "x", 1);
  ok(read_all(out, &path, 1) == 2 && strcmp(out, "x|") == 0, "one byte is a line that was cut");
}

/* `max_line` counts from a block on. */
static void is_limit(size_t max_line, size_t length, bool is_read) {
  struct cds_lines lines;
  const char *line;
  size_t got;
  memset(text, 'x', length + 1);
  *text = text[length + 1] = '\n'; /* behind an empty one */
  recorded_put(recorded_path, text, length + 2);
  bool good = open_one(&lines, max_line) && next(&lines, &line, &got) == CDS_NEXT_LINE && got == 0;
  enum cds_next_line found = next(&lines, &line, &got);
  if (is_read) {
    ok(good && found == CDS_NEXT_LINE && got == length && memchr(line, '\n', got) == NULL, "%zu bytes are a line",
       length);
  } else {
    ok(good && found == CDS_NEXT_FAILED && err.status == CDS_E_DECODE &&
         strstr(err.message, "/r.jsonl: line 2 is longer"),
       "%zu bytes are none: %s", length, err.message);
  }
  cds_lines_close(&lines);
}

static void test_limit(void) {
  is_limit(1000, BLOCK - 1, true);
  is_limit(1000, BLOCK, false);
  is_limit(BLOCK, BLOCK, false);
  is_limit(BLOCK + 1, BLOCK, true);
  is_limit(BLOCK + 1, 2 * BLOCK - 1, true);
  is_limit(BLOCK + 1, 2 * BLOCK, false);
  is_limit(3 * BLOCK, 3 * BLOCK, true);
}

static void put_named(char path[256], const char *name, const char *content) {
  snprintf(path, 256, "%s/%s", recorded_folder, name);
  recorded_put(path, content, strlen(content));
}

static void test_folder(void) {
  char path[256], out[256];
  const char *folder = recorded_folder;
  struct cds_lines lines;
  recorded_empty();
  put_named(path, "a.json", "no\n");
  ok(!open_paths(&lines, &folder, 1, 1000) && err.status == CDS_E_FILE &&
       strstr(err.message, "there is no recording (*.jsonl) in /tmp/"),
     "a folder may have none: %s", err.message);
  put_named(path, "b.jsonl", "3\n");
  put_named(path, "a-2.jsonl.gz", "2\n");
  put_named(path, "a-1.jsonl", "1\n");
  put_named(path, ".hidden.jsonl", "no\n");
  const char *const paths[] = {folder, path, folder};
  put_named(path, "a-1.jsonl", "1\n");
  ok(read_all(out, paths, 3) > 0 && strcmp(out, "1\n2\n3\n1\n1\n2\n3\n") == 0, "its recordings are read by name");
  struct mallinfo2 before = mallinfo2();
  for (int i = 0; i < 500; i++)
    if (open_paths(&lines, paths, 3, 1000)) cds_lines_close(&lines);
  struct mallinfo2 after = mallinfo2();
  ok(after.uordblks < before.uordblks + 20000, "which leaves no memory behind");
  of_scandir = (struct system_fault){.times = 1, .reason = EMFILE};
  ok(!open_paths(&lines, &folder, 1, 1000) && err.status == CDS_E_FILE &&
       strstr(err.message, "cannot read the folder /tmp/") && strstr(err.message, "Too many open files"),
     "a folder may not be readable: %s", err.message);
  of_scandir = (struct system_fault){.times = 1, .reason = ENOMEM};
  ok(!open_paths(&lines, &folder, 1, 1000) && err.status == CDS_E_MEMORY, "or there is no memory to: %s", err.message);
  bool told = true;
  for (long nth = 0; nth < 20; nth++) {
    cds_alloc_fail_one(nth);
    bool good = open_paths(&lines, paths, 3, 1000);
    bool is_over = cds_alloc_fail_one(-1) <= nth;
    told =
      told && good == is_over && (good || (err.status == CDS_E_MEMORY && strstr(err.message, "no memory to read")));
    if (good) cds_lines_close(&lines);
  }
  ok(told, "without memory it is not opened, which is told");
  recorded_empty();
}

static void test_many(void) {
  static const char *paths[MOST + 1];
  struct cds_lines lines;
  recorded_put(recorded_path, "a\n", 2);
  for (size_t i = 0; i <= MOST; i++) paths[i] = recorded_path;
  ok(open_paths(&lines, paths, MOST, 1000), "so many files are read");
  is_string(cds_lines_path(&lines), recorded_path, "of which the first is opened");
  cds_lines_close(&lines);
  ok(!open_paths(&lines, paths, MOST + 1, 1000) && err.status == CDS_E_MEMORY, "and no more");
  ok(fcntl(STDIN_FILENO, F_GETFD) >= 0, "nothing is closed that was not opened");
}

static void test_next_file(void) {
  struct cds_lines lines;
  const char *line;
  size_t length, before = system_open_files();
  char other[256];
  put_named(other, "other.jsonl", "b\n");
  recorded_put(recorded_path, "a\n", 2);
  const char *const paths[] = {recorded_path, other, "/nonexistent"};
  ok(open_paths(&lines, paths, 3, 1000) && next(&lines, &line, &length) == CDS_NEXT_LINE && *line == 'a', "a line");
  is_string(cds_lines_path(&lines), recorded_path, "of the first file");
  ok(next(&lines, &line, &length) == CDS_NEXT_LINE && *line == 'b' && lines.number == 1, "a line");
  is_string(cds_lines_path(&lines), other, "of the second");
  is_number(system_open_files(), before + 1, "one file is open");
  ok(next(&lines, &line, &length) == CDS_NEXT_FAILED && err.status == CDS_E_FILE && strstr(err.message, "/nonexistent"),
     "the third one fails: %s", err.message);
  cds_lines_close(&lines);
  is_number(system_open_files(), before, "none is left open");
  ok(!open_paths(&lines, &paths[2], 1, 1000) && err.status == CDS_E_FILE &&
       strstr(err.message, "cannot open /nonexist"),
     "a first file may be missing: %s", err.message);
  recorded_put(recorded_path, "a\nb", 3);
  ok(open_paths(&lines, paths, 2, 1000) && next(&lines, &line, &length) == CDS_NEXT_LINE &&
       next(&lines, &line, &length) == CDS_NEXT_CUT && length == 1 && *line == 'b' && lines.number == 2,
     "a cut line has its number");
  cds_lines_close(&lines);
  memset(text, 'x', 3 * BLOCK);
  recorded_put(recorded_path, text, 3 * BLOCK);
  cds_alloc_fail_after(4);
  ok(open_one(&lines, 3 * BLOCK), "a file without a newline is opened");
  cds_alloc_fail_after(0);
  ok(next(&lines, &line, &length) == CDS_NEXT_FAILED && err.status == CDS_E_MEMORY, "there may be no memory for it");
  cds_alloc_fail_after(-1);
  cds_lines_close(&lines);
  recorded_empty();
}

/* Within what is compressed, of which no byte may come. */
static void test_cut_frame(void) {
  const struct cds_buf nothing = {0}, line = {.data = (char *)(uintptr_t) "a\n", .length = 2};
  struct cds_buf packed;
  char out[256];
  const char *const paths[] = {recorded_path, recorded_path};
  if (cds_gzip.absent) {
    skip("a file that is cut", "built without zlib");
    return;
  }
  cds_buf_init(&packed, 1000);
  if (cds_pack(&packed, &cds_gzip, &nothing, &line, &err) != CDS_OK) abort();
  size_t whole = packed.length;
  if (cds_pack(&packed, &cds_gzip, &nothing, &line, &err) != CDS_OK) abort();
  recorded_put(recorded_path, packed.data, whole + 5);
  ok(read_all(out, paths, 2) > 0 && strcmp(out, "a\n|a\n|") == 0, "a cut is told for each file, once");
  cds_buf_clear(&packed);
}

int main(void) {
  recorded_begin();
  test_blocks();
  test_limit();
  test_folder();
  test_many();
  test_next_file();
  test_cut_frame();
  recorded_end();
  return done();
}
