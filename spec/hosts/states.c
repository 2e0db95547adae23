/* SPDX-License-Identifier: MIT
 * Opens and closes Lua states, each of which leaves a client and a stream behind.   states COUNT WARMUP
 * Prints descriptors, threads and resident KiB after WARMUP states and after COUNT. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE 6000 /* times 10 ms, for threads that are on their way out */

static const char script[] = "local chainlink = require 'chainlink'\n"
                             "client = chainlink.client_from_env()\n"
                             "local feed = assert(client:get_feeds())[1]\n"
                             "stream = assert(client:stream { feed.id })\n";

static long number_of(const char *name) {
  char line[256];
  long number = -1;
  FILE *file = fopen("/proc/self/status", "r");
  if (file == NULL) return -1;
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, name, strlen(name)) == 0) number = strtol(line + strlen(name), NULL, 10);
  fclose(file);
  return number;
}

static long descriptors(void) {
  long count = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL) return -1;
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

static void tell(void) {
  const struct timespec pause = {0, 10000000};
  for (int i = 0; i < PATIENCE && number_of("Threads:") > 1; i++) nanosleep(&pause, NULL);
  printf("%ld %ld %ld\n", descriptors(), number_of("Threads:"), number_of("VmRSS:"));
}

int main(int argc, char **argv) {
  long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0, warmup = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
  for (long i = 1; i <= count; i++) {
    lua_State *L = luaL_newstate();
    if (L == NULL) return 1;
    luaL_openlibs(L);
    int failed = luaL_dostring(L, script);
    if (failed) fprintf(stderr, "states: %s\n", luaL_tolstring(L, -1, NULL));
    lua_close(L);
    if (failed) return 1;
    if (i == warmup || i == count) tell();
  }
  return 0;
}
