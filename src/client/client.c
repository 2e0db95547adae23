/* SPDX-License-Identifier: MIT
 * A client: its options, its REST thread, its list of streams, and how all of it ends. */
#include "client/client.h"

#include <string.h>

#include "base/alloc.h"
#include "client/at_exit.h"
#include "rest/rest_thread.h"

/* With the last reference. */
static void destroy(struct cds_client *client) {
  cds_rest_thread_free(client->rest);
  pthread_mutex_destroy(&client->mu);
  cds_config_clear(&client->config);
  cds_free(client);
}

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
  client->forks = cds_client_forks();
  client->clock.is_followed = client->config.follows_clock;
  client->close = cds_client_close;
  client->destroy = destroy;
  atomic_init(&client->refs, 1);
  atomic_init(&client->closed, false);
  status = cds_rest_thread_new(&client->rest, client, err);
  if (status != CDS_OK) {
    cds_client_unref(client);
    return status;
  }
  if (!cds_at_exit_add(client)) {
    cds_client_free(client);
    return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  }
  *out = client;
  return CDS_OK;
}

void cds_client_close(struct cds_client *client) {
  struct cds_stream *stream;
  if (atomic_exchange(&client->closed, true)) return;
  cds_at_exit_remove(client);
  if (!cds_client_is_foreign(client)) {
    while ((stream = cds_client_take_stream(client)) != NULL) cds_stream_close(stream);
    cds_rest_thread_stop(client->rest);
  }
  cds_free_secret(client->config.api_secret, strlen(client->config.api_secret));
  client->config.api_secret = NULL;
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
