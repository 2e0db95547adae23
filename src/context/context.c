/* SPDX-License-Identifier: MIT
 * References to a client, its list of streams, and whether it may still be used. */
#include "context/context.h"

static atomic_uint forks;

struct cds_client *cds_client_ref(struct cds_client *client) {
  atomic_fetch_add(&client->refs, 1);
  return client;
}

void cds_client_unref(struct cds_client *client) {
  if (client == NULL || atomic_fetch_sub(&client->refs, 1) != 1 || cds_client_is_foreign(client)) return;
  client->destroy(client);
}

bool cds_client_is_closed(const struct cds_client *client) {
  return atomic_load(&client->closed);
}

bool cds_client_is_foreign(const struct cds_client *client) {
  return client->forks != cds_client_forks();
}

unsigned cds_client_forks(void) {
  return atomic_load_explicit(&forks, memory_order_relaxed);
}

void cds_client_begin_child(void) {
  atomic_fetch_add(&forks, 1);
}

enum cds_status cds_client_check(const struct cds_client *client, struct cds_error *err) {
  if (cds_client_is_foreign(client))
    return cds_error_set(err, CDS_E_CLOSED,
                         "the client was created before fork(); create it in the child (in nginx: init_worker_by_lua)");
  if (cds_client_is_closed(client)) return cds_error_set(err, CDS_E_CLOSED, "the client is closed");
  return CDS_OK;
}

enum cds_status cds_client_add_stream(struct cds_client *client, struct cds_stream_hook *hook,
                                      struct cds_stream *stream, struct cds_error *err) {
  enum cds_status status = cds_client_check(client, err);
  if (status != CDS_OK) return status;
  pthread_mutex_lock(&client->mu);
  hook->stream = stream;
  hook->previous = NULL;
  hook->next = client->streams;
  if (hook->next != NULL) hook->next->previous = hook;
  client->streams = hook;
  pthread_mutex_unlock(&client->mu);
  return CDS_OK;
}

/* client->mu is held. */
static void unlink_stream(struct cds_client *client, struct cds_stream_hook *hook) {
  if (hook->previous != NULL) hook->previous->next = hook->next;
  else client->streams = hook->next;
  if (hook->next != NULL) hook->next->previous = hook->previous;
  *hook = (struct cds_stream_hook){0};
}

void cds_client_remove_stream(struct cds_client *client, struct cds_stream_hook *hook) {
  if (cds_client_is_foreign(client)) return;
  pthread_mutex_lock(&client->mu);
  if (hook->stream != NULL) unlink_stream(client, hook);
  pthread_mutex_unlock(&client->mu);
}

struct cds_stream *cds_client_take_stream(struct cds_client *client) {
  struct cds_stream *stream = NULL;
  pthread_mutex_lock(&client->mu);
  if (client->streams != NULL) {
    stream = client->streams->stream;
    unlink_stream(client, client->streams);
  }
  pthread_mutex_unlock(&client->mu);
  return stream;
}
