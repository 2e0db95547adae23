/* SPDX-License-Identifier: MIT
 * A file that is claimed while others do the same, and system calls that fail meanwhile: it is refused with the reason,
 * and nothing stays open. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* AT_EMPTY_PATH */
#endif

#include "lua_value.h"
#include "system_faults.h"
#include "tap.h"

#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

static struct system_fault of_fstat, of_flock, of_ftruncate, of_fchmod;
static uid_t other_user;
static dev_t other_device;
static char folder[] = "/tmp/claimed.XXXXXX", path[64], like[64], aside[64];

/* What another command does to the file between its opening and its lock. */
static enum { NOTHING, RENAMED, REPLACED } meanwhile;

SYSTEM_CALL int fstat(int fd, struct stat *out) {
  return system_fails(&of_fstat) ? -1 : fstatat(fd, "", out, AT_EMPTY_PATH);
}

SYSTEM_CALL int lstat(const char *restrict name, struct stat *restrict out) {
  int result = fstatat(AT_FDCWD, name, out, AT_SYMLINK_NOFOLLOW);
  out->st_dev += other_device;
  return result;
}

static void write_file(const char *name, const char *text) {
  FILE *file = fopen(name, "w");
  if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) abort();
}

SYSTEM_CALL int flock(int fd, int how) {
  if (system_fails(&of_flock)) return -1;
  if (meanwhile != NOTHING && rename(path, aside) != 0) abort();
  if (meanwhile == REPLACED) write_file(path, "theirs");
  meanwhile = NOTHING;
  return (int)syscall(SYS_flock, fd, how);
}

SYSTEM_CALL int ftruncate(int fd, off_t length) {
  return system_fails(&of_ftruncate) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

SYSTEM_CALL int fchmod(int fd, mode_t mode) {
  return system_fails(&of_fchmod) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

SYSTEM_CALL uid_t geteuid(void) {
  return (uid_t)syscall(SYS_geteuid) + other_user;
}

/* The reason why the file is refused, or the number of its descriptor. Nothing is open afterwards that was not before. */
static const char *claim(lua_State *L) {
  char expression[256];
  size_t open_files = system_open_files();
  snprintf(expression, sizeof expression,
           "(function(fd, why) if fd then core.release_file(fd) end return fd or why end)(core.claim_file('%s', '%s'))",
           path, like);
  const char *value = value_of(L, expression);
  is_number(system_open_files(), open_files, "nothing stays open");
  return value;
}

static bool is_descriptor(const char *text) {
  return text[0] >= '0' && text[0] <= '9';
}

static void check_others(lua_State *L) {
  static const char other[] = "there is something else of that name",
                    finished[] = "another command has just finished it";
  meanwhile = RENAMED;
  is_string(claim(L), finished, "a file that has lost its name is the finished one");
  meanwhile = REPLACED;
  is_string(claim(L), finished, "and so is one whose name is another file's");
  other_device = 1;
  is_string(claim(L), finished, "or that of a file elsewhere");
  other_device = 0;
  other_user = 1;
  is_string(claim(L), other, "another user's is none");
  other_user = 0;
  if (link(path, aside) != 0 && (remove(aside) != 0 || link(path, aside) != 0)) abort();
  is_string(claim(L), other, "nor is one of two names");
  remove(aside);
  ok(is_descriptor(claim(L)), "and else it may be claimed");
}

static void check_faults(lua_State *L) {
  static const struct {
    struct system_fault *fault;
    const char *name;
  } calls[] = {{&of_fstat, "fstat"}, {&of_flock, "flock"}, {&of_ftruncate, "ftruncate"}, {&of_fchmod, "fchmod"}};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    *calls[i].fault = (struct system_fault){.times = 1, .reason = EIO};
    is_string(claim(L), strerror(EIO), calls[i].name);
    ok(is_descriptor(claim(L)), "and then it works again");
  }
  of_flock = (struct system_fault){.times = 1, .reason = EWOULDBLOCK};
  is_string(claim(L), "another command writes it", "a lock is another command's");
}

/* As a script may have closed its standard input. */
static void check_descriptor_0(lua_State *L) {
  int kept = dup(0);
  close(0);
  is_string(claim(L), "0", "a descriptor of 0 is one");
  if (kept >= 0) {
    dup2(kept, 0);
    close(kept);
  }
}

int main(void) {
  if (mkdtemp(folder) == NULL) return 1;
  snprintf(path, sizeof path, "%s/file", folder);
  snprintf(like, sizeof like, "%s/like", folder);
  snprintf(aside, sizeof aside, "%s/aside", folder);
  write_file(like, "");
  lua_State *L = luaL_newstate();
  if (L == NULL) return 1;
  luaL_openlibs(L);
  is_string(value_of(L, "type(core)"), "table", "the module is there");
  check_others(L);
  check_faults(L);
  check_descriptor_0(L);
  lua_close(L);
  remove(path);
  remove(like);
  remove(aside);
  ok(rmdir(folder) == 0, "all files are gone");
  return done();
}
