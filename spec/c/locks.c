/* SPDX-License-Identifier: MIT
 * In every C test: a lock is taken by a thread that does not have it, given back by the one that has it, and destroyed
 * by one that has not. Anything else ends the program. These definitions come before the C library's. */
#ifndef __SANITIZE_THREAD__ /* which sees to that itself */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_HELD 64

typedef int lock_function(pthread_mutex_t *mutex);

static _Thread_local struct {
  const pthread_mutex_t *held[MOST_HELD];
  size_t count;
} own;

static lock_function *find_real(const char *name) {
  lock_function *function;
  *(void **)&function = dlsym(RTLD_NEXT, name);
  if (function == NULL) abort();
  return function;
}

static void require(bool good, const char *otherwise) {
  if (good) return;
  fprintf(stderr, "# %s\n", otherwise);
  abort();
}

/* Its place in the list and one, 0 when the thread does not have it. */
static size_t find(const pthread_mutex_t *mutex) {
  size_t at = own.count;
  while (at > 0 && own.held[at - 1] != mutex) at--;
  return at;
}

static void add(const pthread_mutex_t *mutex) {
  require(own.count < MOST_HELD, "a thread has too many locks");
  own.held[own.count++] = mutex;
}

__attribute__((visibility("default"))) int pthread_mutex_trylock(pthread_mutex_t *mutex) {
  static lock_function *real;
  if (real == NULL) real = find_real("pthread_mutex_trylock");
  int failed = real(mutex);
  if (!failed) add(mutex);
  return failed;
}

__attribute__((visibility("default"))) int pthread_mutex_lock(pthread_mutex_t *mutex) {
  static lock_function *real;
  if (pthread_mutex_trylock(mutex) == 0) return 0; /* a library's may be one that is taken several times */
  require(find(mutex) == 0, "a thread takes a lock that it has");
  if (real == NULL) real = find_real("pthread_mutex_lock");
  int failed = real(mutex);
  if (!failed) add(mutex);
  return failed;
}

__attribute__((visibility("default"))) int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  static lock_function *real;
  size_t at = find(mutex);
  require(at > 0, "a thread gives back a lock that it does not have");
  own.held[at - 1] = own.held[--own.count];
  if (real == NULL) real = find_real("pthread_mutex_unlock");
  return real(mutex);
}

__attribute__((visibility("default"))) int pthread_mutex_destroy(pthread_mutex_t *mutex) {
  static lock_function *real;
  require(find(mutex) == 0, "a thread destroys a lock that it has");
  if (real == NULL) real = find_real("pthread_mutex_destroy");
  return real(mutex);
}

#endif
