/* SPDX-License-Identifier: MIT
 * References to a client: the last one ends it, once, in its own process alone; and its list of streams. */
#include "context/context.h"

#include <stdlib.h>

#include "tap.h"

static int destroyed;

static void destroy(struct cds_client *client) {
  (void)client;
  destroyed++;
}

static void begin(struct cds_client *client) {
  *client = (struct cds_client){.forks = cds_client_forks(), .destroy = destroy};
  pthread_mutex_init(&client->mu, NULL);
  atomic_init(&client->refs, 1);
  atomic_init(&client->closed, false);
  destroyed = 0;
}

static void test_references(void) {
  struct cds_client client;
  begin(&client);
  for (int i = 0; i < 3; i++) ok(cds_client_ref(&client) == &client, "a reference more");
  is_number(atomic_load(&client.refs), 4, "is counted");
  for (int i = 0; i < 3; i++) cds_client_unref(&client);
  is_number(destroyed, 0, "all but the last leave the client alone");
  cds_client_unref(&client);
  is_number(destroyed, 1, "the last ends it");
  cds_client_unref(NULL);
  is_number(destroyed, 1, "no client is nobody's");
  pthread_mutex_destroy(&client.mu);
}

static void test_foreign(void) {
  struct cds_client client;
  struct cds_error err = {0};
  struct cds_stream_hook hook = {0};
  struct cds_stream *stream = (struct cds_stream *)&hook;
  begin(&client);
  is_number(cds_client_add_stream(&client, &hook, stream, &err), CDS_OK, "a stream of this process");
  cds_client_begin_child();
  ok(cds_client_is_foreign(&client), "a client of another process");
  is_number(cds_client_check(&client, &err), CDS_E_CLOSED, "is closed to this one");
  ok(strstr(err.message, "before fork()") != NULL, "with the reason: %s", err.message);
  is_number(cds_client_add_stream(&client, &(struct cds_stream_hook){0}, stream, &err), CDS_E_CLOSED,
            "takes no stream");
  cds_client_remove_stream(&client, &hook);
  ok(client.streams == &hook && hook.stream == stream, "and gives none");
  cds_client_unref(&client);
  is_number(destroyed, 0, "the last reference leaves its memory alone");
  pthread_mutex_destroy(&client.mu);
}

static void test_taking(void) {
  struct cds_client client;
  struct cds_stream_hook hooks[2] = {{0}};
  struct cds_error err = {0};
  begin(&client);
  ok(cds_client_take_stream(&client) == NULL, "an empty list");
  for (int i = 0; i < 2; i++)
    is_number(cds_client_add_stream(&client, &hooks[i], (struct cds_stream *)&hooks[i], &err), CDS_OK, "a stream");
  ok(cds_client_take_stream(&client) == (struct cds_stream *)&hooks[1], "the newest is taken first");
  ok(hooks[1].stream == NULL && hooks[0].previous == NULL && client.streams == &hooks[0], "off the list");
  ok(cds_client_take_stream(&client) == (struct cds_stream *)&hooks[0], "then the other");
  ok(cds_client_take_stream(&client) == NULL && client.streams == NULL, "and none is left");
  ok(pthread_mutex_trylock(&client.mu) == 0, "no lock is left behind");
  pthread_mutex_unlock(&client.mu);
  pthread_mutex_destroy(&client.mu);
}

/* Each thread's own hook, in and out of the list that all share. */
static struct cds_client shared;
static atomic_int lost;

static void *come_and_go(void *unused) {
  struct cds_stream_hook hook = {0};
  (void)unused;
  for (int i = 0; i < 20000; i++) {
    if (cds_client_add_stream(&shared, &hook, (struct cds_stream *)&hook, NULL) != CDS_OK) lost++;
    cds_client_remove_stream(&shared, &hook);
    if (hook.stream != NULL || hook.next != NULL || hook.previous != NULL) lost++;
  }
  return NULL;
}

static void test_threads(void) {
  pthread_t threads[4];
  begin(&shared);
  for (int i = 0; i < 4; i++)
    if (pthread_create(&threads[i], NULL, come_and_go, NULL) != 0) abort();
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  ok(lost == 0 && shared.streams == NULL, "streams that come and go at once leave the list in order");
  pthread_mutex_destroy(&shared.mu);
}

int main(void) {
  test_references();
  test_foreign();
  test_taking();
  test_threads();
  return done();
}
