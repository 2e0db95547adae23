/* SPDX-License-Identifier: MIT
 * A name that is to be resolved where there is no thread to be had: pthread_create below takes the library's place. */
#include "tap.h"

#include <errno.h>
#include <pthread.h>

#include "net/lookup.h"

static int asked;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  (void)thread, (void)attributes, (void)run, (void)argument;
  asked++;
  return EAGAIN;
}

static void on_done(void *context) {
  (void)context;
  ok(false, "nobody is told of an answer");
}

int main(void) {
  struct cds_error err = {0};
  struct cds_lookup *lookup;
  is_number(cds_lookup_start(&lookup, "service.test", on_done, NULL, &err), CDS_E_MEMORY, "it fails for want of one");
  is_number(err.status, CDS_E_MEMORY, "and says so");
  is_string(err.message, "no thread to be had to resolve \"service.test\"", "in words");
  ok(lookup == NULL && asked == 1, "there is nothing to free");
  return done();
}
