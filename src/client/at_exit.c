/* SPDX-License-Identifier: MIT
 * The list of open clients, and the handler that closes them. */
#include "client/at_exit.h"

#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define EXIT_WAIT_MS 5000 /* a thread may be in something that nobody can interrupt */

/* Guards the list, and is held over a fork, so that a child finds both in order. No other lock is taken under it. */
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct cds_client *first;
static atomic_size_t threads; /* of connections */

static void lock(void) {
  pthread_mutex_lock(&mu);
}

static void unlock(void) {
  pthread_mutex_unlock(&mu);
}

/* mu is held. */
static void unlink_client(struct cds_client *client) {
  if (client->next_open != NULL) client->next_open->previous_open = client->previous_open;
  if (client->previous_open != NULL) client->previous_open->next_open = client->next_open;
  else if (first == client) first = client->next_open;
  client->previous_open = client->next_open = NULL;
}

/* With a reference for the caller. */
static struct cds_client *take_first(void) {
  lock();
  struct cds_client *client = first;
  if (client != NULL) unlink_client(cds_client_ref(client));
  unlock();
  return client;
}

/* Closing a stream leaves a thread behind that does not end in time. */
static void wait_for_threads(void) {
  const struct timespec pause = {.tv_nsec = 5000000};
  int64_t until_ms = cds_clock_mono_ms() + EXIT_WAIT_MS;
  while (atomic_load(&threads) > 0 && cds_clock_mono_ms() < until_ms) nanosleep(&pause, NULL);
}

static void close_all(void) {
  struct cds_client *client;
  while ((client = take_first()) != NULL) {
    if (!cds_client_is_foreign(client)) cds_client_close(client);
    cds_client_unref(client);
  }
  wait_for_threads();
}

/* A fork takes none of them along. */
static void begin_child(void) {
  atomic_store(&threads, 0);
  unlock();
}

/* Handlers run in the reverse order: OpenSSL's must be there before ours. */
static void prepare(void) {
  OPENSSL_init_ssl(0, NULL);
  pthread_atfork(lock, unlock, begin_child);
  (void)atexit(close_all); /* should that fail, all is as without it */
}

void cds_at_exit_add(struct cds_client *client) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare);
  lock();
  client->next_open = first;
  if (first != NULL) first->previous_open = client;
  first = client;
  unlock();
}

void cds_at_exit_remove(struct cds_client *client) {
  lock();
  unlink_client(client);
  unlock();
}

void cds_at_exit_thread_starts(void) {
  atomic_fetch_add(&threads, 1);
}

void cds_at_exit_thread_ends(void) {
  OPENSSL_thread_stop(); /* rather than after this function */
  atomic_fetch_sub(&threads, 1);
}
