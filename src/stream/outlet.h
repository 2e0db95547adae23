/* SPDX-License-Identifier: MIT
 * What waits for the script: reports and events, and the descriptor that tells of them; and whether the script is behind. */
#ifndef CDS_OUTLET_H
#define CDS_OUTLET_H

#include <stdatomic.h>

#include "context/event.h"
#include "order/queue.h"
#include "stream/stream.h"

struct cds_outlet { /* outlet.c's own; guarded by mu */
  struct cds_queue queue;
  bool is_shared; /* somebody may be waiting for its descriptor */
  struct cds_event_queue events;
  atomic_bool is_paused; /* written under mu, read anywhere */
  void (*drained)(struct cds_stream *stream);
};

/* Before another thread knows the stream: be_closed makes what may be cleared, init what works. drained: there is room
 * again, after the sources had to pause; on the script's thread, no lock held. */
void cds_outlet_be_closed(struct cds_stream *stream);
CDS_MUST_CHECK enum cds_status cds_outlet_init(struct cds_stream *stream, size_t feed_count, size_t queue_bytes,
                                               void (*drained)(struct cds_stream *stream), struct cds_error *err);
void cds_outlet_clear(struct cds_stream *stream);
void cds_outlet_close_fd(struct cds_stream *stream); /* only that */

/* ---- mu is held ---- */

CDS_MUST_CHECK bool cds_outlet_grow(struct cds_stream *stream, size_t feed_count); /* false: no memory */

/* Takes the node. Returns those that had to go, linked by next, for the caller to free without the lock. */
struct cds_queue_node *cds_outlet_push(struct cds_stream *stream, struct cds_queue_node *node);

/* The same of those whose feed is not wanted. */
struct cds_queue_node *cds_outlet_sift(struct cds_stream *stream, bool (*is_wanted)(const void *context, size_t slot));

/* After pushes: brings the descriptor in step with what waits, and pauses the sources when the queue is full. */
void cds_outlet_settle(struct cds_stream *stream);

void cds_outlet_put(struct cds_stream *stream, struct cds_event *event); /* takes event */
void cds_outlet_stats(struct cds_stream_stats *out, const struct cds_stream *stream);

/* Nothing waits, and nobody but the script may be waiting for the descriptor. */
bool cds_outlet_may_be_led(const struct cds_stream *stream);

/* So many pages of reports fit before any would have to be let go; one at least, `most` at most. */
size_t cds_outlet_pages(const struct cds_stream *stream, size_t page, size_t most);

/* ---- any thread, no lock held ---- */

bool cds_outlet_is_paused(const struct cds_stream *stream); /* the sources are to stop: no lock matters */

/* An event for the script (NULL is ignored), or a log line. */
void cds_stream_emit(struct cds_stream *stream, struct cds_event *event);
void cds_stream_log(struct cds_stream *stream, enum cds_log_level level, const char *format, ...) CDS_PRINTF(3, 4);

void cds_outlet_end(struct cds_stream *stream, const struct cds_error *why); /* over, and the script is told */
void cds_outlet_discard(struct cds_stream *stream); /* what waits is given up, and the stream is closed */
void cds_outlet_resume(struct cds_stream *stream);  /* reports were taken out: drained is called when there is room */

/* ---- the script's ---- */

int cds_outlet_fd(struct cds_stream *stream);
CDS_MUST_CHECK enum cds_status cds_outlet_share_fd(int *fd, struct cds_stream *stream, struct cds_error *err);
enum cds_pop cds_outlet_pop(struct cds_report **report, struct cds_stream *stream, struct cds_error *err);
struct cds_event *cds_outlet_take_event(struct cds_stream *stream);

#endif
