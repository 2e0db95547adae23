/* SPDX-License-Identifier: MIT
 * A file that is written beside the one it is to become. Who writes it holds a lock on it, so that two commands do not
 * write one, and what a killed command left is taken over. It is refused where somebody else could have put it there to
 * have something else overwritten: a link, or another user's. */
#include "lua/lfile.h"

#include "lua/lutil.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHER "there is something else of that name"

static int fail(lua_State *L, const char *reason) {
  lua_pushnil(L);
  lua_pushstring(L, reason);
  return 2;
}

/* real_path(path) -> where it leads, true: a regular file is there | path, false: something else | nil: nothing */
static int file_real_path(lua_State *L) {
  char resolved[PATH_MAX];
  struct stat found;
  const char *path = luaL_checkstring(L, 1);
  if (stat(path, &found) != 0) return 0;
  bool is_regular = S_ISREG(found.st_mode);
  if (is_regular && !realpath(path, resolved)) return 0;
  lua_pushstring(L, is_regular ? resolved : path);
  lua_pushboolean(L, is_regular);
  return 2;
}

/* NULL: the file at the descriptor is ours alone, locked and still has the name. */
static const char *why_not_ours(int fd, const char *path) {
  struct stat opened, named;
  if (fstat(fd, &opened) != 0) return strerror(errno);
  if (!S_ISREG(opened.st_mode) || opened.st_nlink > 1 || opened.st_uid != geteuid()) return OTHER;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return errno == EWOULDBLOCK ? "another command writes it" : strerror(errno);
  if (lstat(path, &named) != 0 || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev)
    return "another command has just finished it";
  return NULL;
}

/* claim_file(path, like) -> a descriptor | nil, reason: the file, empty and locked; with the permissions of the file
 * `like`, where there is one. */
static int file_claim(lua_State *L) {
  const char *path = luaL_checkstring(L, 1), *like = luaL_checkstring(L, 2);
  struct stat old;
  int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  if (fd < 0) return fail(L, errno == ELOOP || errno == ENXIO ? OTHER : strerror(errno));
  const char *reason = why_not_ours(fd, path);
  if (!reason && ftruncate(fd, 0) != 0) reason = strerror(errno);
  if (!reason && stat(like, &old) == 0 && S_ISREG(old.st_mode) && fchmod(fd, old.st_mode & 0777) != 0)
    reason = strerror(errno);
  if (reason) {
    close(fd);
    return fail(L, reason);
  }
  lua_pushinteger(L, fd);
  return 1;
}

/* sync_file(descriptor) -> true: it is on the disk | nil, reason */
static int file_sync(lua_State *L) {
  if (fsync((int)luaL_checkinteger(L, 1)) != 0) return fail(L, strerror(errno));
  lua_pushboolean(L, 1);
  return 1;
}

/* release_file(descriptor): the lock ends with it */
static int file_release(lua_State *L) {
  close((int)luaL_checkinteger(L, 1));
  return 0;
}

void cds_l_open_file(lua_State *L) {
  static const luaL_Reg functions[] = {{"real_path", file_real_path},
                                       {"claim_file", file_claim},
                                       {"sync_file", file_sync},
                                       {"release_file", file_release},
                                       {NULL, NULL}};
  cds_l_setfuncs(L, functions, 0);
}
