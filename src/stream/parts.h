/* SPDX-License-Identifier: MIT
 * A stream is its parts: each is the file's of its name, which alone reaches into it; the others ask by its functions.
 *
 * Threads: the script's, one for each link, and the client's REST thread, which answers the stream's own calls. `mu`
 * (core.h) covers what the parts say is guarded by it; no call of libwebsockets is made under it. Each link's thread,
 * each call under way and a timer that is set hold a reference of the stream, so that what close could not wait for (a
 * thread may be stuck in the resolver) finds its memory valid when it comes back to end.
 *
 * The feeds are spread over shards, and each shard has one connection per origin. */
#ifndef CDS_PARTS_H
#define CDS_PARTS_H

#include "stream/backfill.h"
#include "stream/change.h"
#include "stream/connections.h"
#include "stream/core.h"
#include "stream/discovery.h"
#include "stream/dispatch.h"
#include "stream/fleet.h"
#include "stream/intake.h"
#include "stream/outlet.h"
#include "stream/places.h"
#include "stream/screen.h"
#include "stream/stream.h"

struct cds_stream {
  struct cds_core core;
  struct cds_outlet outlet;
  struct cds_places places;
  struct cds_dispatch dispatch;
  struct cds_screen screen;
  struct cds_connections connections;
  struct cds_intake intake;
  struct cds_backfill backfill;
  struct cds_discovery discovery;
  struct cds_fleet fleet;
  struct cds_change change;
  struct cds_stream_life life;
};

#endif
