/* SPDX-License-Identifier: MIT
 * One REST call: asked for by the script or by a stream, worked on by the REST thread. */
#ifndef CDS_CALL_H
#define CDS_CALL_H

#include "context/context.h"
#include "context/notify.h"
#include "rest/api.h"

/* Where a call of the engine's own reports, from the REST thread, with no lock held. */
struct cds_call_hooks {
  void *context;
  /* Once for each call that was submitted, whatever happens. err NULL: it succeeded with *answer, which done may
   * empty. */
  void (*done)(void *context, const struct cds_error *err, struct cds_answer *answer);
  void (*event)(void *context, struct cds_event *event); /* takes event */
};

struct cds_call {
  atomic_uint refs; /* the owner's and the REST thread's */
  atomic_bool cancelled;
  struct cds_client *client; /* a reference */
  /* fixed once started */
  struct cds_question question;
  char *target;
  char *body; /* of a POST; wiped when freed, like the token, which may be NULL */
  size_t body_length;
  char *token;
  const struct cds_url *url; /* the client's */
  int max_retries;
  enum cds_log_level log_level;
  struct cds_call_hooks hooks; /* empty: a script waits on the descriptor */
  /* REST thread only, after it was submitted */
  struct cds_call *next;
  struct cds_exchange exchange;
  unsigned attempts;
  int64_t not_before_ms;   /* monotonic */
  int64_t signed_ahead_ms; /* of this clock, as the last attempt was (cds_service_clock_ahead_ms) */
  struct cds_error last;   /* what the last attempt ended in */
  /* guarded by mu, taken after every other lock */
  pthread_mutex_t mu;
  bool done;
  struct cds_error err;
  struct cds_answer answer;
  struct cds_event_queue events;
  struct cds_notify notify; /* raised while done or events wait */
};

/* A call of the engine's own; nobody waits on a descriptor for it. Nothing happens before cds_rest_thread_submit, after which
 * hooks.done will be called. `url` belongs to the client's config. */
CDS_MUST_CHECK enum cds_status cds_call_prepare(struct cds_call **out, struct cds_client *client,
                                                const struct cds_call_args *args, const struct cds_url *url,
                                                const struct cds_call_hooks *hooks, struct cds_error *err);

/* Adds an encoded query, "" for none, to one that is not submitted yet. CDS_E_CONFIG when it is longer than
 * CDS_MAX_QUERY_BYTES, or not encoded. */
CDS_MUST_CHECK enum cds_status cds_call_add_query(struct cds_call *call, const char *query, struct cds_error *err);

void cds_call_unref(struct cds_call *call);

/* The call is over with this error, or with what *answer holds (taken). Once per call. */
void cds_call_finish(struct cds_call *call, const struct cds_error *err, struct cds_answer *answer);

bool cds_call_wants_log(const struct cds_call *call, enum cds_log_level level);
void cds_call_emit(struct cds_call *call, struct cds_event *event); /* takes event; NULL is ignored */

#endif
