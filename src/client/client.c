/* SPDX-License-Identifier: MIT
 * A client: its options, its REST thread, its list of streams, and how all of it ends. */
#include "client/client.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "client/at_exit.h"
#include "client/client_internal.h"
#include "rest/rest_thread.h"

enum cds_status cds_client_new(struct cds_client **out, struct cds_config *config, struct cds_error *err) {
  struct cds_client *client = NULL;
  *out = NULL;
  enum cds_status status = cds_config_check(config, err);
  if (status == CDS_OK) {
    client = cds_calloc(1, sizeof *client);
    if (client == NULL || pthread_mutex_init(&client->mu, NULL) != 0)
      status = cds_error_set(err, CDS_E_MEMORY, "out of memory");
  }
  if (status != CDS_OK) {
    cds_free(client);
    cds_config_clear(config);
    return status;
  }
  client->config = *config; /* the texts move */
  *config = (struct cds_config){0};
  client->pid = getpid();
  atomic_init(&client->refs, 1);
  atomic_init(&client->closed, false);
  status = cds_rest_thread_new(&client->rest, client, err);
  if (status != CDS_OK) {
    cds_client_unref(client);
    return status;
  }
  cds_at_exit_add(client);
  *out = client;
  return CDS_OK;
}

struct cds_client *cds_client_ref(struct cds_client *client) {
  atomic_fetch_add(&client->refs, 1);
  return client;
}

void cds_client_unref(struct cds_client *client) {
  if (client == NULL || atomic_fetch_sub(&client->refs, 1) != 1 || cds_client_is_foreign(client)) return;
  cds_rest_thread_free(client->rest);
  pthread_mutex_destroy(&client->mu);
  cds_config_clear(&client->config);
  cds_free(client);
}

bool cds_client_is_foreign(const struct cds_client *client) {
  return client->pid != getpid();
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

static struct cds_stream *take_stream(struct cds_client *client) {
  struct cds_stream *stream = NULL;
  pthread_mutex_lock(&client->mu);
  if (client->streams != NULL) {
    stream = client->streams->stream;
    unlink_stream(client, client->streams);
  }
  pthread_mutex_unlock(&client->mu);
  return stream;
}

void cds_client_close(struct cds_client *client) {
  struct cds_stream *stream;
  if (atomic_exchange(&client->closed, true)) return;
  cds_at_exit_remove(client);
  if (!cds_client_is_foreign(client)) {
    while ((stream = take_stream(client)) != NULL) cds_stream_close(stream);
    cds_rest_thread_stop(client->rest);
  }
  cds_free_secret(client->config.api_secret, strlen(client->config.api_secret));
  client->config.api_secret = NULL;
}

bool cds_client_is_closed(const struct cds_client *client) {
  return atomic_load(&client->closed);
}

void cds_client_free(struct cds_client *client) {
  if (client == NULL) return;
  cds_client_close(client);
  cds_client_unref(client);
}

void cds_client_stats(struct cds_client_stats *out, struct cds_client *client) {
  *out = (struct cds_client_stats){.circuit = "closed"};
  if (!cds_client_is_foreign(client)) cds_rest_thread_stats(out, client->rest);
}
