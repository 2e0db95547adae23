/* SPDX-License-Identifier: MIT
 * Texts at the edge of memory: what is read before or behind them ends the program. */
#ifndef EDGE_H
#define EDGE_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A page of memory between two that nobody may touch; it stays. */
__attribute__((unused)) static char *edge_page(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *all = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED || mprotect(all + page, page, PROT_READ | PROT_WRITE) != 0) abort();
  return all + page;
}

/* A copy with nothing before it. */
__attribute__((unused)) static char *edge_first(const void *bytes, size_t length) {
  return memcpy(edge_page(), bytes, length);
}

/* A copy with nothing behind it. */
__attribute__((unused)) static char *edge_last(const void *bytes, size_t length) {
  return memcpy(edge_page() + (size_t)sysconf(_SC_PAGESIZE) - length, bytes, length);
}

#endif
