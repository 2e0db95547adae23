/* SPDX-License-Identifier: MIT
 * The list of open clients, and the handler that closes them. */
#include "client/at_exit.h"

#include <openssl/ssl.h>
#include <stdlib.h>

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
    if (!cds_client_is_foreign(client)) cds_client_close(client);
    cds_client_unref(client);
  }
}

/* Handlers run in the reverse order: OpenSSL's must be there before ours. */
static void prepare(void) {
  OPENSSL_init_ssl(0, NULL);
  pthread_atfork(lock, unlock, unlock);
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
