/* SPDX-License-Identifier: MIT
 * One REST call: asked for by the script, worked on by the REST thread. Private to call.c and rest_thread.c. */
#ifndef CDS_CALL_H
#define CDS_CALL_H

#include "client/api.h"
#include "client/client_internal.h"
#include "client/notify.h"

struct cds_call {
  atomic_uint refs; /* the script's and the REST thread's */
  atomic_bool cancelled;
  struct cds_client *client; /* a reference */
  /* fixed once started */
  struct cds_question question;
  char *target;
  /* REST thread only, after it was submitted */
  struct cds_call *next;
  struct cds_exchange exchange;
  bool is_sent;
  unsigned attempts;
  int64_t not_before_ms; /* monotonic */
  struct cds_error last; /* what the last attempt ended in */
  /* guarded by mu, taken after every other lock */
  pthread_mutex_t mu;
  bool done;
  struct cds_error err;
  struct cds_answer answer;
  struct cds_event_queue events;
  struct cds_notify notify; /* raised while done or events wait */
};

void cds_call_unref(struct cds_call *call);

/* The call is over with this error, or with what *answer holds (taken). Once per call. */
void cds_call_finish(struct cds_call *call, const struct cds_error *err, struct cds_answer *answer);

bool cds_call_wants_log(const struct cds_call *call, enum cds_log_level level);
void cds_call_emit(struct cds_call *call, struct cds_event *event); /* takes event; NULL is ignored */

#endif
