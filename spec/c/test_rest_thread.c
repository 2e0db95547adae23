/* SPDX-License-Identifier: MIT
 * A REST thread that cannot be started, and then can: pthread_create below takes the library's place. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include "rest/rest_thread.h"

#include <dlfcn.h>
#include <errno.h>

#include "blocks.h"
#include "rest_fixture.h"

typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static bool no_thread;
static int asked;

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                                          void *(*run)(void *), void *argument) {
  create_function *real;
  asked++;
  if (no_thread) return EAGAIN;
  *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  return real(thread, attributes, run, argument);
}

int main(void) {
  const struct cds_call_args args = {.operation = CDS_GET_FEEDS};
  char *feeds = with_body(HEAD("200 OK", ""), "{\"feeds\":[]}");
  const struct http_step step = answer(feeds);
  struct fixture fixture;
  struct cds_call *call;
  struct cds_error err;
  struct cds_timer timer = {0};
  bool added;
  begin(&fixture, &step, 1);
  start_client(&fixture);
  no_thread = true;
  long before = blocks_alive();
  for (int i = 0; i < 2; i++) {
    cds_error_clear(&err);
    asked = 0;
    is_number(cds_call_start(&call, fixture.client, &args, &err), CDS_E_MEMORY, "without a thread there is no call");
    ok(call == NULL && err.status == CDS_E_MEMORY, "which is told");
    ok(strncmp(err.message, "the REST thread could not be started: ", 38) == 0 &&
         strcmp(err.message + 38, strerror(EAGAIN)) == 0,
       "with the system's reason: %s", err.message);
    is_number(asked, 1, "it is tried each time");
    is_number(blocks_alive(), before, "and nothing is left of it");
  }
  is_number(cds_rest_thread_set_timer(fixture.client->rest, &timer, 0, &added, &err), CDS_E_MEMORY,
            "nor is a timer set");
  ok(!added && !timer.is_set, "for later");
  no_thread = false;
  asked = 0;
  for (int i = 0; i < 2; i++) is_number(run_call(&fixture, CDS_GET_FEEDS, 0).status, CDS_OK, "then there is");
  is_number(asked, 1, "one thread for all");
  end(&fixture);
  free(feeds);
  return done();
}
