/* SPDX-License-Identifier: MIT
 * How much there is: in a folder, /proc/self/fd say, of this process's threads, and of its heap. */
#ifndef ENTRIES_H
#define ENTRIES_H

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
#include <malloc.h>
#define HAS_MALLINFO
#endif

__attribute__((unused)) static int count_entries(const char *path) {
  int count = 0;
  DIR *entries = opendir(path);
  while (entries != NULL && readdir(entries) != NULL) count++;
  if (entries != NULL) closedir(entries);
  return count;
}

/* The list in /proc/self/task may break off at a thread that ends while it is read; this number does not. */
__attribute__((unused)) static int count_threads(void) {
  char line[256];
  int count = -1;
  FILE *status = fopen("/proc/self/status", "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL && sscanf(line, "Threads: %d", &count) != 1) {}
  if (status != NULL) fclose(status);
  return count;
}

/* Bytes that malloc has given out; 0 where it does not tell. */
__attribute__((unused)) static size_t count_heap_bytes(void) {
#ifdef HAS_MALLINFO
  struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
#else
  return 0;
#endif
}

#endif
