/* SPDX-License-Identifier: MIT
 * A stream's origins: asked for when it opens with ha = true, and again when one of them stays away.
 *
 * Where ws_url lists several hosts, these are the origins, and nothing is asked. When the service names one origin only,
 * or cannot be asked, the stream goes on with one connection per shard, and says so in a warning; what could not be asked
 * is asked again every minute. */
#ifndef CDS_DISCOVERY_H
#define CDS_DISCOVERY_H

#include "net/origins.h"
#include "rest/call.h"
#include "rest/timers.h"

struct cds_stream;

struct cds_discovery { /* discovery.c's own; guarded by the stream's mu */
  void (*answered)(struct cds_stream *stream);
  bool is_asking;
  int64_t asked_at_ms;        /* monotonic */
  struct cds_call *call;      /* one reference, while asking */
  struct cds_timer again;     /* the REST thread's: after a question without an answer */
  struct cds_origins origins; /* as last told; "" is whichever the service gives */
  size_t limit;               /* so many origins fit the account's connections */
};

/* Before another thread knows the stream. answered: there are origins now, or others, and connections may be missing;
 * on the REST thread, no lock held. */
void cds_discovery_init(struct cds_stream *stream, void (*answered)(struct cds_stream *stream));

bool cds_discovery_is_wanted(const struct cds_stream *stream); /* the service is to be asked; any lock or none */

/* mu is held in these three. */
void cds_discovery_limit(struct cds_stream *stream, size_t limit); /* more origins are left alone */
void cds_discovery_skip(struct cds_stream *stream,
                        size_t origins); /* so many, without names: the hosts are told apart */
const struct cds_origins *cds_discovery_origins(const struct cds_stream *stream); /* none: not known yet */

/* Asks, unless that is under way or was done less than a minute ago. No lock is held. */
CDS_MUST_CHECK enum cds_status cds_discovery_ask(struct cds_stream *stream, struct cds_error *err);

/* The stream is stopping: an answer has no effect any more. */
void cds_discovery_cancel(struct cds_stream *stream);

#endif
