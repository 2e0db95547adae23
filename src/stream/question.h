/* SPDX-License-Identifier: MIT
 * One question of the backfill's to REST, and what its failure means. */
#ifndef CDS_QUESTION_H
#define CDS_QUESTION_H

#include "rest/call.h"

struct cds_stream;

struct cds_question_place { /* guarded by the stream's lock; stream does not change while busy */
  bool is_busy, is_cancelled;
  struct cds_stream *stream;
  struct cds_call *call;    /* one reference */
  int64_t *silent_until_ms; /* shared by all: no line about failures in the log before */
};

/* Asks; the place is busy. After success the hooks' done will be called, with a reference of the stream that is done's
 * to release; after a failure the place has no call. No lock is held. */
CDS_MUST_CHECK enum cds_status cds_question_ask(struct cds_question_place *place, const struct cds_call_args *args,
                                                const struct cds_call_hooks *hooks, struct cds_error *err);

/* The lock is held. The call to release, or NULL. */
struct cds_call *cds_question_take_call(struct cds_question_place *place);

/* The lock is held. A reference to the call under way, to cancel it, or NULL. */
struct cds_call *cds_question_call(struct cds_question_place *place);
void cds_question_cancel(struct cds_call *call); /* takes the reference; NULL is ignored; no lock is held */

bool cds_question_is_worth_repeating(const struct cds_error *err); /* the same one may succeed another time */
int64_t cds_question_retry_after_ms(const struct cds_error *err);  /* or 0 */

/* A line in the log, once in a while. The range is not lost: it will be asked for again, or be told. */
void cds_question_tell_failure(struct cds_question_place *place, const struct cds_error *err);

#endif
