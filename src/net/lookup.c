/* SPDX-License-Identifier: MIT
 * A thread for each lookup, and what it shares with the one who waits. */
#include "net/lookup.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

struct cds_lookup {
  pthread_mutex_t mu;
  /* guarded by mu */
  bool is_answered, is_shared; /* shared: by the thread and the one who waits; the last one frees */
  void (*done)(void *context);
  void *context;
  /* the thread's until is_answered */
  enum cds_status status;
  struct cds_addresses addresses;
  struct cds_error err;
  char host[]; /* fixed */
};

static void destroy(struct cds_lookup *lookup) {
  pthread_mutex_destroy(&lookup->mu);
  cds_free(lookup);
}

/* mu is held, and is free afterwards; so is the lookup, if nobody else has it. */
static void leave(struct cds_lookup *lookup) {
  bool is_last = !lookup->is_shared;
  lookup->is_shared = false;
  pthread_mutex_unlock(&lookup->mu);
  if (is_last) destroy(lookup);
}

static void *run(void *argument) {
  struct cds_lookup *lookup = argument;
  lookup->status = cds_resolve(&lookup->addresses, lookup->host, &lookup->err);
  pthread_mutex_lock(&lookup->mu);
  lookup->is_answered = true;
  if (lookup->done != NULL) lookup->done(lookup->context);
  leave(lookup);
  return NULL;
}

enum cds_status cds_lookup_start(struct cds_lookup **out, const char *host, void (*done)(void *context), void *context,
                                 struct cds_error *err) {
  size_t size = strlen(host) + 1;
  pthread_t thread;
  *out = NULL;
  struct cds_lookup *lookup = cds_calloc(1, sizeof *lookup + size);
  if (lookup == NULL || pthread_mutex_init(&lookup->mu, NULL) != 0) {
    cds_free(lookup);
    return cds_error_set(err, CDS_E_MEMORY, "out of memory");
  }
  memcpy(lookup->host, host, size);
  lookup->done = done;
  lookup->context = context;
  lookup->is_shared = true;
  if (pthread_create(&thread, NULL, run, lookup) != 0) {
    destroy(lookup);
    return cds_error_set(err, CDS_E_MEMORY, "no thread to be had to resolve \"%s\"", host);
  }
  pthread_detach(thread);
  *out = lookup;
  return CDS_OK;
}

bool cds_lookup_is_of(const struct cds_lookup *lookup, const char *host) {
  return lookup != NULL && strcasecmp(lookup->host, host) == 0;
}

bool cds_lookup_take(struct cds_lookup *lookup, enum cds_status *status, struct cds_addresses *out,
                     struct cds_error *err) {
  pthread_mutex_lock(&lookup->mu);
  bool is_answered = lookup->is_answered;
  pthread_mutex_unlock(&lookup->mu);
  if (!is_answered) return false;
  *status = lookup->status;
  *out = lookup->addresses;
  *err = lookup->err;
  return true;
}

void cds_lookup_free(struct cds_lookup *lookup) {
  if (lookup == NULL) return;
  pthread_mutex_lock(&lookup->mu);
  lookup->done = NULL;
  leave(lookup);
}
