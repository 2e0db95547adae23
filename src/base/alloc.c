/* SPDX-License-Identifier: MIT
 * The malloc family, its switch for failing allocations, and wiping. */
#include "base/alloc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* All atomic. */
static long made;             /* allocations since the last call of a function below that sets the switch */
static long allowed = -1;     /* how many of them may succeed, negative for all */
static long fails = LONG_MAX; /* how many of the next ones fail */

static bool may_allocate(void) {
  long earlier = __atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
  long limit = __atomic_load_n(&allowed, __ATOMIC_RELAXED);
  return limit < 0 || earlier < limit || earlier - limit >= __atomic_load_n(&fails, __ATOMIC_RELAXED);
}

static long set_switch(long after, long failures) {
  __atomic_store_n(&allowed, -1, __ATOMIC_RELAXED);
  long count = __atomic_exchange_n(&made, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&fails, failures, __ATOMIC_RELAXED);
  __atomic_store_n(&allowed, after, __ATOMIC_RELAXED);
  return count;
}

long cds_alloc_fail_after(long after) {
  return set_switch(after, LONG_MAX);
}

long cds_alloc_fail_one(long after) {
  return set_switch(after, 1);
}

/* A size of 0 asks for 1 byte, so that NULL always means that memory ran out. */
static size_t at_least_one(size_t size) {
  return size > 0 ? size : 1;
}

void *cds_malloc(size_t size) {
  return may_allocate() ? malloc(at_least_one(size)) : NULL;
}

void *cds_calloc(size_t count, size_t size) {
  /* calloc does so itself, but a sanitizer's ends the process. */
  if (size > 0 && count > SIZE_MAX / size) return NULL;
  return may_allocate() ? calloc(at_least_one(count), at_least_one(size)) : NULL;
}

void *cds_realloc(void *memory, size_t size) {
  return may_allocate() ? realloc(memory, at_least_one(size)) : NULL;
}

char *cds_strdup(const char *text) {
  return text ? cds_strndup(text, strlen(text)) : NULL;
}

char *cds_strndup(const char *text, size_t length) {
  char *copy = length < SIZE_MAX ? cds_malloc(length + 1) : NULL;
  if (copy) {
    if (length > 0) memcpy(copy, text, length);
    copy[length] = 0;
  }
  return copy;
}

void cds_free(void *memory) {
  free(memory);
}

void cds_free_secret(void *memory, size_t size) {
  if (!memory) return;
  memset(memory, 0, size);
  __asm__ __volatile__("" : : "r"(memory) : "memory"); /* or the compiler drops a memset before free */
  free(memory);
}
