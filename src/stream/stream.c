/* SPDX-License-Identifier: MIT
 * A stream's life: open, take, close, free. */
#include <openssl/rand.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "crypto/signers.h"
#include "stream/fleet.h"
#include "stream/stream_internal.h"

/* ---- open ---- */

static uint64_t random_seed(void) {
  uint64_t seed;
  if (RAND_bytes((unsigned char *)&seed, sizeof seed) != 1) seed = (uint64_t)cds_clock_mono_ns();
  return seed;
}

/* Held reports are bounded by the queue's size too, but not so far that a reconnect of many feeds finds no room. */
static struct cds_sequence_limits limits_of(const struct cds_stream_config *config) {
  struct cds_sequence_limits limits = cds_sequence_default_limits();
  size_t by_queue = config->queue_size * 4 > 1024 ? config->queue_size * 4 : 1024;
  if (by_queue < limits.max_held) limits.max_held = by_queue;
  limits.max_held_bytes = config->queue_bytes / 4;
  limits.backfill = config->backfill;
  return limits;
}

/* Makes everything but the locks; what has been made is undone by destroy. */
static enum cds_status fill(struct cds_stream *stream, const struct cds_feed_id *feeds, size_t feed_count,
                            struct cds_error *err) {
  const struct cds_stream_config *config = &stream->config;
  enum cds_status status = cds_notify_init(&stream->notify, err);
  if (status != CDS_OK) return status;
  stream->seed = random_seed();
  stream->wall_ahead_ms = cds_clock_wall_ms() - cds_clock_mono_ms();
  struct cds_sequence_limits limits = limits_of(config);
  bool made = cds_feed_set_init(&stream->feeds, feeds, feed_count) == CDS_OK &&
              cds_sequence_init(&stream->sequence, stream->feeds.count, stream->seed, &limits) &&
              cds_queue_init(&stream->queue, config->overflow, config->queue_size,
                             config->queue_bytes - limits.max_held_bytes, stream->feeds.count);
  if (made) stream->places = cds_calloc(stream->feeds.count + 1, sizeof *stream->places);
  if (stream->places == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  return CDS_OK;
}

static void destroy(struct cds_stream *stream) {
  cds_fleet_free(stream);
  for (size_t i = 0; stream->places != NULL && i < stream->feeds.count; i++) cds_report_unref(stream->places[i].latest);
  cds_free(stream->places);
  cds_event_clear(&stream->events);
  cds_queue_clear(&stream->queue);
  cds_sequence_clear(&stream->sequence);
  cds_feed_set_clear(&stream->feeds);
  cds_notify_close(&stream->notify);
  pthread_mutex_destroy(&stream->mu);
  pthread_mutex_destroy(&stream->start_mu);
  cds_signer_registry_unref(stream->config.signers);
  cds_client_unref(stream->client);
  cds_free(stream);
}

static void release(void *context) {
  cds_stream_unref(context);
}

static const struct cds_link_handler link_handler = {.is_over = cds_stream_link_is_over,
                                                     .is_paused = cds_stream_is_paused,
                                                     .sign = cds_stream_link_sign,
                                                     .origin = cds_stream_link_origin,
                                                     .host = cds_stream_link_host,
                                                     .state = cds_stream_link_state,
                                                     .message = cds_stream_receive,
                                                     .proved = cds_change_look,
                                                     .alarm = cds_stream_link_alarm,
                                                     .failed = cds_stream_link_failed,
                                                     .gone = cds_stream_link_gone,
                                                     .release = release};

static struct cds_stream *allocate(struct cds_client *client, const struct cds_stream_config *config) {
  struct cds_stream *stream = cds_calloc(1, sizeof *stream);
  if (stream == NULL) return NULL;
  bool has_mutex = pthread_mutex_init(&stream->mu, NULL) == 0;
  bool has_start = has_mutex && pthread_mutex_init(&stream->start_mu, NULL) == 0;
  if (!has_start) {
    if (has_mutex) pthread_mutex_destroy(&stream->mu);
    cds_free(stream);
    return NULL;
  }
  atomic_init(&stream->refs, 1);
  atomic_init(&stream->closed, false);
  atomic_init(&stream->paused, false);
  stream->notify = (struct cds_notify){.read_fd = -1, .write_fd = -1};
  stream->config = *config;
  if (config->signers != NULL) cds_signer_registry_ref(config->signers);
  stream->client = cds_client_ref(client);
  stream->link_handler = &link_handler;
  cds_backfill_init(stream);
  return stream;
}

/* No other thread knows the stream yet. */
static void begin_at_start(struct cds_stream *stream) {
  int64_t now_ms = cds_clock_mono_ms();
  for (size_t slot = 0; stream->config.has_start && slot < stream->feeds.count; slot++)
    cds_sequence_start(&stream->sequence, slot, stream->config.start, now_ms);
}

enum cds_status cds_stream_open(struct cds_stream **out, struct cds_client *client, const struct cds_feed_id *feeds,
                                size_t feed_count, const struct cds_stream_config *config, struct cds_error *err) {
  *out = NULL;
  enum cds_status status = cds_client_check(client, err);
  if (status != CDS_OK) return status;
  if (feed_count == 0 || feed_count > CDS_MAX_FEEDS)
    return cds_error_set(err, CDS_E_CONFIG, "a stream needs 1 to %d feed ids, got %zu", CDS_MAX_FEEDS, feed_count);
  if (config->has_start && !config->backfill)
    return cds_error_set(err, CDS_E_CONFIG, "start: a stream that begins in the past needs backfill");
  struct cds_stream *stream = allocate(client, config);
  if (stream == NULL) return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  status = fill(stream, feeds, feed_count, err);
  if (status == CDS_OK) status = cds_client_add_stream(client, &stream->hook, stream, err);
  if (status == CDS_OK) begin_at_start(stream);
  if (status == CDS_OK) status = cds_fleet_open(stream, err);
  if (status != CDS_OK) {
    cds_stream_free(stream);
    return status;
  }
  cds_backfill_kick(stream);
  *out = stream;
  return CDS_OK;
}

void cds_stream_ref(struct cds_stream *stream) {
  atomic_fetch_add(&stream->refs, 1);
}

void cds_stream_unref(struct cds_stream *stream) {
  if (atomic_fetch_sub(&stream->refs, 1) == 1) destroy(stream);
}

/* ---- what the script takes ---- */

int cds_stream_fd(const struct cds_stream *stream) {
  return stream->notify.read_fd;
}

void cds_stream_settle(struct cds_stream *stream) {
  if (stream->queue.length > 0 || stream->events.count > 0 || stream->ended) cds_notify_raise(&stream->notify);
  else cds_notify_clear(&stream->notify);
}

enum cds_pop cds_stream_pop(struct cds_report **report, struct cds_stream *stream, struct cds_error *err) {
  *report = NULL;
  if (cds_client_is_foreign(stream->client)) {
    (void)!cds_client_check(stream->client, err);
    return CDS_POP_END;
  }
  pthread_mutex_lock(&stream->mu);
  struct cds_queue_node *node = cds_queue_pop(&stream->queue);
  bool ended = stream->ended, resume = atomic_load(&stream->paused) && cds_queue_is_drained(&stream->queue);
  if (resume) atomic_store(&stream->paused, false);
  if (node == NULL && ended && err != NULL) *err = stream->end;
  cds_stream_settle(stream);
  pthread_mutex_unlock(&stream->mu);
  if (resume) {
    cds_fleet_wake(stream);
    cds_backfill_kick(stream);
  }
  if (node == NULL) return ended ? CDS_POP_END : CDS_POP_EMPTY;
  *report = cds_report_ref(node->report);
  cds_queue_node_free(node);
  return CDS_POP_REPORT;
}

void cds_stream_resume(struct cds_stream *stream) {
  pthread_mutex_lock(&stream->mu);
  bool resume = atomic_load(&stream->paused) && cds_queue_is_drained(&stream->queue);
  if (resume) atomic_store(&stream->paused, false);
  pthread_mutex_unlock(&stream->mu);
  if (!resume) return;
  cds_fleet_wake(stream);
  cds_backfill_kick(stream);
}

struct cds_event *cds_stream_take_event(struct cds_stream *stream) {
  if (cds_client_is_foreign(stream->client)) return NULL;
  pthread_mutex_lock(&stream->mu);
  struct cds_event *event = cds_event_pop(&stream->events);
  cds_stream_settle(stream);
  pthread_mutex_unlock(&stream->mu);
  return event;
}

size_t cds_stream_find(const struct cds_stream *stream, const struct cds_feed_id *feed) {
  size_t slot = cds_feed_set_find(&stream->feeds, feed);
  return slot != CDS_NO_SLOT && stream->places[slot].is_wanted ? slot : CDS_NO_SLOT;
}

struct cds_report *cds_stream_latest(struct cds_stream *stream, const struct cds_feed_id *feed) {
  struct cds_report *report = NULL;
  if (cds_client_is_foreign(stream->client)) return NULL;
  pthread_mutex_lock(&stream->mu);
  size_t slot = cds_stream_find(stream, feed);
  if (slot != CDS_NO_SLOT && stream->places[slot].latest != NULL) report = cds_report_ref(stream->places[slot].latest);
  pthread_mutex_unlock(&stream->mu);
  return report;
}

/* ---- the end ---- */

/* mu is held. The first reason stays. */
static void end_stream(struct cds_stream *stream, const struct cds_error *why) {
  if (!stream->ended) {
    stream->end = *why;
    stream->ended = true;
  }
  cds_stream_settle(stream);
}

void cds_stream_fail(struct cds_stream *stream, const struct cds_error *why) {
  pthread_mutex_lock(&stream->mu);
  end_stream(stream, why);
  pthread_mutex_unlock(&stream->mu);
  cds_fleet_wake(stream);
}

/* The connections' ends are no events any more, but statistics tell them. */
static void count_closed(struct cds_stream *stream) {
  pthread_mutex_lock(&stream->mu);
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) stream->connections[i].stats.state = CDS_LINK_DISCONNECTED;
  pthread_mutex_unlock(&stream->mu);
}

