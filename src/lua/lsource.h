/* SPDX-License-Identifier: MIT
 * What a Stream of Lua is about: a stream of the service's, or the replay of a recording. */
#ifndef CDS_L_SOURCE_H
#define CDS_L_SOURCE_H

#include "record/replay.h"

struct cds_l_source {
  struct cds_stream *stream; /* one of the two; neither before it is opened, and once it is finalized */
  struct cds_replay *replay;
};

bool cds_l_source_is_there(const struct cds_l_source *source);

/* As the functions of stream/stream.h with these names, of a source that is there. */
enum cds_pop cds_l_source_pop(struct cds_report **report, struct cds_l_source *source, struct cds_error *err);
struct cds_event *cds_l_source_take_event(struct cds_l_source *source);
struct cds_report *cds_l_source_latest(struct cds_l_source *source, const struct cds_feed_id *feed);
CDS_MUST_CHECK bool cds_l_source_lead(struct cds_l_source *source, double seconds); /* as cds_stream_lead */
int cds_l_source_fd(struct cds_l_source *source);
CDS_MUST_CHECK enum cds_status cds_l_source_share_fd(int *fd, struct cds_l_source *source, struct cds_error *err);
bool cds_l_source_is_subscribed(struct cds_l_source *source);
CDS_MUST_CHECK enum cds_status cds_l_source_subscribe(struct cds_l_source *source, const struct cds_feed_id *feeds,
                                                      size_t count, struct cds_error *err);
CDS_MUST_CHECK enum cds_status cds_l_source_unsubscribe(struct cds_l_source *source, const struct cds_feed_id *feeds,
                                                        size_t count, struct cds_error *err);
void cds_l_source_stats(struct cds_stream_stats *out, struct cds_l_source *source);

/* Of any source. */
void cds_l_source_close(struct cds_l_source *source);
bool cds_l_source_is_closed(const struct cds_l_source *source);
void cds_l_source_free(struct cds_l_source *source); /* it is not there any more */

#endif
