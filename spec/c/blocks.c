/* SPDX-License-Identifier: MIT
 * In every C test: counts the blocks of memory that the library has and has not freed, its locks among them, and ends the
 * program where something was written behind one. The linker puts these functions between the tests, the engine and
 * base/alloc.c, and before the system's locks. */
#include "blocks.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_long alive;

/* ---- what lies behind a block ----
 * As no sanitizer looks, a block is made a little larger; up to its last word, which has its size, it keeps a pattern. */

#ifdef __SANITIZE_ADDRESS__
#define BEHIND 0
#else
#define BEHIND (2 * sizeof(size_t))
#endif
#define PATTERN 0xa5
#define SEAL ((size_t)0x5eed5eed)

static size_t with_seal(size_t size) {
  return size <= SIZE_MAX - BEHIND ? size + BEHIND : size;
}

static void *seal(void *block, size_t size) {
  if (block == NULL || BEHIND == 0) return block;
  size_t usable = malloc_usable_size(block), last = usable - sizeof size, sealed = size ^ SEAL;
  memset((char *)block + size, PATTERN, last - size);
  memcpy((char *)block + last, &sealed, sizeof sealed);
  return block;
}

/* Takes the seal off, for whoever gets the memory next. */
static void unseal(void *block) {
  size_t size, behind = BEHIND;
  if (block == NULL || behind == 0 || malloc_usable_size(block) < behind) return;
  size_t last = malloc_usable_size(block) - sizeof size;
  memcpy(&size, (char *)block + last, sizeof size);
  size ^= SEAL;
  if (size > last) return; /* there is none */
  for (size_t i = size; i < last; i++) {
    if (((unsigned char *)block)[i] == PATTERN) continue;
    fprintf(stderr, "# byte %zu of a block of %zu was written\n", i, size);
    abort();
  }
  memset((char *)block + last, 0, sizeof size);
}

static void *made(void *block, size_t size) {
  if (block != NULL) atomic_fetch_add(&alive, 1);
  return seal(block, size);
}

static void goes(void *block) {
  unseal(block);
  if (block != NULL) atomic_fetch_sub(&alive, 1);
}

/* ---- between the library and its allocator ---- */

void *__real_cds_malloc(size_t size);
void *__real_cds_calloc(size_t count, size_t size);
void *__real_cds_realloc(void *memory, size_t size);
char *__real_cds_strdup(const char *text);
char *__real_cds_strndup(const char *text, size_t length);
void __real_cds_free(void *memory);
void __real_cds_free_secret(void *memory, size_t size);

void *__wrap_cds_malloc(size_t size) {
  return made(__real_cds_malloc(with_seal(size)), size);
}

void *__wrap_cds_calloc(size_t count, size_t size) {
  size_t most = SIZE_MAX - BEHIND, one = size > 0 ? size : 1, all = (count > 0 ? count : 1) * one;
  if (count > most / one) return made(__real_cds_calloc(count, size), all);
  return made(__real_cds_calloc(1, with_seal(all)), all);
}

void *__wrap_cds_realloc(void *memory, size_t size) {
  unseal(memory);
  void *block = __real_cds_realloc(memory, with_seal(size));
  return memory == NULL ? made(block, size) : seal(block, size);
}

/* These allocate within base/alloc.c: there is no room behind them. */
char *__wrap_cds_strdup(const char *text) {
  char *copy = __real_cds_strdup(text);
  if (copy != NULL) atomic_fetch_add(&alive, 1);
  return copy;
}

char *__wrap_cds_strndup(const char *text, size_t length) {
  char *copy = __real_cds_strndup(text, length);
  if (copy != NULL) atomic_fetch_add(&alive, 1);
  return copy;
}

void __wrap_cds_free(void *memory) {
  goes(memory);
  __real_cds_free(memory);
}

void __wrap_cds_free_secret(void *memory, size_t size) {
  goes(memory);
  __real_cds_free_secret(memory, size);
}

/* ---- locks: one is as a block that is made and freed, and fails where an allocation would ---- */

int __real_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int __real_pthread_mutex_destroy(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
  void *room = __real_cds_malloc(1);
  if (room == NULL) return ENOMEM;
  __real_cds_free(room);
  int failed = __real_pthread_mutex_init(mutex, attributes);
  if (!failed) atomic_fetch_add(&alive, 1);
  return failed;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex) {
  atomic_fetch_sub(&alive, 1);
  return __real_pthread_mutex_destroy(mutex);
}

void *blocks_new(size_t size) {
  void *block = calloc(1, with_seal(size));
  if (block == NULL) abort();
  return made(block, size);
}

long blocks_alive(void) {
  return atomic_load(&alive);
}
