/* SPDX-License-Identifier: MIT
 * One connection of a stream, kept up by a thread of its own: connect, subscribe, heartbeat, reconnect.
 *
 * After a connection that worked is lost, the first attempt follows at once; the later ones after an exponentially
 * growing delay with full jitter, or when the service said. A connection has worked once it has brought a message and
 * lived a second, or has lived five; only then the count of consecutive failures starts again from 0, so that a
 * service which accepts and drops at once is not hammered. 400, 401, 403 and 404 end the stream: asking again would
 * not help. Where a stream has several connections, first attempts and those that would follow at once are spread over
 * reconnect_delay, so that they do not all come together.
 *
 * A connection that is up and yet of no use is given up: one that brought no report for stale_timeout; and with overflow
 * "block", one that could not be read for longer than peers have patience, as the script is slow. It is made again when
 * the script has caught up. */
#ifndef CDS_LINK_H
#define CDS_LINK_H

#include "stream/stream_internal.h"

struct cds_link;

/* What a link is to be; copied. */
struct cds_link_plan {
  size_t index; /* of the stream's connections */
  const struct cds_feed_id *feeds;
  size_t feed_count;
  size_t host;         /* of the config's ws */
  bool hosts_vary;     /* any of them will do: after a failure the next is tried */
  bool is_one_of_many; /* its attempts are spread */
  bool is_on_trial;    /* it will take over from another (change.h) */
};

/* Starts the thread, which holds a reference of the stream. CDS_E_MEMORY when there is no thread to be had. */
CDS_MUST_CHECK enum cds_status cds_link_start(struct cds_link **out, struct cds_stream *stream,
                                              const struct cds_link_plan *plan, struct cds_error *err);

/* Any thread: lets the link look at its stream: is it over, may it read on. */
void cds_link_wake(struct cds_link *link);

/* The stream is stopping, and the link was woken: waits until the thread has ended, or detaches it when that takes
 * beyond the monotonic time until_ms (a proxy's name is resolved by libwebsockets, uninterruptibly). Once. */
void cds_link_join(struct cds_link *link, int64_t until_ms);

bool cds_link_has_exited(const struct cds_link *link); /* the stream's mu is held */

void cds_link_free(struct cds_link *link); /* when the stream's last reference has gone */

/* The ping's way there and back, negative when not known. The stream's mu is held. */
double cds_link_latency_ms(const struct cds_link *link);

#endif
