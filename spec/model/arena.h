/* SPDX-License-Identifier: MIT
 * The allocator of the model check: all memory of the order in one block, so that a whole state is saved and restored by
 * copying it. Nothing is given back before the state is. */
#ifndef ARENA_H
#define ARENA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/report.h"

#define ARENA_SIZE (256u * 1024)

static struct {
  size_t used;
  _Alignas(16) unsigned char bytes[ARENA_SIZE];
} arena;

void *cds_malloc(size_t size) {
  size_t *block = (size_t *)(void *)(arena.bytes + arena.used);
  arena.used += (size + 2 * 16 - 1) / 16 * 16;
  if (arena.used > ARENA_SIZE) {
    fprintf(stderr, "the arena of the model check is too small\n");
    abort();
  }
  *block = size; /* for realloc; 16 bytes, for the alignment */
  return block + 2;
}

void *cds_calloc(size_t count, size_t size) {
  return memset(cds_malloc(count * size), 0, count * size);
}

void *cds_realloc(void *memory, size_t size) {
  void *bigger = cds_malloc(size);
  size_t before = memory != NULL ? ((size_t *)memory)[-2] : 0;
  if (before > 0) memcpy(bigger, memory, before < size ? before : size);
  return bigger;
}

void cds_free(void *memory) {
  (void)memory;
}

/* The model's reports are static. */
void cds_report_unref(struct cds_report *report) {
  (void)report;
}

#endif
