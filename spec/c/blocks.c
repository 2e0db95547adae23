/* SPDX-License-Identifier: MIT
 * In every C test: counts the blocks of memory that the library has and has not freed. The linker puts these functions
 * between the tests, the engine and base/alloc.c. */
#include "blocks.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_long alive;

#define COUNTED(name, ...)                                                                                             \
  void *block = __real_##name(__VA_ARGS__);                                                                            \
  if (block != NULL) atomic_fetch_add(&alive, 1);                                                                      \
  return block

void *__real_cds_malloc(size_t size);
void *__real_cds_calloc(size_t count, size_t size);
void *__real_cds_realloc(void *memory, size_t size);
void *__real_cds_strdup(const char *text);
void *__real_cds_strndup(const char *text, size_t length);
void __real_cds_free(void *memory);
void __real_cds_free_secret(void *memory, size_t size);

void *__wrap_cds_malloc(size_t size) {
  COUNTED(cds_malloc, size);
}

void *__wrap_cds_calloc(size_t count, size_t size) {
  COUNTED(cds_calloc, count, size);
}

void *__wrap_cds_strdup(const char *text) {
  COUNTED(cds_strdup, text);
}

void *__wrap_cds_strndup(const char *text, size_t length) {
  COUNTED(cds_strndup, text, length);
}

void *__wrap_cds_realloc(void *memory, size_t size) {
  void *block = __real_cds_realloc(memory, size);
  if (block != NULL && memory == NULL) atomic_fetch_add(&alive, 1);
  return block;
}

void __wrap_cds_free(void *memory) {
  if (memory != NULL) atomic_fetch_sub(&alive, 1);
  __real_cds_free(memory);
}

void __wrap_cds_free_secret(void *memory, size_t size) {
  if (memory != NULL) atomic_fetch_sub(&alive, 1);
  __real_cds_free_secret(memory, size);
}

void *blocks_new(size_t size) {
  void *block = calloc(1, size);
  if (block == NULL) abort();
  atomic_fetch_add(&alive, 1);
  return block;
}

long blocks_alive(void) {
  return atomic_load(&alive);
}
