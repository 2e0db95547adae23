/* SPDX-License-Identifier: MIT
 * Creation, and the count of connections' threads. */
#include "context/threads.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"

static atomic_size_t threads;

int cds_threads_create(pthread_t *out, void *(*run)(void *argument), void *argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(out, NULL, run, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed;
}

void cds_threads_starts(void) {
  atomic_fetch_add(&threads, 1);
}

void cds_threads_ends(void) {
  OPENSSL_thread_stop(); /* rather than after this function */
  atomic_fetch_sub(&threads, 1);
}

void cds_threads_wait(int64_t limit_ms) {
  const struct timespec pause = {.tv_nsec = 5000000};
  int64_t until_ms = cds_clock_mono_ms() + limit_ms;
  while (atomic_load(&threads) > 0 && cds_clock_mono_ms() < until_ms) nanosleep(&pause, NULL);
}

void cds_threads_forget(void) {
  atomic_store(&threads, 0);
}
