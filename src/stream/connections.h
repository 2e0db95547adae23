/* SPDX-License-Identifier: MIT
 * The stream's connections: what each is for, where it goes to, how it fares; and what that adds up to. A table only:
 * who starts and ends links is fleet.c. mu is held in everything here, unless it says otherwise. */
#ifndef CDS_CONNECTIONS_H
#define CDS_CONNECTIONS_H

#include "stream/link.h"
#include "stream/stream.h"

#define CDS_NO_LINK SIZE_MAX
#define CDS_TRIAL_PROOF_MS 3000 /* a trial connection up and read for so long takes over, whatever it has brought */

enum cds_role {
  CDS_ROLE_FREE,    /* no link here */
  CDS_ROLE_TRIAL,   /* of a changed set of feeds: until it is up, what was before it goes on */
  CDS_ROLE_SERVING, /* one of the configured connections */
  CDS_ROLE_LEAVING  /* another has taken over, or it has failed */
};

struct cds_connection { /* a role leaves FREE and comes back to it under the fleet's lock as well */
  enum cds_role role;
  struct cds_link *link;
  size_t shard;
  struct cds_link_stats stats;
  bool has_proved;         /* itself, since it connected */
  int64_t connected_at_ms; /* monotonic; 0: never was */
  int64_t wall_ahead_ms;   /* of the monotonic clock, when it last connected */
};

struct cds_connections { /* connections.c's own */
  struct cds_connection of[CDS_MAX_LINKS];
  uint64_t partial_reconnects, full_reconnects;
};

/* What a new connection is for. */
struct cds_assignment {
  enum cds_role role;
  size_t shard;
  char origin[CDS_MAX_ORIGIN_TEXT]; /* "": whichever */
};

/* ---- places for links; under the fleet's lock too ---- */

/* A place for a link, or CDS_NO_LINK. A link that has left and whose thread has ended is taken out of it: *left, to be
 * joined and freed without mu, else NULL. */
size_t cds_connections_vacate(struct cds_stream *stream, struct cds_link **left);
void cds_connections_assign(struct cds_stream *stream, size_t index, const struct cds_assignment *assignment);
void cds_connections_put(struct cds_stream *stream, size_t index, struct cds_link *link); /* NULL: it did not start */
struct cds_link *cds_connections_link(const struct cds_stream *stream, size_t index);     /* or NULL */

/* ---- one connection ---- */

enum cds_role cds_connections_role(const struct cds_stream *stream, size_t index);
size_t cds_connections_shard(const struct cds_stream *stream, size_t index);
int64_t cds_connections_connected_at_ms(const struct cds_stream *stream, size_t index);
bool cds_connections_is_connected(const struct cds_stream *stream, size_t index, enum cds_role role, size_t shard);
bool cds_connections_has_brought(const struct cds_stream *stream, size_t index); /* a message */
bool cds_connections_has_proved(const struct cds_stream *stream,
                                size_t index); /* itself, by being up for long enough */

/* Written by the link's thread only, which needs no lock to read them. */
const char *cds_connections_host(const struct cds_stream *stream, size_t index);
const char *cds_connections_origin(const struct cds_stream *stream, size_t index);
int64_t cds_connections_wall_ahead_ms(const struct cds_stream *stream, size_t index);

void cds_connections_count_message(struct cds_stream *stream, size_t index, size_t length);
void cds_connections_count_error(struct cds_stream *stream, size_t index);
void cds_connections_set_state(struct cds_stream *stream, size_t index, enum cds_link_state state);
void cds_connections_set_proved(struct cds_stream *stream, size_t index);
void cds_connections_set_gone(struct cds_stream *stream, size_t index);
void cds_connections_set_host(struct cds_stream *stream, size_t index, const struct cds_url *url);

/* Its origin becomes the first of these that it does not have and no like connection of its shard has. */
void cds_connections_choose_origin(struct cds_stream *stream, size_t index, const struct cds_origins *origins);

/* ---- several ---- */

/* Does a connection for the shard stand for the origin, of which there are so many in all? */
bool cds_connections_cover(const struct cds_stream *stream, enum cds_role role, size_t shard,
                           const struct cds_origins *origins, size_t origin);
uint64_t cds_connections_serving(const struct cds_stream *stream, size_t shard); /* a bit each */
bool cds_connections_has_hope(const struct cds_stream *stream, size_t shard);    /* one that serves has not failed */
void cds_connections_list_up(const struct cds_stream *stream, bool up[CDS_MAX_CONNECTIONS]); /* shards that are up */
void cds_connections_close(struct cds_stream *stream); /* all ended, which is no event any more */

/* Those that serve these shards leave, the trial ones serve and count on. Or the trial ones leave. */
void cds_connections_take_over(struct cds_stream *stream, const bool shards[CDS_MAX_CONNECTIONS]);
void cds_connections_end_trial(struct cds_stream *stream);

void cds_connections_stats(struct cds_stream_stats *out, const struct cds_stream *stream);

#endif
