/* SPDX-License-Identifier: MIT
 * The engine's threads leave the host's signals alone, and are waited for. */
#include <signal.h>

#include "base/clock.h"
#include "context/threads.h"
#include "tap.h"

#define LONG_MS 60000 /* for a hang */

static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGCHLD, SIGALRM, SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH};
#define COUNT (sizeof signals / sizeof *signals)

static size_t count_blocked(void) {
  sigset_t now;
  size_t blocked = 0;
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  for (size_t i = 0; i < COUNT; i++) blocked += sigismember(&now, signals[i]) == 1;
  return blocked;
}

static void *note_blocked(void *argument) {
  *(size_t *)argument = count_blocked();
  return NULL;
}

static void test_signals(void) {
  size_t blocked = 0;
  pthread_t thread;
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &one, NULL);
  if (!ok(cds_threads_create(&thread, note_blocked, &blocked) == 0, "a thread is made")) return;
  pthread_join(thread, NULL);
  is_number(blocked, COUNT, "it has all signals blocked");
  is_number(count_blocked(), 1, "its creator what it had before");
  pthread_sigmask(SIG_SETMASK, NULL, &one);
  ok(sigismember(&one, SIGUSR2) == 1, "and no other");
}

static void *end_soon(void *argument) {
  (void)argument;
  cds_threads_ends();
  return NULL;
}

/* By how it would hang, not by how long it takes. */
static bool comes_back(void) {
  int64_t until_ms = cds_clock_mono_ms() + LONG_MS / 2;
  cds_threads_wait(LONG_MS);
  return cds_clock_mono_ms() < until_ms;
}

static void test_wait(void) {
  pthread_t thread;
  ok(comes_back(), "no thread is waited for");
  for (int i = 0; i < 2; i++) cds_threads_starts();
  cds_threads_wait(20);
  ok(true, "two are not waited for longer than is asked for");
  cds_threads_ends();
  if (!ok(cds_threads_create(&thread, end_soon, NULL) == 0, "one has ended, and the other will")) return;
  ok(comes_back(), "then there is none");
  pthread_join(thread, NULL);
  cds_threads_starts();
  cds_threads_forget();
  ok(comes_back(), "one that was forgotten is not waited for");
  cds_threads_starts();
  cds_threads_ends();
  ok(comes_back(), "and those after it are counted as before");
}

int main(void) {
  test_signals();
  test_wait();
  return done();
}
