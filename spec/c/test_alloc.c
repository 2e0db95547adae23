/* SPDX-License-Identifier: MIT
 * The allocator's switch, its sizes and its copies. */
#include "base/alloc.h"

#include <malloc.h>

#include "peek.h"
#include "tap.h"

/* Those of base/alloc.c themselves, behind what counts them (blocks.c). */
void *__real_cds_malloc(size_t size);
void *__real_cds_calloc(size_t count, size_t size);
void *__real_cds_realloc(void *memory, size_t size);
void __real_cds_free(void *memory);
void __real_cds_free_secret(void *memory, size_t size);

static void test_failing(void) {
  cds_alloc_fail_after(2);
  void *first = cds_malloc(1), *second = cds_calloc(1, 1), *third = cds_malloc(1);
  void *fourth = cds_realloc(NULL, 1);
  long made = cds_alloc_fail_after(-1);
  ok(first && second && !third && !fourth, "two allocations succeed, later ones fail");
  is_number(made, 4, "all four were counted");
  void *after = cds_malloc(1);
  ok(after != NULL, "a negative number switches the failures off");
  is_number(cds_alloc_fail_after(-1), 1, "and the count started anew");
  cds_free(first);
  cds_free(second);
  cds_free(after);
}

static void test_one_failing(void) {
  cds_alloc_fail_one(2);
  void *first = cds_malloc(1), *second = cds_malloc(1), *third = cds_malloc(1), *fourth = cds_malloc(1);
  ok(first && second && !third && fourth, "one allocation fails, later ones succeed");
  is_number(cds_alloc_fail_after(-1), 4, "all four were counted");
  cds_free(first);
  cds_free(second);
  cds_free(fourth);
}

static void test_sizes(void) {
  void *nothing = cds_malloc(0);
  ok(nothing != NULL, "malloc of 0 bytes is not NULL");
  nothing = cds_realloc(nothing, 0);
  ok(nothing != NULL, "nor is realloc to 0 bytes");
  void *none = cds_calloc(0, 0);
  ok(none != NULL, "nor calloc of nothing");
  cds_free(none);
  volatile size_t half = SIZE_MAX / 2 + 1;
  ok(cds_calloc(half, 2) == NULL, "calloc refuses a product that overflows");
  unsigned char *zeros = cds_calloc(3, 5);
  bool zeroed = zeros != NULL;
  for (size_t i = 0; zeros && i < 15; i++) zeroed = zeroed && zeros[i] == 0;
  ok(zeroed, "calloc gives zeros");
  cds_free(nothing);
  cds_free(zeros);
  cds_free(NULL);
  cds_free_secret(NULL, 10);
}

static void test_real_sizes(void) {
  void *block = __real_cds_malloc(0);
  ok(block != NULL, "a block of nothing is one");
  block = __real_cds_realloc(block, 0);
  ok(block != NULL, "and stays one");
  __real_cds_free(block);
  block = __real_cds_calloc(0, 5);
  ok(block != NULL, "so is one of none of them");
  __real_cds_free(block);
  bool fits = true;
  for (size_t length = 0; length < 100; length++) { /* some of which are just what the allocator gives */
    char text[100];
    memset(text, (int)('a' + length % 26), length);
    char *copy = cds_strndup(text, length);
    fits = fits && copy && malloc_usable_size(copy) > length && memcmp(copy, text, length) == 0 && copy[length] == 0;
    cds_free(copy);
  }
  ok(fits, "a copy has room for its final 0");
}

static void test_given_back(void) {
  struct mallinfo2 before = mallinfo2();
  for (int i = 0; i < 1000; i++) {
    __real_cds_free(__real_cds_malloc(100));
    __real_cds_free_secret(__real_cds_malloc(100), 100);
  }
  struct mallinfo2 after = mallinfo2();
  ok(after.uordblks < before.uordblks + 10000, "what is freed is given back");
}

static void test_copies(void) {
  char *copy = cds_strdup("secret"), *part = cds_strndup("a\0b", 3);
  is_string(copy, "secret", "strdup copies");
  ok(part && memcmp(part, "a\0b", 4) == 0, "strndup copies a 0 byte and ends in one");
  ok(cds_strdup(NULL) == NULL, "strdup of NULL is NULL");
  volatile size_t huge = SIZE_MAX;
  ok(cds_strndup("", huge) == NULL, "strndup refuses a length that overflows");
  cds_free_secret(copy, 6);
  cds_free(part);
}

static void test_wiping(void) {
  unsigned char *secret = cds_malloc(256);
  if (!ok(secret != NULL, "there is memory")) return;
  memset(secret, 0xa5, 256);
  uintptr_t address = (uintptr_t)secret;
  cds_free_secret(secret, 256);
  long left = peek_count(address, 256, 0xa5);
  if (left < 0) skip("a secret is wiped", "the memory cannot be looked at");
  else ok(left < 8, "a secret is wiped before its memory is free (%ld bytes left)", left);
  if (left >= 0) ok(peek_count(address + 32, 200, 0) == 200, "by zeros");
}

int main(void) {
  test_failing();
  test_one_failing();
  test_sizes();
  test_real_sizes();
  test_given_back();
  test_copies();
  test_wiping();
  return done();
}
