/* SPDX-License-Identifier: MIT
 * One connection, kept up by a thread of its own: connect, subscribe, heartbeat, reconnect. It knows its owner, a stream,
 * by a table of functions only.
 *
 * After a connection that worked is lost, the first attempt follows at once; the later ones after an exponentially
 * growing delay with full jitter, or when the service said. A connection has worked once it has brought a message and
 * lived a second, or has lived five; only then the count of consecutive failures starts again from 0, so that a
 * service which accepts and drops at once is not hammered. 400, 401, 403 and 404 end the stream: asking again would
 * not help. A certificate that is not trusted is told as an error once, and asked for again after the longest delay.
 * Where a stream has several connections, first attempts and those that would follow at once are spread over
 * reconnect_delay, so that they do not all come together.
 *
 * A connection that is up and yet of no use is given up: one that brought no report for stale_timeout; and with overflow
 * "block", one that could not be read for longer than peers have patience, as the script is slow. It is made again when
 * the script has caught up. */
#ifndef CDS_LINK_H
#define CDS_LINK_H

#include "context/config.h"
#include "net/auth.h"
#include "net/origins.h"

struct cds_link;

/* What a link asks its owner and tells it, from its own thread and with none of its locks held. `link` is the plan's
 * index. */
struct cds_link_handler {
  bool (*is_over)(void *context, size_t link); /* the link is to end */
  bool (*is_paused)(void *context);            /* the script is slow: not to be read for now */
  /* Signs a GET of this target, unless the owner is stopping: after close the secret is gone. */
  enum cds_status (*sign)(void *context, struct cds_auth *auth, const char *target, struct cds_error *err);
  /* A handshake was refused by a service whose clock is behind this one by so many seconds, as its Date tells. It was
   * sent at sent_ms of this clock, with a signature ahead of that by ahead_ms. True: the next one will be of another
   * time. */
  bool (*clock)(void *context, double skew, int64_t sent_ms, int64_t ahead_ms);
  /* Before each attempt: the origin to ask for, "" for whichever; and the host that is gone to. */
  void (*origin)(void *context, size_t link, unsigned failures, char out[CDS_MAX_ORIGIN_TEXT]);
  void (*host)(void *context, size_t link, const struct cds_url *url);
  /* A change of state, with the reason (NULL: none), the consecutive failures and the next delay in seconds. */
  void (*state)(void *context, size_t link, enum cds_link_state state, const struct cds_error *why, unsigned failures,
                double delay);
  /* One whole message. True when the link is to stop reading until woken. *is_report: it was understood, new or not. */
  bool (*message)(void *context, size_t link, const char *data, size_t length, bool *is_report);
  void (*lent)(void *context);                    /* it waits for cds_link_lead, which was asked for */
  void (*settled)(void *context, size_t link);    /* those that one read brought have been told, one or more */
  void (*proved)(void *context, size_t link);     /* the connection has been up, and read, for the plan's proof_ms */
  void (*alarm)(void *context, const char *text); /* what goes on until somebody acts */
  /* The link has given up. final: asking again, or elsewhere, would not help. */
  void (*failed)(void *context, size_t link, const struct cds_error *err, bool final);
  void (*gone)(void *context, size_t link); /* the thread ends, whatever the reason */
  void (*release)(void *context);           /* its last call: the owner may free the link */
};

/* What a link is to be; the feeds are copied, the rest is to last until release. */
struct cds_link_plan {
  const struct cds_link_handler *handler;
  void *context;
  const struct cds_config *config;
  const struct cds_stream_config *stream;
  size_t index; /* among the owner's connections */
  const struct cds_feed_id *feeds;
  size_t feed_count;
  size_t host;         /* of the config's ws */
  bool hosts_vary;     /* any of them will do: after a failure the next is tried */
  bool is_one_of_many; /* its attempts are spread */
  int64_t proof_ms;    /* once it has been up and read for so long that is told; 0: no matter */
};

/* Starts the thread. CDS_E_MEMORY when there is none to be had; release is not called then. */
CDS_MUST_CHECK enum cds_status cds_link_start(struct cds_link **out, const struct cds_link_plan *plan,
                                              struct cds_error *err);

/* Any thread: lets the link look at its owner: is it over, may it read on. */
void cds_link_wake(struct cds_link *link);

/* A thread that has nothing else to do may do the link's work for a while, so that what comes need not be handed over
 * from one thread to another. take: false where that cannot be, or not yet: then `lent` tells when it can. After true
 * there are lead, which does what is to be done, waiting for it so many seconds at most (negative: no end), and
 * give_back. The link's own thread goes on a moment later, if nobody leads again. One thread at a time; the link stays
 * until it is given back. */
CDS_MUST_CHECK bool cds_link_take_lead(struct cds_link *link);
void cds_link_lead(struct cds_link *link, double seconds);
void cds_link_give_back(struct cds_link *link);

/* The link is over, and was woken: waits until the thread has ended, or detaches it when that takes beyond the monotonic
 * time until_ms. Once. */
void cds_link_join(struct cds_link *link, int64_t until_ms);

bool cds_link_has_exited(struct cds_link *link);

void cds_link_free(struct cds_link *link); /* after release, or where the start failed */

/* The ping's way there and back, negative when not known. */
double cds_link_latency_ms(struct cds_link *link);

#endif
