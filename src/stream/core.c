/* SPDX-License-Identifier: MIT
 * References, lock, options, end, descriptor. */
#include "stream/core.h"

#include "crypto/signers.h"
#include "stream/link.h"
#include "stream/parts.h"

bool cds_core_init(struct cds_stream *stream, struct cds_client *client, const struct cds_stream_config *config,
                   void (*destroy)(struct cds_stream *stream)) {
  struct cds_core *core = &stream->core;
  if (pthread_mutex_init(&core->mu, NULL) != 0) return false;
  atomic_init(&core->refs, 1);
  core->destroy = destroy;
  core->config = *config;
  if (config->signers != NULL) cds_signer_registry_ref(config->signers);
  core->client = cds_client_ref(client);
  return true;
}

void cds_core_clear(struct cds_stream *stream) {
  pthread_mutex_destroy(&stream->core.mu);
  cds_signer_registry_unref(stream->core.config.signers);
  cds_client_unref(stream->core.client);
}

void cds_stream_ref(struct cds_stream *stream) {
  atomic_fetch_add(&stream->core.refs, 1);
}

void cds_stream_unref(struct cds_stream *stream) {
  if (atomic_fetch_sub(&stream->core.refs, 1) == 1) stream->core.destroy(stream);
}

void cds_stream_lock(struct cds_stream *stream) {
  pthread_mutex_lock(&stream->core.mu);
}

/* mu is held. */
static void tell_leader(const struct cds_core *core) {
  if (core->notify.is_due && !pthread_equal(core->leader, pthread_self())) cds_link_wake(core->led);
}

void cds_stream_unlock(struct cds_stream *stream) {
  struct cds_core *core = &stream->core;
  int fd = core->led == NULL ? cds_notify_take(&core->notify) : -1;
  if (core->led != NULL) tell_leader(core);
  pthread_mutex_unlock(&stream->core.mu);
  if (fd >= 0) cds_notify_write(&stream->core.notify, fd);
}

void cds_stream_unlock_quietly(struct cds_stream *stream) {
  pthread_mutex_unlock(&stream->core.mu);
}

struct cds_notify *cds_core_notify(struct cds_stream *stream) {
  return &stream->core.notify;
}

struct cds_client *cds_core_client(const struct cds_stream *stream) {
  return stream->core.client;
}

const struct cds_stream_config *cds_core_config(const struct cds_stream *stream) {
  return &stream->core.config;
}

void cds_core_stop(struct cds_stream *stream) {
  stream->core.is_stopping = true;
}

bool cds_core_is_stopping(const struct cds_stream *stream) {
  return stream->core.is_stopping;
}

void cds_core_end(struct cds_stream *stream, const struct cds_error *why) {
  if (stream->core.is_ended) return;
  stream->core.end = *why;
  stream->core.is_ended = true;
}

bool cds_core_is_ended(const struct cds_stream *stream) {
  return stream->core.is_ended;
}

bool cds_core_is_over(const struct cds_stream *stream) {
  return stream->core.is_ended || stream->core.is_stopping;
}

void cds_core_set_led(struct cds_stream *stream, struct cds_link *link) {
  stream->core.led = link;
  stream->core.leader = pthread_self();
}

const struct cds_error *cds_core_reason(const struct cds_stream *stream) {
  return &stream->core.end;
}
