/* SPDX-License-Identifier: MIT
 * Queue, events and descriptor in step. */
#include "stream/outlet.h"

#include <stdarg.h>
#include <stdio.h>

#include "stream/core.h"
#include "stream/parts.h"

void cds_outlet_be_closed(struct cds_stream *stream) {
  atomic_init(&stream->outlet.is_paused, false);
  *cds_core_notify(stream) = (struct cds_notify){.read_fd = -1, .write_fd = -1};
}

enum cds_status cds_outlet_init(struct cds_stream *stream, size_t feed_count, size_t queue_bytes,
                                void (*drained)(struct cds_stream *stream), struct cds_error *err) {
  struct cds_outlet *outlet = &stream->outlet;
  const struct cds_stream_config *config = cds_core_config(stream);
  outlet->drained = drained;
  enum cds_status status = cds_notify_init(cds_core_notify(stream), err);
  if (status != CDS_OK) return status;
  if (cds_queue_init(&outlet->queue, config->overflow, config->queue_size, queue_bytes, feed_count)) return CDS_OK;
  return cds_error_set(err, CDS_E_MEMORY, "out of memory");
}

void cds_outlet_clear(struct cds_stream *stream) {
  cds_event_clear(&stream->outlet.events);
  cds_queue_clear(&stream->outlet.queue);
  cds_notify_close(cds_core_notify(stream));
}

void cds_outlet_close_fd(struct cds_stream *stream) {
  cds_notify_close(cds_core_notify(stream));
}

/* ---- in ---- */

bool cds_outlet_grow(struct cds_stream *stream, size_t feed_count) {
  return cds_queue_grow(&stream->outlet.queue, feed_count);
}

struct cds_queue_node *cds_outlet_push(struct cds_stream *stream, struct cds_queue_node *node) {
  return cds_queue_push(&stream->outlet.queue, node);
}

/* mu is held. */
static bool has_something(const struct cds_stream *stream) {
  const struct cds_outlet *outlet = &stream->outlet;
  return outlet->queue.length > 0 || outlet->events.count > 0 || cds_core_is_ended(stream);
}

bool cds_outlet_may_be_led(const struct cds_stream *stream) {
  return !stream->outlet.is_shared && !has_something(stream);
}

/* mu is held. */
static void announce(struct cds_stream *stream) {
  if (has_something(stream)) cds_notify_promise(cds_core_notify(stream));
  else cds_notify_clear(cds_core_notify(stream));
}

struct cds_queue_node *cds_outlet_sift(struct cds_stream *stream, bool (*is_wanted)(const void *context, size_t slot)) {
  struct cds_queue_node *nodes = cds_queue_sift(&stream->outlet.queue, is_wanted, stream);
  announce(stream);
  return nodes;
}

void cds_outlet_settle(struct cds_stream *stream) {
  if (cds_queue_is_full(&stream->outlet.queue)) atomic_store(&stream->outlet.is_paused, true);
  announce(stream);
}

void cds_outlet_put(struct cds_stream *stream, struct cds_event *event) {
  cds_event_push(&stream->outlet.events, event);
  announce(stream);
}

void cds_outlet_stats(struct cds_stream_stats *out, const struct cds_stream *stream) {
  out->dropped = stream->outlet.queue.dropped;
  out->queue_length = stream->outlet.queue.length;
}

size_t cds_outlet_pages(const struct cds_stream *stream, size_t page, size_t most) {
  size_t pages = cds_queue_room(&stream->outlet.queue) / page;
  if (stream->outlet.queue.policy != CDS_OVERFLOW_BLOCK || pages > most) return most;
  return pages > 0 ? pages : 1;
}

bool cds_outlet_is_paused(const struct cds_stream *stream) {
  return atomic_load(&stream->outlet.is_paused);
}

void cds_stream_emit(struct cds_stream *stream, struct cds_event *event) {
  if (event == NULL) return;
  cds_stream_lock(stream);
  cds_outlet_put(stream, event);
  cds_stream_unlock(stream);
}

void cds_stream_log(struct cds_stream *stream, enum cds_log_level level, const char *format, ...) {
  char line[384];
  va_list arguments;
  if (level < cds_core_config(stream)->log_level) return;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  cds_stream_emit(stream, cds_event_log(level, "%s", line));
}

void cds_outlet_end(struct cds_stream *stream, const struct cds_error *why) {
  cds_stream_lock(stream);
  cds_core_end(stream, why);
  announce(stream);
  cds_stream_unlock(stream);
}

/* The memory goes back now rather than when the object is collected, and so does the descriptor, of which there are
 * far fewer, unless somebody else may wait for it. */
void cds_outlet_discard(struct cds_stream *stream) {
  struct cds_error why;
  struct cds_queue_node *node;
  cds_error_set(&why, CDS_E_CLOSED, "the stream is closed");
  do {
    cds_stream_lock(stream);
    node = cds_queue_pop(&stream->outlet.queue);
    cds_stream_unlock(stream);
    cds_queue_node_free(node);
  } while (node != NULL);
  cds_outlet_end(stream, &why);
  cds_stream_lock(stream);
  if (!stream->outlet.is_shared) {
    cds_notify_wait_written(cds_core_notify(stream));
    cds_notify_close(cds_core_notify(stream));
  }
  cds_stream_unlock(stream);
}

/* ---- out ---- */

/* mu is held. True when the sources were paused and may go on. */
static bool go_on(struct cds_stream *stream) {
  if (!cds_outlet_is_paused(stream) || !cds_queue_is_drained(&stream->outlet.queue)) return false;
  atomic_store(&stream->outlet.is_paused, false);
  return true;
}

void cds_outlet_resume(struct cds_stream *stream) {
  cds_stream_lock(stream);
  bool resume = go_on(stream);
  cds_stream_unlock(stream);
  if (resume) stream->outlet.drained(stream);
}

int cds_outlet_fd(struct cds_stream *stream) {
  return cds_core_notify(stream)->read_fd;
}

enum cds_status cds_outlet_share_fd(int *fd, struct cds_stream *stream, struct cds_error *err) {
  enum cds_status status = CDS_OK;
  cds_stream_lock(stream);
  if (cds_outlet_fd(stream) < 0) status = cds_notify_init(cds_core_notify(stream), err);
  stream->outlet.is_shared = true;
  *fd = cds_outlet_fd(stream);
  announce(stream);
  cds_stream_unlock(stream);
  return status;
}

enum cds_pop cds_outlet_pop(struct cds_report **report, struct cds_stream *stream, struct cds_error *err) {
  cds_stream_lock(stream);
  struct cds_queue_node *node = cds_queue_pop(&stream->outlet.queue);
  bool ended = cds_core_is_ended(stream), resume = go_on(stream);
  if (node == NULL && ended && err != NULL) *err = *cds_core_reason(stream);
  announce(stream);
  cds_stream_unlock(stream);
  if (resume) stream->outlet.drained(stream);
  if (node == NULL) return ended ? CDS_POP_END : CDS_POP_EMPTY;
  *report = node->report; /* the reference that the node had */
  node->report = NULL;
  cds_queue_node_free(node);
  return CDS_POP_REPORT;
}

struct cds_event *cds_outlet_take_event(struct cds_stream *stream) {
  cds_stream_lock(stream);
  struct cds_event *event = cds_event_pop(&stream->outlet.events);
  announce(stream);
  cds_stream_unlock(stream);
  return event;
}
