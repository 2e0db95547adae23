/* SPDX-License-Identifier: MIT
 * What all parts of a stream share: its references, its lock, its options, and whether it is over. */
#ifndef CDS_CORE_H
#define CDS_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "context/context.h"
#include "context/notify.h"

struct cds_link;
struct cds_stream;

struct cds_core { /* core.c's own */
  atomic_uint refs;
  struct cds_client *client; /* one reference */
  struct cds_stream_config config;
  void (*destroy)(struct cds_stream *stream);
  pthread_mutex_t mu;
  bool is_stopping, is_ended; /* guarded by mu */
  struct cds_error end;       /* why, once ended; guarded by mu */
  struct cds_notify notify;   /* guarded by mu */
  struct cds_link *led;       /* NULL: none; guarded by mu, as is the next */
  pthread_t leader;
};

/* destroy is called with the last reference; the caller has the first. False, and nothing is held, without a lock. */
CDS_MUST_CHECK bool cds_core_init(struct cds_stream *stream, struct cds_client *client,
                                  const struct cds_stream_config *config, void (*destroy)(struct cds_stream *stream));
void cds_core_clear(struct cds_stream *stream);

void cds_stream_ref(struct cds_stream *stream);
void cds_stream_unref(struct cds_stream *stream);

/* "mu is held" in the stream's files means: between these. What was promised on the descriptor meanwhile is written after
 * the lock is given back: the script, which wakes by it, takes that lock first of all. */
void cds_stream_lock(struct cds_stream *stream);
void cds_stream_unlock(struct cds_stream *stream);

/* Leaves what was promised to the next cds_stream_unlock, which is to follow soon, of whatever thread. */
void cds_stream_unlock_quietly(struct cds_stream *stream);

/* Read-only, so without a lock. */
struct cds_client *cds_core_client(const struct cds_stream *stream);
const struct cds_stream_config *cds_core_config(const struct cds_stream *stream);

/* mu is held in all of these. */
struct cds_notify *cds_core_notify(struct cds_stream *stream); /* the outlet's */
void cds_core_stop(struct cds_stream *stream);                 /* the script closes it */
bool cds_core_is_stopping(const struct cds_stream *stream);
void cds_core_end(struct cds_stream *stream, const struct cds_error *why); /* the first reason stays */
bool cds_core_is_ended(const struct cds_stream *stream);
bool cds_core_is_over(const struct cds_stream *stream); /* either */
/* This thread, the script's, leads that connection and waits for no descriptor: no promise is written meanwhile, and
 * another thread that makes one wakes it. NULL: not any more. */
void cds_core_set_led(struct cds_stream *stream, struct cds_link *link);
const struct cds_error *cds_core_reason(const struct cds_stream *stream); /* of what has ended */

#endif
