/* SPDX-License-Identifier: MIT
 * Where nobody can be told of forks, no client is made: a child would take its parent's for its own. */
#include "client/client.h"

#include <errno.h>

#include "rest_fixture.h"

/* In place of the C library's, which fails like this when there is no memory. */
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  (void)prepare;
  (void)parent;
  (void)child;
  return ENOMEM;
}

int main(void) {
  struct fixture fixture;
  struct cds_error err = {0};
  begin(&fixture, &no_step, 0);
  is_number(cds_client_new(&fixture.client, &fixture.config, &err), CDS_E_MEMORY, "no client without fork handlers");
  ok(fixture.client == NULL && fixture.config.api_secret == NULL, "and nothing is left of it");
  end(&fixture);
  return done();
}
