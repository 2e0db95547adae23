/* SPDX-License-Identifier: MIT
 * The client as its calls and streams know it: options, credentials, references, and the process it belongs to. */
#ifndef CDS_CONTEXT_H
#define CDS_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>

#include "context/config.h"
#include "net/service_clock.h"

struct cds_rest_thread;
struct cds_stream;

struct cds_client_stats {
  uint64_t requests; /* attempts sent, retries included */
  uint64_t retries;
  uint64_t failures;    /* calls that ended in an error */
  uint64_t connections; /* TCP connections opened; requests - connections were reused */
  const char *circuit;  /* "closed", "open", "half_open" */
};

/* A stream's place in its client's list; a member of struct cds_stream, zeroed at first. */
struct cds_stream_hook {
  struct cds_stream_hook *previous, *next;
  struct cds_stream *stream; /* NULL while not in a list */
};

struct cds_client {
  struct cds_config config; /* read-only; its secret is wiped by close, when no thread is left */
  unsigned forks;           /* cds_client_forks when it was made */
  atomic_uint refs;
  atomic_bool closed;
  struct cds_service_clock clock; /* the requests' and handshakes' */
  struct cds_rest_thread *rest;
  void (*close)(struct cds_client *client);     /* set by who makes it, like: */
  void (*destroy)(struct cds_client *client);   /* with the last reference */
  pthread_mutex_t mu;                           /* taken before every other lock, and held for list work only */
  struct cds_stream_hook *streams;              /* guarded by mu */
  struct cds_client *previous_open, *next_open; /* at_exit.c's */
};

/* Each call and stream holds a reference. The last one frees the memory; in a forked child it is leaked on purpose,
 * as threads that do not exist there may have left it half changed. */
struct cds_client *cds_client_ref(struct cds_client *client);
void cds_client_unref(struct cds_client *client); /* NULL is ignored */

bool cds_client_is_closed(const struct cds_client *client);

/* True in a child of the process that made the client. Nothing with a lock or a thread may be touched then. Asked for
 * each report: forks are counted, as asking for the process id is a system call. */
bool cds_client_is_foreign(const struct cds_client *client);
unsigned cds_client_forks(void);   /* how many lie between the first client's process and this one */
void cds_client_begin_child(void); /* counts one: pthread_atfork's handler in the child */

/* CDS_E_CLOSED, with the reason, when the client was closed or belongs to the process before a fork. */
CDS_MUST_CHECK enum cds_status cds_client_check(const struct cds_client *client, struct cds_error *err);

/* The client closes the streams in its list when it is closed (it takes each off first, then calls cds_stream_close
 * without a lock held). CDS_E_CLOSED when it is closed already; nothing is added then. remove does nothing for a
 * hook that is in no list. */
CDS_MUST_CHECK enum cds_status cds_client_add_stream(struct cds_client *client, struct cds_stream_hook *hook,
                                                     struct cds_stream *stream, struct cds_error *err);
void cds_client_remove_stream(struct cds_client *client, struct cds_stream_hook *hook);
struct cds_stream *cds_client_take_stream(struct cds_client *client); /* off the list; NULL: it is empty */

#endif
