/* SPDX-License-Identifier: MIT
 * Recorded full reports, read from files of lines: hex, or JSON with members fullReport (the service's) or
 * full_report (the command line's). */
#ifndef CDS_SIM_REPLAY_H
#define CDS_SIM_REPLAY_H

#include "base/error.h"

struct cds_sim_record {
  uint8_t id[32];
  uint64_t valid_from, observed; /* in the feed's unit */
  uint64_t received_ms;          /* 0: the file does not tell */
  uint8_t *full;
  size_t length;
  const uint8_t *blob; /* in `full` */
  size_t blob_length;
};

struct cds_sim_replay_feed {
  size_t *by_time, *by_file; /* indexes of records */
  size_t count;
};

struct cds_sim_replay {
  struct cds_sim_record *records; /* in the files' order */
  size_t record_count;
  struct cds_sim_replay_feed *feeds; /* in the order of their first record */
  size_t feed_count;
  size_t longest; /* bytes of the longest full report */
};

/* The paths may be of files, compressed ones too, or of folders of recordings. */
CDS_MUST_CHECK enum cds_status cds_sim_replay_load(struct cds_sim_replay *out, const char *const *paths, size_t count,
                                                   struct cds_error *err);
void cds_sim_replay_clear(struct cds_sim_replay *replay);

/* By rank in time, oldest first; number is less than the feed's count. */
const struct cds_sim_record *cds_sim_replay_get(const struct cds_sim_replay *replay, size_t feed, uint64_t number);
uint32_t cds_sim_replay_second(const struct cds_sim_record *record); /* of its observations */
bool cds_sim_replay_in_ms(const struct cds_sim_record *record);      /* are its times in milliseconds? */
bool cds_sim_replay_is_legacy(const struct cds_sim_record *record);  /* v1, which has no valid-from timestamp */
int64_t cds_sim_replay_ms(const struct cds_sim_record *record);      /* its observations' time */
uint64_t cds_sim_replay_seek(const struct cds_sim_replay *replay, size_t feed, uint32_t second);

#endif