/* Reports not taken yet are given up; the memory goes back now rather than when the object is collected. */
static void discard(struct cds_stream *stream) {
  struct cds_error why;
  struct cds_queue_node *node;
  cds_error_set(&why, CDS_E_CLOSED, "the stream is closed");
  do {
    pthread_mutex_lock(&stream->mu);
    node = cds_queue_pop(&stream->queue);
    if (node == NULL) end_stream(stream, &why);
    pthread_mutex_unlock(&stream->mu);
    cds_queue_node_free(node);
  } while (node != NULL);
}

void cds_stream_close(struct cds_stream *stream) {
  if (atomic_exchange(&stream->closed, true) || cds_client_is_foreign(stream->client)) return;
  cds_client_remove_stream(stream->client, &stream->hook);
  pthread_mutex_lock(&stream->mu);
  stream->stopping = true;
  pthread_mutex_unlock(&stream->mu);
  cds_discovery_cancel(stream);
  cds_backfill_cancel(stream);
  cds_fleet_stop(stream);
  count_closed(stream);
  discard(stream);
}

bool cds_stream_is_closed(const struct cds_stream *stream) {
  return atomic_load(&stream->closed);
}

/* In a forked child the memory is left alone, as threads that do not exist there may have left it half changed. */
void cds_stream_free(struct cds_stream *stream) {
  if (stream == NULL) return;
  cds_stream_close(stream);
  if (cds_client_is_foreign(stream->client)) cds_notify_close(&stream->notify);
  else cds_stream_unref(stream);
}
