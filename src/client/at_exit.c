/* SPDX-License-Identifier: MIT
 * The list of open clients, and the handler that closes them. */
#include "client/at_exit.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#include "context/threads.h"

#define EXIT_WAIT_MS 5000 /* a thread may be in something that nobody can interrupt */

/* Guards the list, and is held over a fork, so that a child finds both in order. No other lock is taken under it. */
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct cds_client *first;

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

static void close_all(void) {
  struct cds_client *client;
  while ((client = take_first()) != NULL) {
    if (!cds_client_is_foreign(client)) client->close(client);
    cds_client_unref(client);
  }
  cds_threads_wait(EXIT_WAIT_MS); /* closing a stream leaves a thread behind that does not end in time */
}

/* A fork takes none of them along. */
static void begin_child(void) {
  cds_client_begin_child();
  cds_threads_forget();
  unlock();
}

static bool has_fork_handlers; /* without them a child would take its parent's clients for its own */

/* Handlers run in the reverse order: OpenSSL's must be there before ours. */
static void prepare(void) {
  OPENSSL_init_ssl(0, NULL);
  has_fork_handlers = pthread_atfork(lock, unlock, begin_child) == 0;
  (void)atexit(close_all); /* should that fail, all is as without it */
}

bool cds_at_exit_add(struct cds_client *client) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare);
  if (!has_fork_handlers) return false;
  lock();
  client->next_open = first;
  if (first != NULL) first->previous_open = client;
  first = client;
  unlock();
  return true;
}

void cds_at_exit_remove(struct cds_client *client) {
  lock();
  unlink_client(client);
  unlock();
}
