/* SPDX-License-Identifier: MIT
 * Taking the lead and leaving it. */
#include "stream/lead.h"

#include <signal.h>

#include "stream/connections.h"
#include "stream/core.h"
#include "stream/outlet.h"
#include "stream/parts.h"

/* mu is held. The only connection, or NULL. */
static struct cds_link *only_link(const struct cds_stream *stream) {
  struct cds_link *only = NULL;
  for (size_t i = 0; i < CDS_MAX_LINKS; i++) {
    struct cds_link *link = cds_connections_link(stream, i);
    if (link != NULL && only != NULL) return NULL;
    if (link != NULL) only = link;
  }
  return only;
}

/* Once nothing waits: what comes from now on wakes the leader. */
static struct cds_link *take(struct cds_stream *stream) {
  cds_stream_lock(stream);
  struct cds_link *link = cds_outlet_may_be_led(stream) ? only_link(stream) : NULL;
  if (link != NULL && !cds_link_take_lead(link)) link = NULL;
  if (link != NULL) cds_core_set_led(stream, link);
  cds_stream_unlock(stream);
  return link;
}

/* The script takes what has come before it waits for its descriptor, which so need not be written. */
static void leave(struct cds_stream *stream, struct cds_link *link) {
  cds_stream_lock(stream);
  cds_core_set_led(stream, NULL);
  cds_link_give_back(link);
  cds_stream_unlock_quietly(stream);
}

/* ---- broken pipes ---- */

/* A write to a connection that its peer has ended raises it in the thread that writes: the library's have it blocked. */
static sigset_t pipe_signal(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

static sigset_t block_pipe(void) {
  sigset_t before, set = pipe_signal();
  pthread_sigmask(SIG_BLOCK, &set, &before);
  return before;
}

/* One that was raised meanwhile has come to nothing. */
static void unblock_pipe(const sigset_t *before) {
  sigset_t pending, set = pipe_signal();
  int ignored;
  if (sigismember(before, SIGPIPE)) return;
  if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE)) sigwait(&set, &ignored);
  pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* ---- the lead ---- */

bool cds_stream_lead(struct cds_stream *stream, double seconds) {
  struct cds_link *link = cds_client_is_foreign(cds_core_client(stream)) ? NULL : take(stream);
  if (link == NULL) return false;
  sigset_t before = block_pipe();
  cds_link_lead(link, seconds);
  unblock_pipe(&before);
  leave(stream, link);
  return true;
}
