/* SPDX-License-Identifier: MIT
 * The file behind a recording: its name, whole appends or none, names with the time in them, and each failure. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* AT_EMPTY_PATH */
#endif

#include "record/file.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "record/line.h"
#include "recorded.h"
#include "system_faults.h"

#define HEAD CDS_RECORDING_START ",\"version\":1,\"feeds\":[]}\n"
#define NOW 1700000000999 /* 2023-11-14T22:13:20.999Z */
#define DATED "-20231114T221320.999Z"

static struct system_fault of_pwrite, of_fdatasync, of_fstat, of_flock, of_rename;
static size_t most_written = SSIZE_MAX; /* at a time */

SYSTEM_CALL ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  int before = errno;
  if (system_fails(&of_pwrite)) {
    if (of_pwrite.reason) return -1;
    errno = before;
    return 0;
  }
  return syscall(SYS_pwrite64, fd, bytes, length < most_written ? length : most_written, offset);
}

SYSTEM_CALL int fdatasync(int fd) {
  return system_fails(&of_fdatasync) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

SYSTEM_CALL int fstat(int fd, struct stat *out) {
  return system_fails(&of_fstat) ? -1 : fstatat(fd, "", out, AT_EMPTY_PATH);
}

SYSTEM_CALL int flock(int fd, int how) {
  return system_fails(&of_flock) ? -1 : (int)syscall(SYS_flock, fd, how);
}

SYSTEM_CALL int rename(const char *from, const char *to) {
  return system_fails(&of_rename) ? -1 : renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static struct cds_error err;
static struct cds_record_file file;

static bool open_at(const char *path) {
  uint64_t cut = 99;
  cds_error_clear(&err);
  enum cds_status status = cds_record_file_open(&file, &cut, path, &err);
  if (status != err.status || cut != 0) abort();
  return status == CDS_OK;
}

static struct cds_buf text_of(const char *text) {
  return (struct cds_buf){.data = (char *)(uintptr_t)text, .length = strlen(text), .limit = 100000};
}

static enum cds_status append(const char *head, const char *lines, bool sync) {
  const struct cds_buf one = text_of(head), two = text_of(lines);
  cds_error_clear(&err);
  enum cds_status status = cds_record_file_append(&file, &one, &two, sync, &err);
  if (status != err.status) abort();
  return status;
}

static bool has(const char *path, const char *expected) {
  size_t length;
  return strcmp(recorded_text(path, &length), expected) == 0;
}

/* ---- opening ---- */

static void is_not_open(const char *path, enum cds_status status, const char *words) {
  size_t before = system_open_files();
  ok(!open_at(path) && err.status == status && strstr(err.message, words), "refused: %s", err.message);
  ok(file.fd == -1 && !file.path && system_open_files() == before, "and closed");
}

static void test_paths(void) {
  char path[256], expected[300];
  static const char *const ends[] = {"", "/"};
  recorded_empty();
  for (size_t i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s%s", recorded_folder, ends[i]);
    snprintf(expected, sizeof expected, "%s/recording.jsonl", recorded_folder);
    ok(open_at(path), "a folder stands for a file in it");
    is_string(file.path, expected, "of that name");
    cds_record_file_close(&file);
  }
  recorded_empty();
  snprintf(path, sizeof path, "%s/", recorded_path);
  is_not_open(path, CDS_E_FILE, "cannot open /tmp/recorded-");
  is_not_open("", CDS_E_FILE, "cannot open ");
  is_not_open("/nonexistent/r.jsonl", CDS_E_FILE, "cannot open /nonexistent/r.jsonl: No such file or directory");
  char *name = malloc(5000);
  for (size_t length = 4095; length < 4099; length++) {
    memset(name, 'x', length);
    *name = '/';
    name[length] = 0;
    is_not_open(name, CDS_E_FILE, length <= 4096 ? "cannot open /xxx" : "the path of a recording is longer than 4096");
  }
  free(name);
  if (chdir("/") != 0) abort();
  bool is_ours = open_at("/"); /* root may make it */
  is_string(is_ours ? file.path : err.message + sizeof "cannot open " - 1,
            is_ours ? "/recording.jsonl" : "/recording.jsonl: Permission denied", "the root is a folder, too");
  if (is_ours && file.size == 0) unlink("/recording.jsonl");
  cds_record_file_close(&file);
}

static void test_opening(void) {
  struct cds_packer const *packers[] = {NULL, &cds_gzip};
  static const char *const names[] = {"a.jsonl", "a.jsonl.gz"};
  umask(0);
  for (size_t i = 0; i < 2; i++) {
    char path[256];
    struct stat info;
    if (packers[i] && packers[i]->absent) continue;
    snprintf(path, sizeof path, "%s/%s", recorded_folder, names[i]);
    ok(open_at(path) && file.size == 0 && file.modified_ms == 0 && file.packer == packers[i], "a new file has nothing");
    ok((fcntl(file.fd, F_GETFD) & FD_CLOEXEC) != 0 && fstatat(AT_FDCWD, path, &info, 0) == 0 &&
         (info.st_mode & 0777) == 0666,
       "it goes to no other program, and has the rights that the user gives");
    cds_record_file_close(&file);
    cds_record_file_close(&file);
    ok(fcntl(STDIN_FILENO, F_GETFD) >= 0, "closing twice closes nothing else");
  }
  umask(022);
  struct timespec times[2] = {{.tv_sec = 1700000000, .tv_nsec = 999000000},
                              {.tv_sec = 1700000000, .tv_nsec = 999000000}};
  recorded_put(recorded_path, HEAD, sizeof HEAD - 1);
  utimensat(AT_FDCWD, recorded_path, times, 0);
  ok(open_at(recorded_path) && file.size == sizeof HEAD - 1, "an old one has what it had");
  is_number(file.modified_ms, NOW, "of that time");
  struct cds_record_file first = file;
  is_not_open(recorded_path, CDS_E_FILE, "is being written by another recorder");
  cds_record_file_close(&first);
}

static void test_refused(void) {
  of_fstat = (struct system_fault){.times = 1, .reason = EIO};
  is_not_open(recorded_path, CDS_E_FILE, "cannot look at /tmp/recorded-");
  of_fstat = (struct system_fault){.times = 1, .reason = ENOMEM};
  is_not_open(recorded_path, CDS_E_MEMORY, "Cannot allocate memory");
  of_flock = (struct system_fault){.times = 1, .reason = ENOLCK};
  is_not_open(recorded_path, CDS_E_FILE, "cannot lock /tmp/recorded-");
  recorded_put(recorded_path, "another file", 12);
  is_not_open(recorded_path, CDS_E_FILE, "is there and is no recording");
  recorded_empty();
  if (mkfifo(recorded_path, 0600) != 0) abort();
  is_not_open(recorded_path, CDS_E_FILE, "is no plain file: a recording cannot be kept there");
  recorded_empty();
  cds_alloc_fail_after(0);
  is_not_open(recorded_path, CDS_E_MEMORY, "no memory for a path");
  cds_alloc_fail_after(-1);
  recorded_empty();
}

/* The lowest number is one like others. */
static void test_descriptor_0(void) {
  int saved = dup(STDIN_FILENO);
  close(STDIN_FILENO);
  ok(open_at(recorded_path) && file.fd == 0 && append("a", "b", false) == CDS_OK, "a file may have number 0");
  cds_record_file_close(&file);
  ok(fcntl(STDIN_FILENO, F_GETFD) < 0, "it is closed");
  recorded_empty();
  /* the next file of a rotation has it, and is refused */
  dup2(saved, STDIN_FILENO);
  if (!open_at(recorded_path)) abort();
  close(STDIN_FILENO);
  of_flock = (struct system_fault){.times = 1, .reason = ENOLCK};
  ok(cds_record_file_rotate(&file, NOW, &err) == CDS_E_FILE && fcntl(STDIN_FILENO, F_GETFD) < 0, "or be the next one");
  cds_record_file_close(&file);
  dup2(saved, STDIN_FILENO);
  close(saved);
  recorded_empty();
}

/* ---- appending ---- */

static void test_append(void) {
  if (!open_at(recorded_path)) abort();
  most_written = 3;
  of_pwrite = (struct system_fault){.after = 1, .times = 2, .reason = EINTR};
  ok(append("head\n", "line\n", true) == CDS_OK && file.size == 10 && has(recorded_path, "head\nline\n"),
     "both are written, byte by byte, interrupted or not");
  is_number(of_fdatasync.seen, 1, "and are on the disk");
  ok(append("", "x", false) == CDS_OK && file.size == 11 && has(recorded_path, "head\nline\nx"), "one byte is");
  is_number(of_fdatasync.seen, 1, "some time");
  static const struct {
    int after, reason;
    const char *words;
  } faults[] = {{0, ENOSPC, "No space left"},
                {3, EFBIG, "File too large"},
                {1, 0, "No space left"},
                {4, EIO, "Input/output error"}};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    errno = EINTR; /* of something before */
    of_pwrite = (struct system_fault){.after = faults[i].after, .times = 1, .reason = faults[i].reason};
    ok(append("another\n", "longer line\n", true) == CDS_E_FILE && strstr(err.message, "cannot write /tmp/") &&
         strstr(err.message, faults[i].words),
       "a fault is told: %s", err.message);
    ok(file.size == 11 && has(recorded_path, "head\nline\nx"), "and the file is as it was");
  }
  is_number(of_fdatasync.seen, 1, "what was not written is not synchronised");
  of_fdatasync = (struct system_fault){.times = 1, .reason = EIO};
  ok(append("a", "b", true) == CDS_E_FILE && strstr(err.message, "Input/output") && has(recorded_path, "head\nline\nx"),
     "what is not on the disk is not written: %s", err.message);
  of_pwrite = (struct system_fault){.times = 1, .reason = ENOMEM};
  ok(append("a", "b", true) == CDS_E_MEMORY && err.status == CDS_E_MEMORY, "nor without memory");
  ok(append("a", "b", true) == CDS_OK && has(recorded_path, "head\nline\nxab"), "then it goes on");
  most_written = SSIZE_MAX;
  cds_record_file_close(&file);
  recorded_empty();
}

static void test_packed(void) {
  char path[256], text[256] = "";
  if (cds_gzip.absent) {
    skip("a compressed file", "built without zlib");
    return;
  }
  snprintf(path, sizeof path, "%s/r.jsonl.gz", recorded_folder);
  if (!open_at(path)) abort();
  ok(append(HEAD, "line\n", false) == CDS_OK, "a frame is appended");
  uint64_t size = file.size;
  of_pwrite = (struct system_fault){.times = 1, .reason = ENOSPC};
  ok(append("a", "b", false) == CDS_E_FILE && file.size == size, "or none: %s", err.message);
  for (long nth = 0; nth < 2; nth++) {
    cds_alloc_fail_one(nth);
    ok(append("a", "b", false) == CDS_E_MEMORY && file.size == size, "nor without memory: %s", err.message);
    cds_alloc_fail_one(-1);
  }
  ok(append("", "more\n", false) == CDS_OK && file.size > size, "another one is");
  cds_record_file_close(&file);
  struct cds_unpack *unpack;
  size_t length, done = 0;
  char *bytes = recorded_text(path, &length);
  ok(length > size && cds_unpack_new(&unpack, &cds_gzip, &err) == CDS_OK, "the file has both");
  struct cds_unpack_step step = {.in = (uint8_t *)bytes, .in_length = length};
  while (step.in_length > 0 && done < sizeof text - 1) {
    step.out = (uint8_t *)text + done;
    step.room = sizeof text - 1 - done;
    if (cds_unpack_step(unpack, &step, &err) != CDS_OK) break;
    done += step.produced;
  }
  cds_unpack_free(unpack);
  is_string(text, HEAD "line\nmore\n", "in order");
  /* bytes that become more: a frame may be somewhat longer than what is in it */
  if (!open_at(path)) abort();
  struct cds_buf head = {.data = (char *)(uintptr_t) "\x01\x9b", .length = 2, .limit = 16}, lines = {.data = head.data};
  lines.length = 0;
  lines.limit = 16;
  ok(cds_record_file_append(&file, &head, &lines, false, &err) == CDS_OK, "few bytes are a frame of more");
  cds_record_file_close(&file);
  recorded_empty();
}

/* ---- rotating ---- */

/* A file of this name gets that one with the time in it. */
static void is_dated(const char *name, const char *expected) {
  char path[256], dated[256];
  struct stat info;
  recorded_empty();
  snprintf(path, sizeof path, "%s/%s", recorded_folder, name);
  snprintf(dated, sizeof dated, "%s/%s", recorded_folder, expected);
  size_t before = system_open_files();
  if (!open_at(path) || append(HEAD, "", false) != CDS_OK) abort();
  ok(cds_record_file_rotate(&file, NOW, &err) == CDS_OK && has(dated, HEAD), "%s becomes %s", name, expected);
  ok(file.size == 0 && file.modified_ms == 0 && recorded_files() == 2 && fstatat(AT_FDCWD, path, &info, 0) == 0 &&
       info.st_size == 0,
     "a new one is in its place");
  ok(append("new", "", false) == CDS_OK && has(path, "new") && has(dated, HEAD), "which is written now");
  is_number(system_open_files(), before + 1, "one file is open");
  cds_record_file_close(&file);
}

static void test_names(void) {
  is_dated("r.jsonl", "r" DATED ".jsonl");
  is_dated("name.of.file.jsonl", "name" DATED ".of.file.jsonl");
  is_dated("plain", "plain" DATED);
  is_dated(".hidden", ".hidden" DATED);
  is_dated(".h.jsonl", ".h" DATED ".jsonl");
  is_dated("x.y", "x" DATED ".y");
  is_dated("xy.z", "xy" DATED ".z");
  is_dated("..z", "." DATED ".z");
  recorded_empty();
  if (chdir(recorded_folder) != 0 || !open_at("here.jsonl")) abort();
  ok(cds_record_file_rotate(&file, NOW - 999, &err) == CDS_OK && access("here-20231114T221320.000Z.jsonl", F_OK) == 0,
     "a path may begin here");
  for (int64_t ms = NOW - 1; ms <= NOW; ms++)
    ok(cds_record_file_rotate(&file, NOW - 1, &err) == CDS_OK, "the same time comes again");
  ok(access("here-20231114T221320.998Z.jsonl", F_OK) == 0 && access("here" DATED ".jsonl", F_OK) == 0,
     "the next free one is taken");
  cds_record_file_close(&file);
  if (chdir("/") != 0) abort();
  recorded_empty();
}

static void is_not_rotated(enum cds_status status, const char *words, const char *what) {
  size_t before = system_open_files();
  cds_error_clear(&err);
  ok(cds_record_file_rotate(&file, NOW, &err) == status && err.status == status && strstr(err.message, words), "%s: %s",
     what, err.message);
  ok(append("", "x", false) == CDS_OK && system_open_files() == before, "the file is written as before");
}

static void test_rotation_refused(void) {
  if (!open_at(recorded_path)) abort();
  of_rename = (struct system_fault){.times = 1, .reason = EACCES};
  is_not_rotated(CDS_E_FILE, "cannot rename /tmp/recorded-", "a file that cannot be renamed");
  of_fstat = (struct system_fault){.times = 1, .reason = EIO};
  is_not_rotated(CDS_E_FILE, "cannot look at /tmp/recorded-", "or whose successor cannot be looked at");
  of_flock = (struct system_fault){.times = 1, .reason = EWOULDBLOCK};
  is_not_rotated(CDS_E_FILE, "another recorder", "or is had by another one");
  ok(has(recorded_path, "xxx") && recorded_files() == 1, "it has its name");
  of_flock = (struct system_fault){.times = 1, .reason = ENOLCK};
  of_rename = (struct system_fault){.after = 1, .times = 1, .reason = EACCES};
  is_not_rotated(CDS_E_FILE, "cannot lock", "where it cannot get its name back");
  char dated[256];
  snprintf(dated, sizeof dated, "%s/r" DATED ".jsonl", recorded_folder);
  ok(has(dated, "xxxx"), "it goes on under the new one");
  cds_alloc_fail_after(0);
  is_not_rotated(CDS_E_MEMORY, "no memory for a path", "without memory");
  cds_alloc_fail_after(-1);
  cds_record_file_close(&file);
  recorded_empty();
}

int main(void) {
  recorded_begin();
  test_paths();
  test_opening();
  test_refused();
  test_descriptor_0();
  test_append();
  test_packed();
  test_names();
  test_rotation_refused();
  recorded_end();
  return done();
}
