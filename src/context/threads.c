/* SPDX-License-Identifier: MIT
 * The count of connections' threads. */
#include "context/threads.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"

static atomic_size_t threads;

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
