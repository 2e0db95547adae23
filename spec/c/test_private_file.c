/* SPDX-License-Identifier: MIT
 * Files made whole, and files that nobody else may read: their modes, owners, links and folders, and each failure. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* AT_EMPTY_PATH */
#endif

#include "base/private_file.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "recorded.h"
#include "system_faults.h"

static struct system_fault of_write, of_close, of_fchmod, of_read, of_fstat;
static size_t most_written = SSIZE_MAX; /* at a time */

SYSTEM_CALL ssize_t write(int fd, const void *bytes, size_t length) {
  int before = errno;
  if (system_fails(&of_write)) {
    if (of_write.reason) return -1;
    errno = before;
    return 0;
  }
  return syscall(SYS_write, fd, bytes, length < most_written ? length : most_written);
}

SYSTEM_CALL int close(int fd) {
  int result = (int)syscall(SYS_close, fd);
  return system_fails(&of_close) ? -1 : result;
}

SYSTEM_CALL int fchmod(int fd, mode_t mode) {
  return system_fails(&of_fchmod) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

SYSTEM_CALL ssize_t read(int fd, void *out, size_t size) {
  return system_fails(&of_read) ? -1 : syscall(SYS_read, fd, out, size);
}

SYSTEM_CALL int fstat(int fd, struct stat *out) {
  return system_fails(&of_fstat) ? -1 : fstatat(fd, "", out, AT_EMPTY_PATH);
}

static uid_t pretended; /* this user, where it is not 0 */

SYSTEM_CALL uid_t geteuid(void) {
  return pretended ? pretended : (uid_t)syscall(SYS_geteuid);
}

static struct cds_error err;

static mode_t mode_of(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 ? about.st_mode & 07777 : 0;
}

static bool has(const char *path, const char *expected) {
  size_t length;
  return strcmp(recorded_text(path, &length), expected) == 0;
}

/* ---- written ---- */

typedef enum cds_status make_fn(const char *path, const char *text, size_t length, struct cds_error *err);

static void test_new(void) {
  umask(0);
  is_number(cds_private_file_new(recorded_path, "secret", 5, &err), CDS_OK, "a private file is made");
  ok(has(recorded_path, "secre") && mode_of(recorded_path) == 0600, "of so many bytes, for its owner alone");
  ok(cds_private_file_new(recorded_path, "other", 5, &err) == CDS_E_CONFIG && err.status == CDS_E_CONFIG &&
       strncmp(err.message, "cannot write /tmp/", 18) == 0 && strstr(err.message, "exists; it must be a new file"),
     "what is there is not replaced: %s", err.message);
  ok(has(recorded_path, "secre") && recorded_files() == 1, "it stays, and nothing else does");
  is_number(cds_public_file(recorded_path, "for all", 7, &err), CDS_OK, "a public file is made in its place");
  ok(has(recorded_path, "for all") && mode_of(recorded_path) == 0644 && recorded_files() == 1, "which all can read");
  is_number(cds_private_file_replace(recorded_path, "", 0, &err), CDS_OK, "a private one in place of that");
  ok(has(recorded_path, "") && mode_of(recorded_path) == 0600 && recorded_files() == 1, "for its owner, though empty");
  is_number(cds_private_file_new("/nonexistent/folder/file", "a", 1, &err), CDS_E_CONFIG, "no folder is made for it");
  ok(strstr(err.message, "cannot write /nonexistent/folder/file: No such file or directory") &&
       !strstr(err.message, "new"),
     "which is told: %s", err.message);
  umask(022);
}

/* In steps of one byte, and with interruptions, a file becomes whole all the same. */
static void test_steps(make_fn *make) {
  recorded_empty();
  most_written = 1;
  of_write = (struct system_fault){.after = 2, .times = 3, .reason = EINTR};
  is_number(make(recorded_path, "a text", 6, &err), CDS_OK, "a text is written byte by byte");
  ok(has(recorded_path, "a text") && of_write.times == 0, "and is whole");
  most_written = SSIZE_MAX;
}

static void is_not_made(make_fn *make, const char *reason, const char *what) {
  size_t before = system_open_files(), files = recorded_files();
  errno = EINTR; /* of something before */
  ok(make(recorded_path, "a text", 6, &err) == CDS_E_CONFIG && strstr(err.message, reason), "%s: %s", what,
     err.message);
  is_number(system_open_files(), before, "no file stays open");
  is_number(recorded_files(), files, "and none is left");
}

static void test_failures(make_fn *make) {
  recorded_empty();
  of_write = (struct system_fault){.times = 1, .reason = ENOSPC};
  is_not_made(make, "No space left on device", "a full disk");
  of_write = (struct system_fault){.times = 1, .reason = 0};
  is_not_made(make, "cannot write", "a disk that takes nothing");
  of_fchmod = (struct system_fault){.times = 1, .reason = EPERM};
  is_not_made(make, "Operation not permitted", "a file whose rights cannot be set");
  of_close = (struct system_fault){.times = 1, .reason = EDQUOT};
  is_not_made(make, "quota exceeded", "a disk that tells at the end that it is full");
  of_fchmod = (struct system_fault){.times = 1, .reason = EPERM};
  of_close = (struct system_fault){.times = 1, .reason = EDQUOT};
  is_not_made(make, "Operation not permitted", "of two failures the first");
  of_close = (struct system_fault){0};
  mkdir(recorded_path, 0700);
  is_not_made(make, make == cds_private_file_new ? "exists" : "directory", "a folder of that name");
  rmdir(recorded_path);
  cds_alloc_fail_after(0);
  ok(make(recorded_path, "a", 1, &err) == CDS_E_MEMORY && strstr(err.message, "no memory"), "without memory");
  cds_alloc_fail_after(-1);
}

static void test_descriptor_0(void) {
  recorded_empty();
  int saved = dup(STDIN_FILENO);
  close(STDIN_FILENO);
  is_number(cds_private_file_new(recorded_path, "a", 1, &err), CDS_OK, "a file may be made where 0 is free");
  struct cds_buf out;
  bool is_missing = true;
  cds_buf_init(&out, 10);
  ok(cds_private_file_read(&out, &is_missing, recorded_path, &err) == CDS_OK && !is_missing, "and read");
  cds_buf_clear(&out);
  ok(fcntl(STDIN_FILENO, F_GETFD) < 0, "0 is free again");
  dup2(saved, STDIN_FILENO);
  close(saved);
}

static void test_links(void) {
  char target[160];
  snprintf(target, sizeof target, "%s/target", recorded_folder);
  recorded_empty();
  recorded_put(target, "old", 3);
  if (symlink("target", recorded_path) != 0) abort();
  is_number(cds_private_file_new(recorded_path, "new", 3, &err), CDS_E_CONFIG, "a link is there already");
  is_number(cds_private_file_replace(recorded_path, "new", 3, &err), CDS_OK, "what a link leads to is replaced");
  char text[16] = "";
  ok(has(target, "new") && readlink(recorded_path, text, sizeof text) == 6, "and the link stays");
  is_number(cds_public_file(recorded_path, "all", 3, &err), CDS_OK, "or the link itself");
  ok(has(target, "new") && has(recorded_path, "all") && readlink(recorded_path, text, sizeof text) < 0, "which goes");
}

static void test_folders(void) {
  char path[PATH_MAX + 64], folder[160];
  recorded_empty();
  umask(0);
  snprintf(path, sizeof path, "%s/a/b/c.txt", recorded_folder);
  is_number(cds_private_file_replace(path, "x", 1, &err), CDS_OK, "folders are made on the way");
  ok(has(path, "x"), "to the file");
  unlink(path);
  snprintf(folder, sizeof folder, "%s/a/b", recorded_folder);
  is_number(mode_of(folder), 0700, "for their owner alone");
  rmdir(folder);
  folder[strlen(folder) - 2] = 0;
  is_number(mode_of(folder), 0700, "each of them");
  rmdir(folder);
  umask(022);
  if (chdir(recorded_folder) != 0) abort();
  is_number(cds_private_file_replace("a/b", "x", 1, &err), CDS_OK, "also of a path that begins here");
  ok(has("a/b", "x") && unlink("a/b") == 0 && rmdir("a") == 0, "with a folder of one letter");
  is_number(cds_private_file_replace("name", "x", 1, &err), CDS_OK, "none of a name alone");
  ok(unlink("name") == 0 && recorded_files() == 0, "which is a file");
  if (chdir("/") != 0) abort();
  for (size_t length = PATH_MAX - 2; length < PATH_MAX + 3; length++) { /* not even looked at */
    memset(path, 'x', length);
    memcpy(path, recorded_folder, strlen(recorded_folder));
    memcpy(path + strlen(recorded_folder), "/f/", 3);
    path[length] = 0;
    ok(cds_private_file_replace(path, "x", 1, &err) == CDS_E_CONFIG && strstr(err.message, "too long"),
       "a path of %zu bytes is refused", length);
    snprintf(folder, sizeof folder, "%s/f", recorded_folder);
    is_number(rmdir(folder), length < PATH_MAX ? 0 : -1, "and its folders made only where it is a path");
  }
}

/* ---- read ---- */

/* words: of the refusal; NULL: it is read */
static void is_read(const char *path, const char *words, const char *what) {
  struct cds_buf out;
  bool is_missing = true;
  size_t before = system_open_files();
  cds_buf_init(&out, 8);
  cds_error_clear(&err);
  enum cds_status status = cds_private_file_read(&out, &is_missing, path, &err);
  if (words) {
    ok(status == CDS_E_CONFIG && err.status == CDS_E_CONFIG && strstr(err.message, words) &&
         strncmp(err.message, path, strlen(path)) == 0,
       "%s: %s", what, err.message);
  } else {
    ok(status == CDS_OK && out.length == 8 && strcmp(out.data, "a secret") == 0, "%s: %s", what, err.message);
  }
  ok(!is_missing && system_open_files() == before, "it is there, and is closed");
  cds_buf_clear(&out);
}

static void put_secret(const char *text) {
  recorded_put(recorded_path, text, strlen(text));
  chmod(recorded_path, 0600);
}

static void test_modes(void) {
  recorded_empty();
  put_secret("a secret");
  is_read(recorded_path, NULL, "a file of one's own is read");
  for (mode_t bit = 1; bit <= 0100; bit <<= 1) {
    char words[32];
    chmod(recorded_path, 0600 | bit);
    snprintf(words, sizeof words, "(mode %03o)", (unsigned)(0600 | bit));
    is_read(recorded_path, bit < 0100 ? words : NULL, "its mode");
  }
  chmod(recorded_path, 04601);
  is_read(recorded_path, "(mode 601); chmod 600 it", "of its mode the rights are told");
  is_read(recorded_folder, "is no file", "a folder");
  unlink(recorded_path);
  if (mkfifo(recorded_path, 0600) != 0) abort();
  is_read(recorded_path, "is no file", "a pipe, which is not waited for");
  unlink(recorded_path);
}

static void test_missing(void) {
  static const char *const paths[] = {"/nonexistent/file", "/dev/null/file", "/proc/self/fd/x/y"};
  struct cds_buf out;
  cds_buf_init(&out, 8);
  for (size_t i = 0; i < 3; i++) {
    bool is_missing = false;
    ok(cds_private_file_read(&out, &is_missing, paths[i], &err) == CDS_E_CONFIG && is_missing &&
         strncmp(err.message, paths[i], strlen(paths[i])) == 0,
       "it is told that it is missing: %s", err.message);
  }
  char name[300];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  bool is_missing = true;
  ok(cds_private_file_read(&out, &is_missing, name, &err) == CDS_E_CONFIG && !is_missing && strstr(err.message, "long"),
     "what no file can be called is not missing");
}

static void test_reading(void) {
  put_secret("a secret");
  of_fstat = (struct system_fault){.times = 1, .reason = EIO};
  is_read(recorded_path, ": Input/output error", "a file that cannot be looked at");
  of_read = (struct system_fault){.times = 1, .reason = EISDIR};
  is_read(recorded_path, "cannot be read: Is a directory", "or be read");
  of_read = (struct system_fault){.times = 2, .reason = EINTR};
  is_read(recorded_path, NULL, "interruptions are none");
  ok(of_read.times == 0, "both were met");
  put_secret("a secret!");
  is_read(recorded_path, "has more than 8 bytes", "one that is too long");
  struct cds_buf out;
  bool is_missing;
  cds_buf_init(&out, 100);
  cds_alloc_fail_after(0);
  ok(cds_private_file_read(&out, &is_missing, recorded_path, &err) == CDS_E_MEMORY && strstr(err.message, "out of mem"),
     "without memory: %s", err.message);
  cds_alloc_fail_after(-1);
  cds_buf_clear(&out);
}

static void test_all_of_it(void) {
  static char text[10000];
  struct cds_buf out;
  memset(text, 'x', sizeof text);
  recorded_put(recorded_path, text, sizeof text);
  cds_buf_init(&out, sizeof text);
  int fd = open(recorded_path, O_RDONLY);
  ok(cds_read_all(&out, fd, &err) == CDS_OK && out.length == sizeof text && memcmp(out.data, text, sizeof text) == 0,
     "what is longer than a block comes whole");
  close(fd);
  cds_buf_clear(&out);
}

/* Of another user, and by a link of another user. */
static void test_owners(void) {
  if (syscall(SYS_geteuid) != 0) {
    skip("files of other users", "only root can make them");
    return;
  }
  char link_path[160];
  snprintf(link_path, sizeof link_path, "%s/link", recorded_folder);
  if (symlink("r.jsonl", link_path) != 0) abort();
  put_secret("a secret");
  is_read(link_path, NULL, "a link of one's own is followed");
  pretended = 1000;
  is_read(recorded_path, NULL, "root's file is trusted");
  is_read(link_path, NULL, "and root's link");
  for (uid_t owner = 1; owner <= 1000; owner += 999) {
    bool is_own = owner == pretended;
    if (chown(recorded_path, owner, 0) != 0) abort();
    is_read(recorded_path, is_own ? NULL : "belongs to another user", "so are one's own, and no other one's");
    if (chown(recorded_path, 0, 0) != 0 || lchown(link_path, owner, 0) != 0) abort();
    is_read(link_path, is_own ? NULL : "a symbolic link of another user is not followed", "links likewise");
  }
  pretended = 0;
}

int main(void) {
  static make_fn *const ways[] = {cds_private_file_new, cds_private_file_replace, cds_public_file};
  recorded_begin();
  test_new();
  for (size_t i = 0; i < 3; i++) {
    test_steps(ways[i]);
    test_failures(ways[i]);
  }
  test_descriptor_0();
  test_links();
  test_folders();
  test_modes();
  test_missing();
  test_reading();
  test_all_of_it();
  test_owners();
  recorded_end();
  return done();
}
