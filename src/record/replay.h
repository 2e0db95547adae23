/* SPDX-License-Identifier: MIT
 * A recording as a stream: the same reports, and events, at the pace that they came in or another. No thread: what is
 * due is read when it is asked for. Used by one thread at a time. */
#ifndef CDS_RECORD_REPLAY_H
#define CDS_RECORD_REPLAY_H

#include "crypto/verify.h"
#include "stream/stream.h"

struct cds_replay;

struct cds_replay_options {
  double speed;                    /* times as fast as it was; 0: without waiting */
  uint64_t from_ms, to_ms;         /* of the observations, both included */
  const struct cds_feed_id *feeds; /* which; none: all */
  size_t feed_count;
  struct cds_signer_registry *signers; /* borrowed for as long as it lives; NULL: nothing is verified */
};

/* CDS_E_FILE when the first file cannot be read, or is no recording. */
CDS_MUST_CHECK enum cds_status cds_replay_open(struct cds_replay **out, const char *const *paths, size_t count,
                                               const struct cds_replay_options *options, struct cds_error *err);
void cds_replay_free(struct cds_replay *replay); /* NULL is accepted */

/* As the functions of stream/stream.h with these names. At the end of the recording the replay is closed,
 * CDS_E_CLOSED. */
enum cds_pop cds_replay_pop(struct cds_report **report, struct cds_replay *replay, struct cds_error *err);
struct cds_event *cds_replay_take_event(struct cds_replay *replay);
struct cds_report *cds_replay_latest(struct cds_replay *replay, const struct cds_feed_id *feed);
int cds_replay_fd(const struct cds_replay *replay);
void cds_replay_stats(struct cds_stream_stats *out, const struct cds_replay *replay);
void cds_replay_close(struct cds_replay *replay);
bool cds_replay_is_closed(const struct cds_replay *replay);

/* From the next report on. */
CDS_MUST_CHECK enum cds_status cds_replay_subscribe(struct cds_replay *replay, const struct cds_feed_id *feeds,
                                                    size_t count, struct cds_error *err);
CDS_MUST_CHECK enum cds_status cds_replay_unsubscribe(struct cds_replay *replay, const struct cds_feed_id *feeds,
                                                      size_t count, struct cds_error *err);

/* The feeds that are wanted, as far as they are known: the first head's, and those that were met. NULL behind the
 * last. */
const struct cds_feed_id *cds_replay_feed(const struct cds_replay *replay, size_t number);

#endif
