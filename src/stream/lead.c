/* SPDX-License-Identifier: MIT
 * Taking the lead and leaving it. */
#include "stream/lead.h"

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

bool cds_stream_lead(struct cds_stream *stream, double seconds) {
  struct cds_link *link = cds_client_is_foreign(cds_core_client(stream)) ? NULL : take(stream);
  if (link == NULL) return false;
  cds_link_lead(link, seconds);
  leave(stream, link);
  return true;
}
