/* SPDX-License-Identifier: MIT
 * One of two. */
#include "lua/lsource.h"

#include "stream/lead.h"
#include "stream/subscribe.h"

bool cds_l_source_is_there(const struct cds_l_source *source) {
  return source->stream || source->replay;
}

enum cds_pop cds_l_source_pop(struct cds_report **report, struct cds_l_source *source, struct cds_error *err) {
  return source->stream ? cds_stream_pop(report, source->stream, err) : cds_replay_pop(report, source->replay, err);
}

struct cds_event *cds_l_source_take_event(struct cds_l_source *source) {
  return source->stream ? cds_stream_take_event(source->stream) : cds_replay_take_event(source->replay);
}

struct cds_report *cds_l_source_latest(struct cds_l_source *source, const struct cds_feed_id *feed) {
  return source->stream ? cds_stream_latest(source->stream, feed) : cds_replay_latest(source->replay, feed);
}

bool cds_l_source_lead(struct cds_l_source *source, double seconds) {
  return source->stream && cds_stream_lead(source->stream, seconds);
}

int cds_l_source_fd(struct cds_l_source *source) {
  return source->stream ? cds_stream_fd(source->stream) : cds_replay_fd(source->replay);
}

enum cds_status cds_l_source_share_fd(int *fd, struct cds_l_source *source, struct cds_error *err) {
  if (source->stream) return cds_stream_share_fd(fd, source->stream, err);
  *fd = cds_replay_fd(source->replay);
  return CDS_OK;
}

bool cds_l_source_is_subscribed(struct cds_l_source *source) {
  return source->stream ? cds_stream_is_subscribed(source->stream) : true;
}

enum cds_status cds_l_source_subscribe(struct cds_l_source *source, const struct cds_feed_id *feeds, size_t count,
                                       struct cds_error *err) {
  return source->stream ? cds_stream_subscribe(source->stream, feeds, count, err)
                        : cds_replay_subscribe(source->replay, feeds, count, err);
}

enum cds_status cds_l_source_unsubscribe(struct cds_l_source *source, const struct cds_feed_id *feeds, size_t count,
                                         struct cds_error *err) {
  return source->stream ? cds_stream_unsubscribe(source->stream, feeds, count, err)
                        : cds_replay_unsubscribe(source->replay, feeds, count, err);
}

void cds_l_source_stats(struct cds_stream_stats *out, struct cds_l_source *source) {
  if (source->stream) cds_stream_stats(out, source->stream);
  else cds_replay_stats(out, source->replay);
}

void cds_l_source_close(struct cds_l_source *source) {
  if (source->stream) cds_stream_close(source->stream);
  if (source->replay) cds_replay_close(source->replay);
}

bool cds_l_source_is_closed(const struct cds_l_source *source) {
  if (source->stream) return cds_stream_is_closed(source->stream);
  return !source->replay || cds_replay_is_closed(source->replay);
}

void cds_l_source_free(struct cds_l_source *source) {
  struct cds_l_source old = *source;
  *source = (struct cds_l_source){0};
  cds_stream_free(old.stream);
  cds_replay_free(old.replay);
}
